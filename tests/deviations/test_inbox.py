"""The inbox by what one is to do: groups, how many lie in each, what is late, and who handles it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from backend.core import clock, db
from backend.deviations import actions, queries
from backend.deviations.forms import AssignForm, DeclineForm, QuestionForm, WithdrawForm
from backend.deviations.models import Reason
from tests.deviations.verbs import HOME_CARE_MANAGER, disputed
from tests.isolation.conftest import do
from tests.people import ANNA, ANNAS_UNIT, ANSWER, BERIT, BOB, BOBS_UNIT, CHARLIE, IDA, MATS, acting, filed

pytestmark = pytest.mark.usefixtures("blekinge")

Of = Callable[..., TestClient]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def lie(email: str) -> dict[str, list[str]]:
    """What lies in each group of a person's inbox, and what the tabs say lies there."""
    with acting(email) as (session, me):
        found = {
            group: [row.case_number for row in queries.inbox(session, me, group=group)]
            for group in queries.GROUPS
        }
        counts = queries.inbox_counts(session, me)
    assert counts == {group: len(numbers) for group, numbers in found.items()}
    return {group: numbers for group, numbers in found.items() if numbers}


def test_each_case_lies_where_each_side_looks_for_what_to_do() -> None:
    with clock.at(NOW):
        sent, acknowledged, asked, answered, declined = (filed(ANNA) for _ in range(5))
        do(BOB, actions.acknowledge, acknowledged)
        do(BOB, actions.question, asked, QuestionForm(text="Vilken dag?"))
        do(BOB, actions.answer, answered, ANSWER)
        do(BOB, actions.decline, declined, DeclineForm(reason=Reason.NOT_INVOLVED, comment="Inte vi."))
        back = filed(BOB, sender_unit=BOBS_UNIT, receiver_unit=ANNAS_UNIT)
        assert lie(ANNA) == {
            "acknowledge": [back],
            "question": [asked],
            "read": [answered],
            "onward": [declined],
            "theirs": [sent, acknowledged],
        }
        # By day: the question and the receipt have five working days, the verdict twenty.
        assert lie(BOB) == {
            "acknowledge": [sent],
            "answer": [acknowledged],
            "theirs": [asked, back, answered],
        }
        assert lie(IDA) == lie(CHARLIE) == {}


def test_what_the_two_are_to_settle_lies_with_the_managers_of_both() -> None:
    with clock.at(NOW):
        number = disputed()
        assert {who: lie(who) for who in (HOME_CARE_MANAGER, BERIT, ANNA, BOB)} == {
            HOME_CARE_MANAGER: {"settle": [number]},
            BERIT: {"settle": [number]},
            ANNA: {},
            BOB: {},
        }


def test_a_thanked_good_example_and_a_closed_case_wait_for_nobody() -> None:
    with clock.at(NOW):
        good, closed = filed(ANNA, event_kind="good_example"), filed(ANNA)
        assert lie(ANNA) == {"theirs": [good, closed]}
        do(BOB, actions.acknowledge, good)
        with acting(ANNA) as (session, me):
            actions.withdraw(
                session, me, queries.deviation(session, me, closed), WithdrawForm(comment="Fel.")
            )
        assert lie(ANNA) == lie(BOB) == {}


def tabs(page: str) -> list[str]:
    row = re.search(r'<nav class="tabs" aria-label="Inkorgens delar">(.*?)</nav>', page, re.DOTALL)
    assert row is not None
    return [
        re.sub(r"<[^>]*>|\s+", " ", one).strip() for one in re.findall(r"<li>(.*?)</li>", row[1], re.DOTALL)
    ]


