"""Standing in for one another: the same roles in the same branch, the mail, and not a day longer."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock, db
from backend.directory import queries
from tests.directory.offices import CARE, FOREIGN, HOME, OWN, one, person_id, recorded, rows, told
from tests.people import ADMINISTRATOR, ALICE, ANNA, BERIT, BOB, IDA, MATS, filed

Browsers = Callable[..., TestClient]
CHIEF = "chef@solvesborg.example"
DAY = timedelta(days=1)


def form(superuser: Engine, substitute: str, *, person: str | None = None, days: int = 2) -> dict[str, str]:
    today = clock.today()
    named = {"person": str(person_id(superuser, person))} if person else {}
    return named | {
        "substitute": str(person_id(superuser, substitute)),
        "valid_from": today.isoformat(),
        "valid_to": (today + days * DAY).isoformat(),
    }


def written_to(hsa_id: str) -> list[str]:
    with db.unit_of_work(db.NOBODY) as session:
        unit = queries.unit_by_hsa_id(session, hsa_id)
        assert unit is not None
        return [one.email for one in queries.recipients(session, unit.id)]


def test_the_substitute_sees_and_is_written_to_while_it_lasts_and_not_after(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    number = filed(BOB, sender_unit=FOREIGN, receiver_unit=HOME)
    anna, alice = client_of(ANNA), client_of(ALICE)
    assert alice.get(f"/deviations/{number}").status_code == 404
    answer = anna.post("/settings/substitutes", data=form(superuser, ALICE))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings?done=substitute")
    # At once, in the session she has; and Anna keeps her own.
    assert alice.get(f"/deviations/{number}").status_code == 200
    assert alice.post(f"/deviations/{number}/acknowledge").status_code == 303
    assert anna.get(f"/deviations/{number}").status_code == 200
    assert written_to(HOME) == [ALICE]
    assert "ersätter Sjuksköterska, Hemsjukvården Sölvesborg" in alice.get("/settings").text
    later = clock.now() + 3 * DAY
    with clock.at(later):
        assert client_of(ALICE).get(f"/deviations/{number}").status_code == 404
        assert written_to(HOME) == [ANNA]
    assert recorded(superuser) == ["directory.name_substitute"]


def test_an_end_bites_at_once_and_the_substitute_may_say_it_too(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    number = filed(BOB, sender_unit=FOREIGN, receiver_unit=HOME)
    found = []
    for who in (ANNA, ALICE, CHIEF):
        client_of(ANNA).post("/settings/substitutes", data=form(superuser, ALICE))
        alice = client_of(ALICE)
        before = alice.get(f"/deviations/{number}").status_code
        last = one(superuser, "select max(id) from substitutes")
        ended = client_of(who).post(f"/settings/substitutes/{last}/end").status_code
        found.append((before, ended, alice.get(f"/deviations/{number}").status_code, written_to(HOME)))
    assert found == [(200, 303, 404, [ANNA])] * 3


def test_who_leaves_the_branch_stands_in_for_nobody_there(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    number = filed(BOB, sender_unit=FOREIGN, receiver_unit=HOME)
    client_of(ANNA).post("/settings/substitutes", data=form(superuser, ALICE))
    alice = client_of(ALICE)
    assert alice.get(f"/deviations/{number}").status_code == 200
    with superuser.begin() as connection:
        connection.execute(
            text(
                "update assignments set valid_to = (now() at time zone 'Europe/Stockholm')::date - 1"
                " where person_id = (select id from people where email = :e)"
            ),
            {"e": ALICE},
        )
    assert alice.get(f"/deviations/{number}").status_code == 303
    assert written_to(HOME) == [ANNA]


def test_nobody_stands_in_for_one_who_has_left_and_not_in_another_branch(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client_of(ANNA).post("/settings/substitutes", data=form(superuser, ALICE))
    alice = person_id(superuser, ALICE)
    with db.unit_of_work(db.NOBODY) as session:
        unit = queries.unit_by_hsa_id(session, HOME)
        other = queries.unit_by_hsa_id(session, f"{OWN}-I010")
        assert unit is not None
        assert other is not None
        branch = unit.branch_id
        assert len(queries.grants(session, alice, "branch", branch)) == 3
        assert queries.grants(session, alice, "branch", other.branch_id) == ()
        assert [place.code for place in queries.places(session, alice)] == [CARE]
    with superuser.begin() as connection:
        connection.execute(
            text(
                "update people set ended_on = (now() at time zone 'Europe/Stockholm')::date where email = :e"
            ),
            {"e": ANNA},
        )
    with db.unit_of_work(db.NOBODY) as session:
        assert len(queries.grants(session, alice, "branch", branch)) == 1


def test_a_substitute_does_not_pass_on_what_they_stand_in_for(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client_of(ANNA).post("/settings/substitutes", data=form(superuser, ALICE))
    client_of(ALICE).post("/settings/substitutes", data=form(superuser, "registrator@solvesborg.example"))
    registrar = person_id(superuser, "registrator@solvesborg.example")
    with db.unit_of_work(db.NOBODY) as session:
        unit = queries.unit_by_hsa_id(session, HOME)
        assert unit is not None
        roles = [grant.role.value for grant in queries.grants(session, registrar, "branch", unit.branch_id)]
        assert roles == ["registrar", "reporter"]


@pytest.mark.parametrize(
    ("who", "person", "expected"),
    [
        (ANNA, ALICE, 404),  # a colleague is no manager
        (ALICE, ALICE, 303),
        (CHIEF, ALICE, 303),  # leads her unit
        (CHIEF, MATS, 303),  # whose unit lies below his
        (CHIEF, "registrator@solvesborg.example", 404),  # works at no unit of his
        (MATS, "registrator@solvesborg.example", 303),  # safety, of the whole branch
        (MATS, IDA, 404),  # another branch of the same municipality
        (BERIT, ANNA, 404),
        (BERIT, BOB, 422),  # may, but the substitute is of another branch
        (ADMINISTRATOR, ANNA, 404),  # has no branch: the person's own page is theirs
    ],
)
def test_who_may_name_a_substitute_for_whom(
    blekinge: str, client_of: Browsers, superuser: Engine, who: str, person: str, expected: int
) -> None:
    data = form(superuser, ANNA if person != ANNA else ALICE, person=person)
    assert client_of(who).post("/settings/substitutes", data=data).status_code == expected
    assert one(superuser, "select count(*) from substitutes") == (1 if expected == 303 else 0)


def test_the_administrator_names_one_on_the_persons_page_but_not_themselves(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client, anna = client_of(ADMINISTRATOR), person_id(superuser, ANNA)
    url = f"/directory/people/{anna}/substitutes"
    assert client.post(url, data={**form(superuser, ALICE), "branch": f"{OWN}-I000"}).status_code == 404
    assert client.post(url, data={**form(superuser, ALICE), "branch": "SE2321000081-B000"}).status_code == 404
    assert client.post(url, data={**form(superuser, ADMINISTRATOR), "branch": CARE}).status_code == 422
    assert client.post(url, data={**form(superuser, ALICE), "branch": CARE}).status_code == 303
    page = client.get(f"/directory/people/{anna}").text
    assert "Undersköterska, Hemtjänsten Sölvesborg ersätter i Vård och omsorg Sölvesborg" in page
    last = one(superuser, "select max(id) from substitutes")
    assert client_of("admin@region.example").post(f"/directory/substitutes/{last}/end").status_code == 404
    assert client.post(f"/directory/substitutes/{last}/end").status_code == 303
    assert "ersätter i" not in client.get(f"/directory/people/{anna}").text


def test_a_faulty_absence_is_told_so(blekinge: str, client_of: Browsers, superuser: Engine) -> None:
    client, good = client_of(ANNA), form(superuser, ALICE)
    today = clock.today()

    def sent(**changed: str) -> list[str]:
        answer = client.post("/settings/substitutes", data={**good, **changed})
        assert answer.status_code == 422
        return told(answer)

    assert sent(substitute="") == ["Ersättare: fyll i det här fältet."]
    assert sent(substitute=str(person_id(superuser, ANNA))) == ["Välj någon annan än den som är borta."]
    assert sent(substitute=str(person_id(superuser, BOB))) == ["Välj en kollega i samma verksamhet."]
    assert sent(valid_to=(today - DAY).isoformat()) == ["Sista dagen ligger före den första. Ändra den ena."]
    past = {"valid_from": (today - 5 * DAY).isoformat(), "valid_to": (today - DAY).isoformat()}
    assert sent(**past) == ["Dagen har varit. Välj en dag framåt."]
    assert client.post("/settings/substitutes", data=good).status_code == 303
    assert sent() == ["Det finns redan en ersättare de dagarna. Avsluta den först."]
    assert rows(superuser, "select valid_to - valid_from from substitutes") == [(2,)]
