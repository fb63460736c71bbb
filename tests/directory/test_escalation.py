"""Whom an organisation wants told last: kept by its administrator, in order, and undone with one press."""

import re
from collections.abc import Callable
from html import unescape

from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock, db
from backend.directory import queries
from tests.directory.offices import CARE, REGIONS_ADMINISTRATOR, one, person_id, recorded, told
from tests.people import ADMINISTRATOR, ANNA, BOB, IDA, MATS

Browsers = Callable[..., TestClient]
URL = "/directory/organisation/escalation"


def add(client: TestClient, superuser: Engine, *emails: str) -> None:
    for email in emails:
        answer = client.post(URL, data={"person": str(person_id(superuser, email))})
        assert answer.headers["Location"] == f"{URL}?done=added"


def listed(superuser: Engine, branch: str = CARE) -> list[str]:
    branch_id = one(superuser, "select id from branches where hsa_id = :h", h=branch)
    with db.unit_of_work(db.NOBODY) as session:
        return [person.email for person in queries.escalation_contacts(session, branch_id)]  # type: ignore[arg-type]


def test_people_are_added_moved_up_removed_and_put_back(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client = client_of(ADMINISTRATOR)
    assert "Ingen står på listan." in client.get(URL).text
    add(client, superuser, ANNA, MATS, IDA)
    assert listed(superuser) == [ANNA, MATS, IDA]
    assert listed(superuser, "SE2120000852-I000") == [ANNA, MATS, IDA]  # the whole organisation's
    assert listed(superuser, "SE2321000081-B000") == []
    ids = {email: person_id(superuser, email) for email in (ANNA, MATS, IDA)}
    assert client.post(f"{URL}/{ids[IDA]}/up").headers["Location"] == f"{URL}?done=moved"
    assert listed(superuser) == [ANNA, IDA, MATS]
    assert client.post(f"{URL}/{ids[ANNA]}/up").status_code == 303  # first already
    assert listed(superuser) == [ANNA, IDA, MATS]
    answer = client.post(f"{URL}/{ids[IDA]}/remove")
    assert listed(superuser) == [ANNA, MATS]
    page = client.get(answer.headers["Location"]).text
    assert "Socialsekreterare, Barn och familj Sölvesborg är borttagen från listan." in unescape(page)
    undo = dict(re.findall(r'<input type="hidden" name="(person|position)" value="([^"]*)">', page))
    assert client.post(URL, data=undo).headers["Location"] == f"{URL}?done=restored"
    assert listed(superuser) == [ANNA, IDA, MATS]
    assert recorded(superuser) == [
        *["directory.add_contact"] * 3,
        *["directory.move_contact"] * 2,
        "directory.remove_contact",
        "directory.add_contact",
    ]


def test_who_has_ended_is_passed_over_and_shown_so(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client = client_of(ADMINISTRATOR)
    add(client, superuser, ANNA, MATS)
    with superuser.begin() as connection:
        connection.execute(
            text("update people set ended_on = :today where email = :e"), {"today": clock.today(), "e": ANNA}
        )
    assert listed(superuser) == [MATS]
    assert client.get(URL).text.count("Avslutad, hoppas över") == 1


def test_only_ones_own_people_once_and_only_by_ones_own_administrator(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client = client_of(ADMINISTRATOR)
    add(client, superuser, ANNA)

    def sent(person: str) -> list[str]:
        answer = client.post(URL, data={"person": person})
        assert answer.status_code == 422
        return told(answer)

    assert sent(str(person_id(superuser, ANNA))) == ["Personen står redan på listan."]
    assert sent(str(person_id(superuser, BOB))) == ["Välj någon som arbetar hos er."]
    assert sent("999999") == ["Välj någon som arbetar hos er."]
    assert sent("") == ["Person: fyll i det här fältet."]
    anna = person_id(superuser, ANNA)
    other = client_of(REGIONS_ADMINISTRATOR)
    assert [other.post(f"{URL}/{anna}/{verb}").status_code for verb in ("up", "remove")] == [404, 404]
    assert client_of(MATS).get(URL).status_code == 403
    assert listed(superuser) == [ANNA]


def test_an_empty_list_is_warned_for_where_it_can_be_mended(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    warning = "Ingen får veta sist av alla"
    pages = {
        who: client_of(who).get("/directory/health").text
        for who in (ADMINISTRATOR, MATS, "chef@solvesborg.example")
    }
    assert {who: warning in page for who, page in pages.items()} == {
        ADMINISTRATOR: True,
        MATS: True,
        "chef@solvesborg.example": False,
    }
    add(client_of(ADMINISTRATOR), superuser, MATS)
    assert warning not in client_of(MATS).get("/directory/health").text
