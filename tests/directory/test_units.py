"""Reorganising, at the administrator's pages: one's own organisation, history kept, and cases never seen."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from backend.core import clock, db
from backend.directory import queries
from tests.directory.offices import (
    CARE,
    FOREIGN,
    HOME,
    HOME_CARE,
    IFO,
    OWN,
    REGIONS_ADMINISTRATOR,
    one,
    recorded,
    rows,
    told,
)
from tests.people import ADMINISTRATOR, ALICE, ANNA, BOB, COORDINATOR, MATS, filed

Browsers = Callable[..., TestClient]

NEW = {
    "name": "Nattpatrullen",
    "hsa_id": f"{OWN}-V090",
    "parent": CARE,
    "care_level": "home_care",
    "telephone": "0456-81 60 00",
}
UNIT_WRITES = {
    "change": {"name": "Nytt namn", "care_level": "home_care"},
    "move": {"parent": HOME_CARE},
    "end": {"successor": HOME_CARE},
    "reopen": {},
    "intake": {},
}


def what_happened(superuser: Engine, hsa_id: str) -> list[tuple[object, ...]]:
    """The unit's history since it was read in: what, by whom, before and after."""
    return rows(
        superuser,
        "select what, p.email, before, after from unit_changes c join units u on u.id = unit_id"
        " left join people p on p.id = c.person_id where hsa_id = :u and what <> 'added' order by c.id",
        u=hsa_id,
    )


def test_the_organisation_shows_its_own_units_and_no_others(blekinge: str, client_of: Browsers) -> None:
    page = client_of(ADMINISTRATOR).get("/directory/organisation")
    assert page.status_code == 200
    linked = set(re.findall(r'href="/directory/units/(SE[^"]+)"', page.text))
    assert len(linked) == 12
    assert {hsa_id.partition("-")[0] for hsa_id in linked} == {OWN}


@pytest.mark.parametrize("who", [ANNA, MATS, COORDINATOR])
def test_only_an_administrator_comes_in(blekinge: str, client_of: Browsers, who: str) -> None:
    client = client_of(who)
    reads = ("organisation", "people", "people/new", "units/new", f"units/{HOME}", "people/1", "import")
    assert {path: client.get(f"/directory/{path}").status_code for path in reads} == dict.fromkeys(reads, 403)
    writes = {f"/directory/units/{HOME}/{verb}": form for verb, form in UNIT_WRITES.items()}
    writes |= {"/directory/units": NEW, "/directory/people": {}, "/directory/import": {}}
    assert {path: client.post(path, data=form).status_code for path, form in writes.items()} == dict.fromkeys(
        writes, 403
    )


def test_another_organisations_unit_is_not_there(blekinge: str, client_of: Browsers) -> None:
    client = client_of(ADMINISTRATOR)
    foreign, missing = (client.get(f"/directory/units/{unit}") for unit in (FOREIGN, "SE2321000081-X999"))
    assert (foreign.status_code, missing.status_code) == (404, 404)
    same = [re.sub(r"[0-9a-f]{16}", "", answer.text) for answer in (foreign, missing)]  # but the request's id
    assert same[0] == same[1]
    for verb, form in UNIT_WRITES.items():
        assert client.post(f"/directory/units/{FOREIGN}/{verb}", data=form).status_code == 404, verb
    assert client.get(f"/directory/units/{HOME}/change").status_code == 405


def test_a_new_unit_can_be_sent_to_at_once_and_is_on_record(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client = client_of(ADMINISTRATOR)
    answer = client.post("/directory/units", data=NEW)
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/directory/units/{NEW['hsa_id']}?done=added",
    )
    page = client.get(answer.headers["Location"])
    assert "Enheten är tillagd." in page.text
    assert "0456-81 60 00" in page.text
    assert recorded(superuser) == ["directory.add_unit"]
    case = filed(BOB, sender_unit=FOREIGN, receiver_unit=NEW["hsa_id"])
    assert case.startswith("BLE-")
    assert "Nattpatrullen" in client_of(BOB).get("/directory?q=nattpatr").text


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"name": ""}, "Namn: fyll i det här fältet."),
        ({"hsa_id": "V090"}, "Skriv SE, tio siffror, bindestreck och stora bokstäver eller siffror."),
        ({"hsa_id": HOME}, "HSA-id finns redan i katalogen. Kontrollera det."),
        ({"hsa_id": FOREIGN}, "HSA-id finns redan i katalogen. Kontrollera det."),
        ({"parent": FOREIGN}, "Välj en enhet i samma verksamhet."),
        ({"care_level": "sick"}, "Välj ett av alternativen."),
        ({"telephone": "ring Eva"}, "Skriv numret med siffror, till exempel 0456-81 60 00."),
    ],
)
def test_a_faulty_unit_is_told_so_and_keeps_what_was_typed(
    blekinge: str, client_of: Browsers, superuser: Engine, changed: dict[str, str], sentence: str
) -> None:
    answer = client_of(ADMINISTRATOR).post("/directory/units", data={**NEW, **changed})
    assert (answer.status_code, told(answer)) == (422, [sentence])
    kept = changed.get("telephone", NEW["telephone"])
    assert f'value="{kept}"' in answer.text
    assert one(superuser, "select count(*) from units where hsa_id = :u", u=NEW["hsa_id"]) == 0


