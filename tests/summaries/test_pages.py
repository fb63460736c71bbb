"""The months of the county: for everyone signed in there, from the snapshot and never live."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from tests.people import ADMINISTRATOR, ALICE, BOB, COORDINATOR, IDA, MATS
from tests.summaries.test_actions import make_missing

ClientOf = Callable[..., TestClient]
NOVEMBER = "/summaries/BLE/2024-11"
MADE = datetime(2024, 12, 2, 8, tzinfo=UTC)


def words_of(html: str) -> str:
    main = html[html.index("<main") : html.index("</main>")]
    return " ".join(re.sub(r"<[^>]+>", " ", main).replace("\u00a0", " ").split())


def freeze() -> None:
    with clock.at(MADE):
        make_missing()


def test_the_month_opens_with_one_sentence_and_shows_both_directions(
    history: str, client_of: ClientOf
) -> None:
    freeze()
    answer = client_of(MATS).get(NOVEMBER)
    assert answer.status_code == 200
    page = words_of(answer.text)
    for words in (
        "Under november 2024 skickade parterna i Blekinge 43 ärenden till varandra, och 21 ärenden fick svar; av det "
        "senaste årets ärenden med utgången svarsfrist är 161 av 313 (51 %, 46–57 %) besvarade.",
        "Räknat till och med 30 november 2024. Utgåva 1, gjord 2 december 2024 kl. 09.00.",
        "Ärenden Från Sölvesborgs kommun Från Region Blekinge Skickade 8 0 varav importerade från ett äldre system "
        "8 0 Kvitterade av mottagaren 5 0 Besvarade av mottagaren 6 0 varav i tid 4 0 Utan svar efter svarsfristen, "
        "vid månadens slut 63 1 Besvarade det senaste året, av dem med utgången svarsfrist 15 av 47 (32 %, 20–46 %) "
        "1 av 2 (9–91 %)",
    ):
        assert page.count(words) == 1, words
    assert page.count("En ny utgåva") == 0


def test_what_happens_later_does_not_change_the_month(
    history: str, client_of: ClientOf, superuser: Engine
) -> None:
    freeze()
    before = words_of(client_of(MATS).get(NOVEMBER).text)
    with superuser.begin() as connection:
        connection.execute(text("update deviations set answered_at = sent_at"))
    assert words_of(client_of(MATS).get(NOVEMBER).text) == before
    freeze()
    after = words_of(client_of(MATS).get(NOVEMBER).text)
    assert (after.count("Utgåva 2,"), after.count("En ny utgåva")) == (1, 1)


@pytest.mark.parametrize("email", [ALICE, BOB, IDA, COORDINATOR, ADMINISTRATOR])
def test_everyone_signed_in_may_read_it(history: str, client_of: ClientOf, email: str) -> None:
    freeze()
    client = client_of(email)
    assert (client.get("/summaries").status_code, client.get(NOVEMBER).status_code) == (200, 200)


def test_months_are_listed_newest_first(history: str, client_of: ClientOf) -> None:
    freeze()
    page = client_of(ALICE).get("/summaries").text
    months = re.findall(r'href="/summaries/BLE/(\d{4}-\d{2})"', page)
    assert (months[0], months[-1], len(months)) == ("2024-11", "2023-01", 23)
    assert months == sorted(months, reverse=True)


def test_before_the_first_month_the_list_says_when_it_comes(blekinge: str, client_of: ClientOf) -> None:
    answer = client_of(ALICE).get("/summaries")
    assert (answer.status_code, words_of(answer.text).count("Ingen månad är klar än.")) == (200, 1)


@pytest.mark.parametrize(
    "path",
    ["BLE/2024-12", "BLE/2022-12", "BLE/2024-13", "BLE/2024-1", "BLE/november", "SKA/2024-11", "XXX/2024-11"],
)
def test_a_month_without_a_snapshot_and_another_county_do_not_exist(
    history: str, client_of: ClientOf, superuser: Engine, path: str
) -> None:
    freeze()
    with superuser.begin() as connection:
        connection.execute(
            text(
                "with c as (insert into counties (code, name) values ('SKA', 'Skåne') returning id)"
                " insert into snapshots (county_id, month, issue, cut_off, made_at, reason, figures)"
                " select c.id, month, issue, cut_off, made_at, reason, figures from c, snapshots"
            )
        )
    assert client_of(MATS).get(f"/summaries/{path}").status_code == 404
    assert client_of(MATS).get("/summaries/ble/2024-11").status_code == 200


def test_the_list_holds_only_the_own_county(history: str, client_of: ClientOf, superuser: Engine) -> None:
    freeze()
    with superuser.begin() as connection:
        connection.execute(
            text(
                "with c as (insert into counties (code, name) values ('SKA', 'Skåne') returning id)"
                " insert into snapshots (county_id, month, issue, cut_off, made_at, reason, figures)"
                " select c.id, '2030-01-01', 1, cut_off, made_at, reason, figures from c, snapshots limit 1"
            )
        )
    assert client_of(MATS).get("/summaries").text.count("2030-01") == 0


def test_who_is_not_logged_in_is_asked_to(blekinge: str, anonymous: TestClient) -> None:
    assert [anonymous.get(path).status_code for path in ("/summaries", NOVEMBER)] == [303, 303]


def test_months_are_only_read(blekinge: str, client_of: ClientOf) -> None:
    assert client_of(MATS).post(NOVEMBER).status_code == 405