def test_the_page_shows_the_groups_with_their_numbers_and_one_of_them_at_a_time(client_of: Of) -> None:
    with clock.at(NOW):
        sent, acknowledged = filed(ANNA), filed(ANNA)
        do(BOB, actions.acknowledge, acknowledged)
        bob = client_of(BOB)
        whole = bob.get("/inbox").text
        assert [" ".join(tab.split()) for tab in tabs(whole)] == [
            "Allt som väntar på er 2",
            "Att kvittera 1",
            "Att besvara 1",
            "Svar att läsa",
            "Väntar på dem",
        ]
        one = bob.get("/inbox?group=answer").text
        assert (acknowledged in one, sent in one) == (True, False)
        assert "Inga svar att läsa just nu." in bob.get("/inbox?group=read").text
        assert "Ni väntar inte på någon just nu." in bob.get("/inbox?group=theirs").text
        # A group there is none of is the whole inbox, not a fault.
        assert sent in bob.get("/inbox?group=nonsense").text
        theirs = client_of(ANNA).get("/inbox?group=theirs").text
        assert (sent in theirs, acknowledged in theirs) == (True, True)
        assert "Här har den andra parten ordet." in theirs
        assert "Allt är omhändertaget." in client_of(ANNA).get("/inbox").text


def test_what_is_late_comes_first_and_is_said_in_words(client_of: Of) -> None:
    with clock.at(NOW):
        late = filed(ANNA)
    with clock.at(datetime(2026, 3, 11, 9, 0, tzinfo=UTC)):
        young = filed(ANNA)
        page = client_of(BOB).get("/inbox").text
        assert page.index(late) < page.index(young)
        assert "Två ärenden väntar på er: två att kvittera. Ett är försenat." in page
        assert "2 dagar försenat" in page
        # In a group the tab has said the number already.
        assert '<p class="lead">Ett är försenat.</p>' in client_of(BOB).get("/inbox?group=acknowledge").text


def test_what_waits_is_counted_with_its_own_article(client_of: Of) -> None:
    with clock.at(NOW):
        number = filed(ANNA)
        filed(BOB, sender_unit=BOBS_UNIT, receiver_unit=ANNAS_UNIT)
        do(BOB, actions.question, number, QuestionForm(text="Vilken dag?"))
        said = "Två ärenden väntar på er: ett att kvittera och en fråga att svara på."
        assert said in client_of(ANNA).get("/inbox").text


def test_each_row_says_who_handles_it_on_ones_own_side_only(client_of: Of) -> None:
    with clock.at(NOW):
        mine, theirs, nobodys = filed(ANNA), filed(ANNA), filed(ANNA)
        with acting(BERIT) as (_session, berit):
            other = berit.person_id
        with acting(BOB) as (session, me):
            actions.assign(session, me, queries.deviation(session, me, mine), AssignForm(person=me.person_id))
        with acting(BERIT) as (session, me):
            actions.assign(session, me, queries.deviation(session, me, theirs), AssignForm(person=other))
        page = client_of(BOB).get("/inbox").text
        handled = dict(
            zip(
                re.findall(r'value="(BLE-2026-\w{6})"', page),
                re.findall(r'class="case-handler">([^<]*)<', page),
                strict=True,
            )
        )
        assert handled == {
            mine: "Du handlägger",
            theirs: "Handläggs av Verksamhetschef, Medicinkliniken",
            nobodys: "Ingen handläggare än",
        }
        sender = client_of(ANNA).get("/inbox?group=theirs").text
        assert [
            word for word in ("Handläggs", "Ingen handläggare", "Verksamhetschef") if word in sender
        ] == []


@pytest.mark.parametrize("email", [BOB, MATS])
@pytest.mark.parametrize("address", ["/inbox", "/inbox?group=theirs", "/inbox?group=acknowledge"])
def test_a_longer_list_asks_the_database_no_more_often(client_of: Of, email: str, address: str) -> None:
    def asked() -> int:
        statements = []
        with clock.at(NOW):
            note = lambda *_args: statements.append(1)  # noqa: E731
            event.listen(db.engine(), "before_cursor_execute", note)
            assert client_of(email).get(address).status_code == 200
            event.remove(db.engine(), "before_cursor_execute", note)
        return len(statements)

    with clock.at(NOW):
        filed(ANNA)
        filed(BOB, sender_unit=BOBS_UNIT, receiver_unit=ANNAS_UNIT)
    few = asked()
    with clock.at(NOW):
        for _ in range(12):
            filed(ANNA)
            filed(BOB, sender_unit=BOBS_UNIT, receiver_unit=ANNAS_UNIT)
    assert asked() == few