def test_a_changed_unit_remembers_what_it_was(blekinge: str, client_of: Browsers, superuser: Engine) -> None:
    client = client_of(ADMINISTRATOR)
    form = {"name": "Hemsjukvården Väst", "care_level": "home_nursing", "telephone": "0456-1 23 45"}
    assert client.post(f"/directory/units/{HOME}/change", data=form).status_code == 303
    assert client.post(f"/directory/units/{HOME}/change", data=form).status_code == 303  # changes nothing
    assert what_happened(superuser, HOME) == [
        (
            "changed",
            ADMINISTRATOR,
            {"name": "Hemsjukvården Sölvesborg", "telephone": None},
            {"name": "Hemsjukvården Väst", "telephone": "0456-1 23 45"},
        )
    ]
    assert recorded(superuser) == ["directory.changed_unit"]
    page = client.get(f"/directory/units/{HOME}").text
    assert "Namn: Hemsjukvården Sölvesborg → Hemsjukvården Väst" in page
    assert "Telefon: inget → 0456-1 23 45" in page


def test_a_moved_unit_brings_those_below_it_and_whoever_leads_there_reaches_them(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client = client_of(ADMINISTRATOR)
    client.post("/directory/units", data={**NEW, "parent": HOME})
    assert client.post(f"/directory/units/{HOME}/move", data={"parent": HOME_CARE}).status_code == 303
    ids = dict(rows(superuser, "select hsa_id, id from units"))
    paths = dict(rows(superuser, "select hsa_id, path from units"))
    assert paths[HOME] == [ids[CARE], ids[HOME_CARE], ids[HOME]]
    assert paths[NEW["hsa_id"]] == [ids[CARE], ids[HOME_CARE], ids[HOME], ids[NEW["hsa_id"]]]
    with db.unit_of_work(db.NOBODY) as session:
        alice = queries.person_by_email(session, ALICE)
        unit = queries.unit_by_hsa_id(session, HOME_CARE)
        assert alice is not None
        assert unit is not None
        [grant] = queries.grants(session, alice.id, "branch", unit.branch_id)
        assert grant.units == {ids[HOME_CARE], ids[HOME], ids[NEW["hsa_id"]]}
    assert what_happened(superuser, HOME) == [
        (
            "moved",
            ADMINISTRATOR,
            {"parent": "Vård och omsorg Sölvesborg"},
            {"parent": "Hemtjänsten Sölvesborg"},
        )
    ]


@pytest.mark.parametrize(
    ("unit", "parent", "expected"),
    [
        (HOME, HOME, (422, ["En enhet kan inte ligga under sig själv. Välj en annan."])),
        (
            HOME,
            f"{OWN}-I010",
            (422, ["Välj en enhet i samma verksamhet."]),
        ),  # another circle, same municipality
        (HOME, FOREIGN, (422, ["Välj en enhet i samma verksamhet."])),
        (CARE, HOME, (409, [])),
    ],
)
def test_a_unit_never_leaves_its_circle_nor_hangs_under_itself(
    blekinge: str, client_of: Browsers, superuser: Engine, unit: str, parent: str, expected: object
) -> None:
    before = rows(superuser, "select id, path, parent_id from units order by id")
    answer = client_of(ADMINISTRATOR).post(f"/directory/units/{unit}/move", data={"parent": parent})
    assert (answer.status_code, told(answer)) == expected
    assert rows(superuser, "select id, path, parent_id from units order by id") == before


def test_a_merged_unit_has_a_successor_its_people_follow_and_its_cases_are_owed(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client = client_of(ADMINISTRATOR)
    anna = client_of(ANNA)
    answer = client.post(
        f"/directory/units/{HOME}/end", data={"successor": HOME_CARE, "bring_people": "true"}
    )
    assert answer.status_code == 303
    ids = dict(rows(superuser, "select hsa_id, id from units"))
    assert rows(superuser, "select ended_on, successor_id from units where hsa_id = :u", u=HOME) == [
        (clock.today(), ids[HOME_CARE])
    ]
    assert rows(
        superuser,
        "select kind, subject_id, branch_id = (select id from branches where hsa_id = :b) from outbox"
        " where done_at is null",
        b=CARE,
    ) == [("deviations.follow_successor", ids[HOME], True)]
    assert rows(
        superuser,
        "select role, u.hsa_id, valid_to from assignments a join units u on u.id = a.unit_id"
        " join people p on p.id = a.person_id where email = :e order by u.hsa_id, role",
        e=ANNA,
    ) == [
        ("handler", HOME, clock.today() - timedelta(days=1)),
        ("reporter", HOME, clock.today() - timedelta(days=1)),
        ("handler", HOME_CARE, None),
        ("reporter", HOME_CARE, None),
    ]
    assert anna.get("/settings").status_code == 200  # the same place, without logging in again
    assert what_happened(superuser, HOME)[0][0] == "merged"
    assert recorded(superuser) == ["directory.merged_unit"]
    page = client.get(f"/directory/units/{HOME}").text
    assert "Tog över" in page
    assert "Ångra och öppna igen" in page


def test_an_ended_unit_takes_its_peoples_places_at_once_and_can_be_opened_the_same_day(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client, alice = client_of(ADMINISTRATOR), client_of(ALICE)
    assert alice.get("/").status_code == 200
    assert client.post(f"/directory/units/{HOME_CARE}/end", data={"successor": HOME}).status_code == 303
    assert alice.get("/").headers["Location"] == "/login"
    assert client.post(f"/directory/units/{HOME_CARE}/reopen").status_code == 303
    assert rows(superuser, "select ended_on, successor_id from units where hsa_id = :u", u=HOME_CARE) == [
        (None, None)
    ]
    assert [row[0] for row in what_happened(superuser, HOME_CARE)] == ["ended", "reopened"]
    client.post(f"/directory/units/{HOME_CARE}/end", data={"successor": HOME})
    with superuser.begin() as connection:
        connection.execute(
            text("update units set ended_on = ended_on - 1 where hsa_id = :u"), {"u": HOME_CARE}
        )
    assert client.post(f"/directory/units/{HOME_CARE}/reopen").status_code == 409


def test_a_unit_that_is_needed_cannot_be_ended(blekinge: str, client_of: Browsers) -> None:
    client = client_of(ADMINISTRATOR)
    client.post("/directory/units", data={**NEW, "parent": HOME})

    def end(unit: str, successor: str = HOME_CARE) -> int:
        return client.post(f"/directory/units/{unit}/end", data={"successor": successor}).status_code

    assert {
        "root": end(CARE),
        "way in": end(f"{OWN}-F000"),
        "parent": end(HOME),
        "itself": end(HOME_CARE, HOME_CARE),
        "other circle": end(HOME_CARE, f"{OWN}-I010"),
        "nobody": end(HOME_CARE, ""),
    } == {"root": 409, "way in": 409, "parent": 409, "itself": 422, "other circle": 422, "nobody": 422}
    assert (
        "Det finns enheter under den här. Flytta eller avsluta dem först."
        in client.get(f"/directory/units/{HOME}").text
    )
    assert end(str(NEW["hsa_id"])) == 303
    assert end(str(NEW["hsa_id"])) == 409


def test_a_branch_has_one_way_in_and_it_can_be_another(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client = client_of(ADMINISTRATOR)
    assert client.post(f"/directory/units/{HOME}/intake").status_code == 303
    query = "select u.hsa_id from units u join branches b on b.id = branch_id where b.hsa_id = :b and intake"
    assert rows(superuser, query, b=CARE) == [(HOME,)]
    assert rows(superuser, query, b=IFO) == [(f"{OWN}-I001",)]
    assert what_happened(superuser, HOME) == [("intake", ADMINISTRATOR, {"intake": False}, {"intake": True})]
    assert [row[0] for row in what_happened(superuser, f"{OWN}-F000")] == ["intake"]


def test_how_a_branch_works_is_for_its_safety_and_the_administrator(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    query = "select review_before_sending, approve_answers from branches where hsa_id = :b"
    page = f"/directory/branches/{CARE}"
    found = {}
    for who in (ADMINISTRATOR, MATS, ANNA, BOB, REGIONS_ADMINISTRATOR, COORDINATOR):
        client = client_of(who)
        read = client.get(page).status_code
        write = client.post(f"{page}/settle", data={"approve_answers": "true"}).status_code
        found[who] = (read, write, rows(superuser, query, b=CARE))
        with superuser.begin() as connection:
            connection.execute(text("update branches set approve_answers = false"))
    yes, no = [(False, True)], [(False, False)]
    assert found == {
        ADMINISTRATOR: (200, 303, yes),
        MATS: (200, 303, yes),
        ANNA: (403, 403, no),
        BOB: (404, 404, no),
        REGIONS_ADMINISTRATOR: (404, 404, no),
        COORDINATOR: (404, 404, no),
    }
    assert recorded(superuser) == ["directory.settle_branch"] * 2


@pytest.mark.parametrize(
    "statement",
    [
        "update units set branch_id = branch_id + 1",
        "update units set hsa_id = 'SE2120000852-X1'",
        "update assignments set role = 'safety'",
        "update assignments set person_id = 1",
        "update unit_changes set what = 'added'",
        "update substitutes set substitute_id = 1",
        "update one_time_links set person_id = 1",
        "update branches set organisation_id = 1",
        "update organisations set name = 'x'",
        "delete from units",
        "delete from people",
        "delete from assignments",
        "delete from unit_changes",
        "delete from substitutes",
    ],
)
def test_what_no_page_may_do_the_database_refuses(blekinge: str, statement: str) -> None:
    with db.unit_of_work(db.NOBODY) as session, pytest.raises(DBAPIError, match="permission denied"):
        session.execute(text(statement))
