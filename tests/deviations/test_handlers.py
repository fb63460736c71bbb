"""Who handles a case is somebody of the unit that has it: named anew where it comes to another, nobody when they leave."""

import re
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from backend.deviations import actions, queries
from backend.deviations.forms import AssignForm, ConfirmRedirectForm, RedirectForm, ResendForm
from backend.directory import queries as directory
from backend.directory.models import Person, Unit
from tests.deviations.test_desk import pile
from tests.deviations.test_succession import end
from tests.deviations.verbs import DECLINE, HEALTH_CENTRE, MONDAY, PATIENT_SAFETY, TO_KARLSKRONA, act
from tests.people import ANNA, BERIT, BOB, BOBS_UNIT, CHARLIE, acting, filed

Of = Callable[..., TestClient]
NURSE = "vardcentral@region.example"
SURGERY = "SE2321000081-S021"
TO_HEALTH_CENTRE = RedirectForm(unit=HEALTH_CENTRE, comment="Hon går till er.")


@pytest.fixture(autouse=True)
def _november(blekinge: str) -> Iterator[None]:
    with clock.at(MONDAY):
        yield


def taken(by: str = BOB) -> str:
    """A case of Bob's ward that somebody has taken."""
    number = filed()
    with acting(by) as (db, me):
        actions.assign(db, me, queries.deviation(db, me, number), AssignForm(person=me.person_id))
    return number


def handler(number: str, reader: str) -> str | None:
    """Who handles it, as the reader's list has it."""
    with acting(reader) as (db, me):
        [row] = [row for row in queries.listing(db, me, queries.Filters()) if row.case_number == number]
        return row.handler


def unassigned(superuser: Engine) -> list[tuple[str, str]]:
    """What the access logs tell of handlers who handle no more: of which branch's log, and whom."""
    with superuser.connect() as connection:
        rows = connection.execute(
            text(
                "select b.hsa_id, p.email from audit_log a join branches b on b.id = a.branch_id"
                " join people p on p.id = (a.details ->> 'former')::int where action = 'deviations.unassign'"
            )
        )
        return [(row[0], row[1]) for row in rows]


@pytest.mark.parametrize("by", [BOB, PATIENT_SAFETY])
def test_sent_on_within_the_branch_it_is_nobodys_until_the_new_unit_says_whose(
    superuser: Engine, by: str
) -> None:
    number = taken(by)
    assert (pile(PATIENT_SAFETY, "unassigned"), handler(number, BOB) is not None) == ([], True)
    act("redirect", number, BOB, TO_HEALTH_CENTRE)
    assert (pile(PATIENT_SAFETY, "unassigned"), handler(number, NURSE)) == ([number], None)
    assert unassigned(superuser) == [("SE2321000081-B000", by)]


def test_sent_again_to_the_same_branch_it_is_the_new_units_to_say(superuser: Engine) -> None:
    there, here = taken(), taken()
    for number, unit in ((there, HEALTH_CENTRE), (here, BOBS_UNIT)):
        act("decline", number, BOB, DECLINE)
        act("resend", number, ANNA, ResendForm(unit=unit, comment="Jo, ni skrev ut patienten."))
    assert handler(there, NURSE) is None
    # Back at the same unit, whoever declined it knows it best.
    assert handler(here, BOB) == "Sektionsledare, Medicin avdelning 43"
    assert pile(PATIENT_SAFETY, "unassigned") == [there]
    # In the log of the branch whose handler it was, not of the sender, who may not know them.
    assert unassigned(superuser) == [("SE2321000081-B000", BOB)]


def test_come_back_by_way_of_another_branch_it_is_nobodys() -> None:
    number = taken()
    act("redirect", number, BOB, TO_KARLSKRONA)
    act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))
    act("redirect", number, CHARLIE, RedirectForm(unit=BOBS_UNIT, comment="Det var ändå ni."))
    act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))
    assert handler(number, BOB) is None


def test_whoever_no_longer_handles_at_the_unit_is_nobody(superuser: Engine, client_of: Of) -> None:
    number, page = taken(), client_of(BERIT)
    assert "Sektionsledare, Medicin avdelning 43" in own_card(page, number)
    assert pile(BERIT, "unassigned") == []
    with superuser.begin() as connection:
        connection.execute(
            text(
                "update assignments set valid_to = '2026-11-01' from people p where p.id = person_id"
                " and p.email = :bob and role = 'handler'"
            ),
            {"bob": BOB},
        )
    assert (pile(BERIT, "unassigned"), handler(number, BERIT)) == ([number], None)
    assert "Ingen än" in own_card(page, number)
    assert "Sektionsledare" not in own_card(page, number)


def own_card(client: TestClient, number: str) -> str:
    found = re.search(r'id="own-card".*?</dl>', client.get(f"/deviations/{number}").text, re.DOTALL)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("bring_people", [False, True])
def test_where_a_unit_is_taken_over_the_handler_follows_with_its_people(
    superuser: Engine, bring_people: bool
) -> None:
    number = taken()
    ended = end(superuser, BOBS_UNIT, SURGERY)
    with superuser.begin() as connection:
        if bring_people:
            connection.execute(
                text(
                    "update assignments set unit_id = s.id from units s where unit_id = :old and s.hsa_id = :new"
                ),
                {"old": ended[0], "new": SURGERY},
            )
    assert actions.follow_successor(*ended) == "moved 1"
    assert handler(number, PATIENT_SAFETY) == (
        "Sektionsledare, Medicin avdelning 43" if bring_people else None
    )
    assert pile(PATIENT_SAFETY, "unassigned") == ([] if bring_people else [number])
    # What comes late, as when people are moved a day after the unit, is not lost on the way.
    with superuser.connect() as connection:
        kept = connection.scalar(text("select count(*) from sides where handler_id is not null"))
    assert kept == 1


def test_the_condition_holds_for_just_those_who_handle_at_the_unit() -> None:
    with acting(BOB) as (db, _me):
        for unit in db.query(Unit).all():
            found = db.query(Person).where(directory.handles(Person.id, unit.id)).all()
            assert {one.id for one in found} == {one.id for one in directory.handlers(db, unit.id)}, unit.name
