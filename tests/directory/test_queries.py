"""Who works where today, how far that reaches, and who is written to."""

import itertools
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.access import Grant, Identity, Permission, Role
from backend.core import clock, db
from backend.directory import queries
from tests.people import ADMINISTRATOR, ALICE, ANNA, BERIT, BOB, CHARLIE, COORDINATOR, IDA, MATS, acting

WARD, CLINIC, DIVISION, ROOT = (f"SE2321000081-{unit}" for unit in ("S011", "S010", "S000", "B000"))
REGION, CARE = "SE2321000081-B000", "SE2120000852-V000"


@pytest.fixture
def session(blekinge: str) -> Iterator[Session]:
    with db.unit_of_work(db.NOBODY) as found:
        yield found


class Directory:
    """Changes made past the walls, before the unit of work reads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def run(self, statement: str, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def assign(
        self,
        email: str,
        role: str,
        place: str,
        *,
        table: str = "units",
        since: date | None = None,
        until: date | None = None,
    ) -> None:
        scope = {"units": "unit_id", "branches": "branch_id", "groups": "group_id"}[table]
        key = "code" if table == "groups" else "hsa_id"
        self.run(
            f"insert into assignments (person_id, role, {scope}, valid_from, valid_to)"
            f" select p.id, :role, t.id, :since, :until from people p, {table} t"
            f" where p.email = :email and t.{key} = :place",
            email=email,
            role=role,
            place=place,
            since=since or clock.today(),
            until=until,
        )

    def unassign(self, email: str) -> None:
        self.run(
            "delete from assignments where person_id = (select id from people where email = :e)", e=email
        )


@pytest.fixture
def directory(blekinge: str, superuser: Engine) -> Directory:
    return Directory(superuser)


def person_id(session: Session, email: str) -> int:
    person = queries.person_by_email(session, email)
    assert person is not None
    return person.id


def unit_id(session: Session, hsa_id: str) -> int:
    unit = queries.unit_by_hsa_id(session, hsa_id)
    assert unit is not None
    return unit.id


def places(session: Session, email: str) -> list[tuple[str, tuple[Role, ...]]]:
    return [(place.key, place.roles) for place in queries.places(session, person_id(session, email))]


def test_every_kind_of_assignment_is_a_place_and_branches_come_first(
    session: Session, directory: Directory
) -> None:
    assert places(session, ANNA) == [(f"branch:{CARE}", (Role.HANDLER, Role.REPORTER))]
    assert places(session, ADMINISTRATOR) == [("organisation:SE2120000852-K", (Role.ADMINISTRATOR,))]
    assert places(session, COORDINATOR) == [("county:BLE", (Role.COORDINATOR,))]
    directory.assign(COORDINATOR, "group_member", "lsvo", table="groups")
    directory.assign(COORDINATOR, "safety", REGION, table="branches")
    directory.assign(COORDINATOR, "reporter", "SE2120000852-V010")
    assert places(session, COORDINATOR) == [
        (f"branch:{REGION}", (Role.SAFETY,)),
        (f"branch:{CARE}", (Role.REPORTER,)),
        ("county:BLE", (Role.COORDINATOR,)),
        ("group:lsvo", (Role.GROUP_MEMBER,)),
    ]
    assert {place.county_id for place in queries.places(session, person_id(session, COORDINATOR))} == {
        queries.counties(session)[0].id
    }


def test_an_assignment_is_in_force_on_both_its_dates_and_not_around_them(
    session: Session, directory: Directory
) -> None:
    today, day = clock.today(), timedelta(days=1)
    directory.unassign(ANNA)
    found = {}
    for name, since, until in (
        ("over", today - 9 * day, today - day),
        ("last day", today - 9 * day, today),
        ("first day", today, today + day),
        ("to come", today + day, None),
        ("open", today - day, None),
    ):
        directory.unassign(ANNA)
        directory.assign(ANNA, "reporter", "SE2120000852-V010", since=since, until=until)
        found[name] = len(places(session, ANNA))
        assert bool(
            queries.grants(session, person_id(session, ANNA), "branch", branch_id(session, CARE))
        ) == bool(found[name])
    assert found == {"over": 0, "last day": 1, "first day": 1, "to come": 0, "open": 1}


def branch_id(session: Session, hsa_id: str) -> int:
    unit = queries.unit_by_hsa_id(session, hsa_id)  # a branch and its root unit have the same id
    assert unit is not None
    return unit.branch_id


def test_a_role_at_a_unit_reaches_those_below_it_and_no_other(session: Session, directory: Directory) -> None:
    below_clinic = {unit_id(session, f"SE2321000081-S01{n}") for n in range(4)}
    region = branch_id(session, REGION)
    berit = person_id(session, BERIT)
    assert queries.grants(session, berit, "branch", region) == (Grant(Role.MANAGER, frozenset(below_clinic)),)
    ward = frozenset({unit_id(session, WARD)})
    bob = person_id(session, BOB)
    assert queries.grants(session, bob, "branch", region) == (
        Grant(Role.HANDLER, ward),
        Grant(Role.REPORTER, ward),
    )
    directory.assign(BOB, "safety", REGION, table="branches")
    assert queries.grants(session, bob, "branch", region) == (
        Grant(Role.SAFETY, None),
        Grant(Role.HANDLER, ward),
        Grant(Role.REPORTER, ward),
    )
    assert queries.grants(session, bob, "branch", branch_id(session, CARE)) == ()
    assert queries.grants(session, bob, "county", 1) == ()


def test_roles_in_one_branch_add_up(blekinge: str, directory: Directory) -> None:
    directory.assign(ALICE, "handler", "SE2120000852-V010")
    with acting(ALICE) as (session, me):
        here, there = unit_id(session, "SE2120000852-V020"), unit_id(session, "SE2120000852-V010")
        assert me.roles == {Role.REPORTER, Role.HANDLER}
        # Handler at the one, only reporter at the other.
        assert me.units(Permission.RECEIVE) == {there}
        assert me.units(Permission.FILE) == {here, there}
        assert not me.everywhere(Permission.FILE)


def test_a_place_outside_a_branch_gives_its_roles_and_no_unit(session: Session) -> None:
    coordinator = person_id(session, COORDINATOR)
    county = queries.counties(session)[0].id
    assert queries.grants(session, coordinator, "county", county) == (Grant(Role.COORDINATOR, frozenset()),)
    assert queries.place_name(session, "county", county) == ("Blekinge", county)


def recipients(session: Session, hsa_id: str) -> list[str]:
    return [one.email for one in queries.recipients(session, unit_id(session, hsa_id))]


def test_mail_goes_to_whoever_handles_the_unit_or_else_the_nearest_above(
    session: Session, directory: Directory
) -> None:
    steps = [recipients(session, WARD)]
    for gone in (BOB, BERIT, "patientsakerhet@region.example"):
        directory.unassign(gone)
        steps.append(recipients(session, WARD))
    assert steps == [[BOB], [BERIT], ["patientsakerhet@region.example"], []]


def test_handlers_come_before_managers_and_the_near_before_the_far(
    session: Session, directory: Directory
) -> None:
    directory.unassign(BOB)
    directory.assign(ALICE, "handler", ROOT)
    assert recipients(session, WARD) == [BERIT]
    directory.assign(IDA, "handler", CLINIC)
    directory.assign(CHARLIE, "handler", CLINIC)
    assert recipients(session, WARD) == sorted([IDA, CHARLIE])
    directory.assign(MATS, "manager", WARD)
    assert recipients(session, WARD) == [MATS]
    # A sister is not above; a reporter handles nothing.
    directory.assign(ANNA, "handler", "SE2321000081-S012")
    directory.assign(COORDINATOR, "reporter", WARD)
    assert recipients(session, WARD) == [MATS]


def test_nobody_who_has_left_is_written_to(session: Session, directory: Directory) -> None:
    directory.run(
        "update people set ended_on = (now() at time zone 'Europe/Stockholm')::date where email = :e", e=BOB
    )
    assert recipients(session, WARD) == [BERIT]
    assert queries.person_by_email(session, BOB) is None
    directory.run(
        "update people set ended_on = (now() at time zone 'Europe/Stockholm')::date + 1 where email = :e",
        e=BOB,
    )
    assert recipients(session, WARD) == [BOB]
    directory.run(
        "update assignments set valid_to = (now() at time zone 'Europe/Stockholm')::date - 1"
        " where person_id = (select id from people where email = :e)",
        e=BOB,
    )
    assert recipients(session, WARD) == [BERIT]


def receivers_of(me: Identity, session: Session) -> list[queries.Receiver]:
    return queries.receivers(session, me)


def test_a_case_may_be_sent_to_every_living_unit_of_another_branch(
    blekinge: str, directory: Directory
) -> None:
    directory.run(
        "update units set ended_on = (now() at time zone 'Europe/Stockholm')::date where hsa_id = :u", u=WARD
    )
    with acting(ANNA) as (session, me):
        found = receivers_of(me, session)
        living = {
            hsa_id
            for (hsa_id,) in session.execute(
                text("select hsa_id from units where ended_on is null and branch_id <> :own"),
                {"own": me.branches[0]},
            )
        }
    # The other branches of one's own municipality too; nothing of one's own.
    assert {receiver.hsa_id for receiver in found} == living
    assert WARD not in living
    assert "SE2120000852-I000" in living
    assert not any(receiver.branch == "Vård och omsorg Sölvesborg" for receiver in found)
    # Each branch's units together, its way in before the others.
    groups = [
        list(units) for _, units in itertools.groupby(found, lambda unit: (unit.organisation, unit.branch))
    ]
    assert len(groups) == len({(units[0].organisation, units[0].branch) for units in groups})
    assert [
        [unit.intake for unit in units].index(True) for units in groups if any(u.intake for u in units)
    ] == [0] * len(groups)


def test_an_organisation_that_has_ended_receives_nothing(blekinge: str, directory: Directory) -> None:
    directory.run(
        "update organisations set ended_on = (now() at time zone 'Europe/Stockholm')::date where hsa_id = 'SE2321000081-R'"
    )
    with acting(ANNA) as (session, me):
        found = receivers_of(me, session)
    assert found != []
    assert [receiver for receiver in found if receiver.organisation == "Region Blekinge"] == []


def test_a_person_reports_from_the_units_they_file_for(blekinge: str, directory: Directory) -> None:
    def own(email: str) -> list[str]:
        with acting(email) as (session, me):
            return [unit.hsa_id for unit in queries.own_units(session, me)]

    assert own(ANNA) == ["SE2120000852-V010"]
    assert own(COORDINATOR) == []
    assert own(BERIT)[0] == CLINIC  # the nearest to the root first
    assert set(own(MATS)) >= {CARE, "SE2120000852-V010", "SE2120000852-V020", "SE2120000852-F000"}
    directory.run(
        "update units set ended_on = (now() at time zone 'Europe/Stockholm')::date where hsa_id = 'SE2120000852-V010'"
    )
    assert own(ANNA) == []


def test_the_listing_is_in_tree_order_and_in_swedish(session: Session, directory: Directory) -> None:
    for hsa_id, name in (("S011", "Ögat"), ("S012", "Äggen"), ("S013", "Ådran")):
        directory.run(
            "update units set name = :name where hsa_id = :u", name=name, u=f"SE2321000081-{hsa_id}"
        )
    county = queries.counties(session)[0].id
    listed = [unit for unit in queries.listing(session, county) if unit.organisation == "Region Blekinge"]
    at = next(place for place, unit in enumerate(listed) if unit.hsa_id == CLINIC)
    assert [(unit.name, unit.depth) for unit in listed[at : at + 4]] == [
        ("Blekingesjukhuset, Medicinkliniken", 2),
        ("Ådran", 3),
        ("Äggen", 3),
        ("Ögat", 3),
    ]
    assert (listed[0].hsa_id, listed[0].depth) == (ROOT, 0)
    directory.run(
        "update units set ended_on = (now() at time zone 'Europe/Stockholm')::date where hsa_id = :u", u=WARD
    )
    assert WARD not in {unit.hsa_id for unit in queries.listing(session, county)}


def test_an_intake_is_found_by_its_organisation_and_a_county_by_its_code(session: Session) -> None:
    intakes = queries.intakes(session, "SE2120000852-K")
    assert [unit.hsa_id for unit in intakes] == sorted(unit.hsa_id for unit in intakes)
    assert len({unit.branch_id for unit in intakes}) == len(intakes) == 3
    county = queries.county_by_code(session, "ble")
    assert county is not None
    assert county.code == "BLE"
    assert queries.county_by_code(session, "XXX") is None
