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


_HANDLES = frozenset(
    {Permission.FILE, Permission.SEE_CASES, Permission.RECEIVE, Permission.JUDGE, Permission.SEE_FIGURES}
)

# A reporter needs no grant to follow, judge and withdraw a report of their own: that right follows
# from having filed it (`deviations.rules`). Roles that stand here with nothing never open a case.
ROLE_GRANTS: dict[Role, frozenset[Permission]] = {
    Role.REPORTER: frozenset({Permission.FILE}),
    Role.HANDLER: _HANDLES,
    Role.MANAGER: _HANDLES,
    Role.SAFETY: _HANDLES,
    Role.REGISTRAR: frozenset(),
    Role.COORDINATOR: frozenset(),
    Role.GROUP_MEMBER: frozenset(),
    Role.ADMINISTRATOR: frozenset(),
    Role.AUDITOR: frozenset(),
}
