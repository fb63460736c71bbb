"""What a person chooses about their letters: one page, for each of them alone."""

import re
from collections.abc import Callable
from datetime import time

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.notifications.forms import quarters
from tests.deviations.test_pages import errors
from tests.people import ANNA, BOB, COORDINATOR, MATS

pytestmark = pytest.mark.usefixtures("shared_blekinge")

Of = Callable[..., TestClient]
PAGE = "/settings/notifications"


def chosen(page: str) -> tuple[list[str], list[str]]:
    return (
        re.findall(r'<option value="(\d\d:\d\d)" selected', page),
        re.findall(r'name="arrivals"[^>]*value="(\w+)"[^>]*checked', page),
    )


def test_the_hours_are_each_quarter_from_seven_to_five() -> None:
    assert (len(quarters()), quarters()[0], quarters()[5], quarters()[-1]) == (
        41,
        time(7),
        time(8, 15),
        time(17),
    )


def test_without_a_choice_the_letter_comes_at_a_quarter_past_eight_and_news_at_once(client_of: Of) -> None:
    page = client_of(ANNA).get(PAGE).text
    assert chosen(page) == (["08:15"], ["at_once"])
    assert "Inget skickas på natten, på lördagar, söndagar eller helgdagar." in page
    assert f'href="{PAGE}"' in client_of(ANNA).get("/settings").text


def test_a_choice_is_kept_confirmed_and_ones_own(client_of: Of, superuser: Engine) -> None:
    bob = client_of(BOB)
    for at, arrivals in (("16:45", "digest"), ("07:00", "at_once")):
        saved = bob.post(PAGE, data={"digest_at": at, "arrivals": arrivals})
        assert (saved.status_code, saved.headers["location"]) == (303, f"{PAGE}?done=saved")
        page = bob.get(saved.headers["location"]).text
        assert "Sparat. Det gäller allt som kommer från och med nu." in page
        assert chosen(page) == ([at], [arrivals])
    assert chosen(client_of(MATS).get(PAGE).text) == (["08:15"], ["at_once"])
    with superuser.connect() as connection:
        rows = connection.execute(
            text(
                "select p.email, digest_at, arrivals from notification_choices join people p on p.id = person_id"
            )
        ).all()
        assert [tuple(row) for row in rows] == [(BOB, time(7), "at_once")]
        logged = connection.scalars(
            text("select details from audit_log where action = 'notifications.choose' order by id")
        ).all()
        assert logged == [{"at": "16:45", "arrivals": "digest"}, {"at": "07:00", "arrivals": "at_once"}]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"digest_at": "06:45", "arrivals": "digest"}, "Välj en tid mellan 07.00 och 17.00, på en kvart."),
        ({"digest_at": "17:15", "arrivals": "digest"}, "Välj en tid mellan 07.00 och 17.00, på en kvart."),
        ({"digest_at": "08:10", "arrivals": "digest"}, "Välj en tid mellan 07.00 och 17.00, på en kvart."),
        ({"digest_at": "snart", "arrivals": "digest"}, "Välj en tid."),
        ({"digest_at": "08:15", "arrivals": "never"}, "Välj ett av alternativen."),
        ({"digest_at": "08:15"}, "Fyll i det här fältet."),
    ],
)
def test_what_cannot_be_chosen_is_said_at_its_field(
    client_of: Of, typed: dict[str, str], sentence: str
) -> None:
    refused = client_of(ANNA).post(PAGE, data=typed)
    assert (refused.status_code, errors(refused.text)) == (422, [sentence])
    assert chosen(client_of(ANNA).get(PAGE).text) == (["08:15"], ["at_once"])


def test_the_page_opens_to_whoever_has_letters_also_outside_a_branch(
    client_of: Of, anonymous: TestClient
) -> None:
    page = client_of(COORDINATOR).get(PAGE)
    assert page.status_code == 200
    assert [words for words in ("Kalender", "Ärenden utan påminnelser") if words in page.text] == []
    assert anonymous.get(PAGE).headers["location"].startswith("/login")


def test_only_who_follows_secrecy_is_told_of_the_one_exception(client_of: Of) -> None:
    words = "när en uppgift har maskerats får du veta det genast"
    assert words in client_of(MATS).get(PAGE).text
    assert words not in client_of(BOB).get(PAGE).text
