"""Who may set up what, and how far each role reaches."""

from typing import Literal

from sqlalchemy import ColumnElement, and_, false

from backend.access import Identity, Permission, Role
from backend.directory.models import Branch, Unit

Scope = Literal["unit", "branch", "organisation", "county", "group"]

# A role over another kind of place would open more than it is meant to, or nothing. A co-investigator is not here:
# that place is lent with the invitation to a case, and neither a file nor a page gives it.
SCOPE_OF: dict[Role, Scope] = {
    Role.REPORTER: "unit",
    Role.HANDLER: "unit",
    Role.MANAGER: "unit",
    Role.SAFETY: "branch",
    Role.REGISTRAR: "branch",
    Role.COORDINATOR: "county",
    Role.GROUP_MEMBER: "group",
    Role.ADMINISTRATOR: "organisation",
    Role.AUDITOR: "organisation",
}
GIVEN_BY_ADMINISTRATORS = tuple(
    role for role, scope in SCOPE_OF.items() if scope in ("unit", "branch", "organisation")
)


def administers(me: Identity, organisation_id: int) -> bool:
    """Of the organisation that one acts in, and of no other."""
    return me.place == "organisation" and me.place_id == organisation_id and me.may(Permission.ADMINISTER)


def administered_by(me: Identity) -> ColumnElement[bool]:
    """`administers` as SQL, over branches."""
    if me.place != "organisation" or not me.may(Permission.ADMINISTER):
        return false()
    return Branch.organisation_id == me.place_id


def may_settle(me: Identity, branch: Branch) -> bool:
    """How a branch works is for its safety to say, and for the administrator."""
    return administers(me, branch.organisation_id) or (
        branch.id in me.branches and me.everywhere(Permission.MANAGE)
    )


def may_name_substitute(me: Identity, person_id: int, units: frozenset[int], branch: Branch) -> bool:
    """For oneself; for the people of one's units, as their manager; for all of the branch, as its safety or the
    administrator. `units` are those at which the absent person has an assignment.
    """
    if branch.id in me.branches:
        own = me.person_id == person_id
        return own or me.everywhere(Permission.MANAGE) or bool(units & me.units(Permission.MANAGE))
    return administers(me, branch.organisation_id)


def may_watch(me: Identity) -> bool:
    """Whether cases reach their receivers is for the organisation itself to see to: its administrator, its safety, and
    managers for their own units. It is never told to the county.
    """
    return me.may(Permission.MANAGE) or (me.place == "organisation" and me.may(Permission.ADMINISTER))


def watched_by(me: Identity) -> ColumnElement[bool]:
    """`may_watch` as SQL, over units joined with their branches."""
    if me.place == "organisation":
        return administered_by(me)
    if me.everywhere(Permission.MANAGE):
        return Unit.branch_id.in_(me.branches)
    return and_(Unit.branch_id.in_(me.branches), Unit.id.in_(sorted(me.units(Permission.MANAGE))))
