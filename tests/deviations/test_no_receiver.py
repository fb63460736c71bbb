"""Whoever reports to a unit where nobody receives is told before it is sent, and may send anyway."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock, db
from backend.deviations import actions
from backend.deviations.forms import DeclineForm, ResendForm
from backend.deviations.models import Reason
from backend.directory import queries
from tests.directory.offices import rows
from tests.isolation.conftest import do
from tests.people import ANNA, ANNAS_UNIT, BOB, BOBS_UNIT, filed

Of = Callable[..., TestClient]
NOBODYS_UNIT = "SE2321000081-S021"
INTAKE = "SE2321000081-F000"
BRANCH_WITHOUT_ANYBODY = "SE2120000845-V010"
WARNING = "Enheten saknar mottagare"
TUESDAY = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


def typed(receiver: str, **changed: str) -> dict[str, str]:
    """What the form of our own page sends."""
    return {
        "receiver_unit": receiver,
        "sender_unit": ANNAS_UNIT,
        "category": "medication.list",
        "description": "Listan saknades vid hemgång.",
        "target_group": "older",
        "occurred_on": clock.today().isoformat(),
        "submission": str(uuid.uuid4()),
        "look_first": "yes",
        **changed,
    }


def sent_to(superuser: Engine) -> list[str]:
    query = "select u.hsa_id from deviations d join units u on u.id = d.receiver_unit_id order by d.id"
    return [str(hsa_id) for (hsa_id,) in rows(superuser, query)]


def owed(superuser: Engine) -> list[tuple[object, ...]]:
    return rows(
        superuser,
        "select u.hsa_id, to_char(due_at at time zone 'Europe/Stockholm', 'YYYY-MM-DD HH24:MI') from outbox join units u on u.id = subject_id"
        " where outbox.kind = 'directory.no_receiver' order by outbox.id",
    )


def test_the_first_press_says_so_and_offers_the_way_in_with_one_tap(
    blekinge: str, client_of: Of, superuser: Engine
) -> None:
    client, form = client_of(ANNA), typed(NOBODYS_UNIT)
    answer = client.post("/deviations", data=form)
    assert (answer.status_code, sent_to(superuser)) == (200, [])
    assert WARNING in answer.text
    assert "Verksamhetens väg in är Patientsäkerhetsfunktionen." in answer.text
    [offered] = re.findall(r'name="receiver_unit" value="([^"]+)"><span>Skicka till', answer.text)
    assert offered == INTAKE
    # As the browser sends them: the hidden field, and after it the button.
    del form["look_first"]
    body = "&".join(f"{name}={value}" for name, value in {**form, "description": "Listan+saknades"}.items())
    chosen = client.post(
        "/deviations",
        content=f"{body}&receiver_unit={offered}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (chosen.status_code, sent_to(superuser)) == (303, [INTAKE])
    assert owed(superuser) == []


def test_sending_anyway_is_allowed_from_the_look_and_from_a_form_that_has_said_so(
    blekinge: str, client_of: Of, superuser: Engine
) -> None:
    client = client_of(ANNA)
    after_the_look = typed(NOBODYS_UNIT)
    del after_the_look["look_first"]
    assert client.post("/deviations", data=after_the_look).status_code == 303
    told = typed(NOBODYS_UNIT, knows_no_receiver=NOBODYS_UNIT)
    assert client.post("/deviations", data=told).status_code == 303
    told_of_another = typed(NOBODYS_UNIT, knows_no_receiver=BOBS_UNIT)
    assert client.post("/deviations", data=told_of_another).status_code == 200
    assert sent_to(superuser) == [NOBODYS_UNIT] * 2


def test_the_form_says_so_as_soon_as_the_unit_is_chosen(blekinge: str, client_of: Of) -> None:
    client = client_of(ANNA)
    fragment = {"HX-Request": "true", "HX-Target": "div#suggested"}

    def asked(receiver: str) -> str:
        query = {"receiver_unit": receiver, "sender_unit": ANNAS_UNIT}
        return client.get("/deviations/new/suggestion", params=query, headers=fragment).text

    page = asked(NOBODYS_UNIT)
    assert WARNING in page
    assert f'name="knows_no_receiver" value="{NOBODYS_UNIT}"' in page
    assert "Välj Patientsäkerhetsfunktionen" in page
    assert [WARNING in asked(unit) for unit in (BOBS_UNIT, INTAKE, "", "SE0000000000-X")] == [False] * 4
    assert WARNING in client.get("/deviations/new", params={"receiver_unit": NOBODYS_UNIT}).text
    alone = client.get("/deviations/new/suggestion", params={"receiver_unit": NOBODYS_UNIT}).text
    assert f"/deviations/new?receiver_unit={INTAKE}" in alone


def test_where_the_way_in_lacks_people_too_nothing_is_offered(blekinge: str, client_of: Of) -> None:
    page = client_of(ANNA).post("/deviations", data=typed(BRANCH_WITHOUT_ANYBODY)).text
    assert WARNING in page
    assert "Du kan skicka ändå. De som ansvarar får veta det." in page
    assert re.findall(r'<button[^>]*name="receiver_unit"', page) == []


def test_the_organisation_is_told_once_a_working_day_and_unit_when_people_are_at_work(
    blekinge: str, superuser: Engine
) -> None:
    for moment in (
        TUESDAY,
        TUESDAY.replace(hour=14),
        TUESDAY.replace(hour=17),  # six in the evening in Sweden
        TUESDAY.replace(day=4, hour=5),  # six in the morning
        TUESDAY.replace(day=7, hour=10),  # a Saturday
    ):
        with clock.at(moment):
            filed(receiver_unit=NOBODYS_UNIT)
    with clock.at(TUESDAY):
        filed(receiver_unit=BOBS_UNIT)
    assert owed(superuser) == [
        (NOBODYS_UNIT, "2026-03-03 10:00"),
        (NOBODYS_UNIT, "2026-03-04 08:15"),
        (NOBODYS_UNIT, "2026-03-09 08:15"),
    ]


def test_a_case_that_is_sent_on_to_such_a_unit_tells_them_too(blekinge: str, superuser: Engine) -> None:
    with clock.at(TUESDAY):
        number = filed()
        do(BOB, actions.decline, number, DeclineForm(reason=Reason.NOT_INVOLVED, comment="Inte vi."))
        do(ANNA, actions.resend, number, ResendForm(unit=NOBODYS_UNIT, comment="Då är det ni."))
    assert [unit for unit, _due in owed(superuser)] == [NOBODYS_UNIT]


@pytest.fixture
def lacking(blekinge: str, superuser: Engine) -> Callable[..., set[str]]:
    def of(*hsa_ids: str) -> set[str]:
        ids = dict(rows(superuser, "select id, hsa_id from units where hsa_id = any(:h)", h=list(hsa_ids)))
        with db.unit_of_work(db.NOBODY) as session:
            return {str(ids[found]) for found in queries.lacks_receiver(session, list(ids))}  # type: ignore[arg-type]

    return of


def test_a_unit_lacks_a_receiver_where_nobody_is_at_work_there_or_above(
    lacking: Callable[..., set[str]], superuser: Engine
) -> None:
    care, ward = "SE2120000852-V020", BOBS_UNIT
    asked = (care, ward, NOBODYS_UNIT, INTAKE)
    assert lacking(*asked) == {NOBODYS_UNIT}  # the care unit has a manager above it
    assert lacking() == set()

    def leave(email: str, column: str, on: date) -> None:
        with superuser.begin() as connection:
            table, who = ("people", "id") if column == "ended_on" else ("assignments", "person_id")
            connection.execute(
                text(
                    f"update {table} set {column} = :on where {who} = (select id from people where email = :e)"
                ),
                {"on": on, "e": email},
            )

    leave("chef@solvesborg.example", "ended_on", clock.today())
    assert lacking(*asked) == {care, NOBODYS_UNIT}
    leave(BOB, "valid_to", clock.today())  # the last day is the one that counts
    leave("chef.medicin@region.example", "valid_to", date(2024, 1, 1))
    assert lacking(*asked) == {care, NOBODYS_UNIT}
    leave(BOB, "valid_from", date(2099, 1, 1))
    assert lacking(*asked) == {care, ward, NOBODYS_UNIT}


def test_a_party_outside_the_system_lacks_nobody(lacking: Callable[..., set[str]], superuser: Engine) -> None:
    with superuser.begin() as connection:
        connection.execute(text("update organisations set kind = 'external' where hsa_id = 'SE2321000081-R'"))
    assert lacking(NOBODYS_UNIT) == set()
