"""The roles of the trade, and the one table of what each may do."""

from enum import StrEnum


class Role(StrEnum):
    REPORTER = "reporter"
    HANDLER = "handler"
    MANAGER = "manager"
    SAFETY = "safety"
    REGISTRAR = "registrar"
    COORDINATOR = "coordinator"
    GROUP_MEMBER = "group_member"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    CO_INVESTIGATOR = "co_investigator"
    """Invited to single cases, and to nothing else."""


class Permission(StrEnum):
    FILE = "file"
    """File a deviation from the unit."""
    SEE_CASES = "see_cases"
    """See all that goes in and out of the unit and those below it."""
    RECEIVE = "receive"
    """Acknowledge and answer what comes to the unit."""
    JUDGE = "judge"
    """Say whether an answer to the unit's own reports is enough; withdraw them."""
    SEE_FIGURES = "see_figures"
    """The branch's own figures."""
    MANAGE = "manage"
    """Assign to others, reopen, settle a dispute, review a report before it leaves, approve an answer."""
    MASK = "mask"
    """Hide a slip, and open what was hidden."""
    FLAG = "flag"
    """Raise and follow lex Maria and lex Sarah flags, for one's own side only."""
    REGISTER = "register"
    """The case register of the branch: read its cases, and give them registry numbers."""
    SEALED = "sealed"
    """Read the sealed copies of what the branch was given before a case left it."""
    ADMINISTER = "administer"
    """Set up an organisation's units, people and assignments. Opens no case."""
    COORDINATE = "coordinate"
    """Set up a county. Opens no case."""


_HANDLES = frozenset(
    {Permission.FILE, Permission.SEE_CASES, Permission.RECEIVE, Permission.JUDGE, Permission.SEE_FIGURES}
)
_MANAGES = _HANDLES | {Permission.MANAGE}

# A reporter needs no grant to follow, judge and withdraw a report of their own: that right follows
# from having filed it (`deviations.rules`), as a co-investigator's follows from the invitation.
# Roles that stand here without SEE_CASES or REGISTER never open a case.
ROLE_GRANTS: dict[Role, frozenset[Permission]] = {
    Role.REPORTER: frozenset({Permission.FILE}),
    Role.HANDLER: _HANDLES,
    Role.MANAGER: _MANAGES,
    Role.SAFETY: _MANAGES | {Permission.MASK, Permission.FLAG, Permission.SEALED},
    Role.REGISTRAR: frozenset({Permission.REGISTER, Permission.SEALED}),
    Role.COORDINATOR: frozenset({Permission.COORDINATE}),
    Role.GROUP_MEMBER: frozenset(),
    Role.ADMINISTRATOR: frozenset({Permission.ADMINISTER}),
    Role.AUDITOR: frozenset(),
    Role.CO_INVESTIGATOR: frozenset(),
}
