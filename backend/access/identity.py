"""The person of a request: who they are, which assignment they act in, and how far it reaches."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from backend.access.roles import ROLE_GRANTS, Permission, Role
from backend.core.db import Scope

Place = Literal["branch", "organisation", "county", "group"]


@dataclass(frozen=True)
class Grant:
    """A role over some units; `units` is None where it reaches the whole branch."""

    role: Role
    units: frozenset[int] | None


@dataclass(frozen=True)
class Identity:
    """One person in one place: a branch, or an organisation, county or group, which never open a case.

    Roles in one branch add up. `branches` are those in force: none outside a branch.
    """

    person_id: int
    title: str
    place: Place
    place_id: int
    place_name: str
    county_id: int | None
    branches: tuple[int, ...]
    grants: tuple[Grant, ...]
    session_id: int | None = None
    several: bool = False

    @cached_property
    def scope(self) -> Scope:
        opens: Literal["", "copies", "all"] = "copies" if self.may(Permission.SEALED) else ""
        return Scope(
            branches=self.branches,
            person=self.person_id,
            sealed="all" if self.may(Permission.MASK) else opens,
        )

    @property
    def profession(self) -> str:
        """What the other party may know of a person: a profession, never a name."""
        return self.title.partition(",")[0]

    @cached_property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    def may(self, permission: Permission) -> bool:
        """Whether any of the person's roles here gives the permission, somewhere."""
        return any(permission in ROLE_GRANTS[grant.role] for grant in self.grants)

    def reaches(self, permission: Permission, unit_id: int, branch_id: int) -> bool:
        """Whether the permission holds at this unit of this branch."""
        if branch_id not in self.branches:
            return False
        return any(
            permission in ROLE_GRANTS[grant.role] and (grant.units is None or unit_id in grant.units)
            for grant in self.grants
        )

    def everywhere(self, permission: Permission) -> bool:
        """Whether the permission holds in the whole branch."""
        return any(permission in ROLE_GRANTS[grant.role] and grant.units is None for grant in self.grants)

    def units(self, permission: Permission) -> frozenset[int]:
        """The units where the permission is given unit by unit."""
        reached: set[int] = set()
        for grant in self.grants:
            if grant.units is not None and permission in ROLE_GRANTS[grant.role]:
                reached |= grant.units
        return frozenset(reached)
