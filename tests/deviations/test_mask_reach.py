"""A mask reaches whoever had been given the slip, also where the case has left: they are told, and their safety sees
what it was, who of their own has read it, and nothing of what they were not given.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from backend.deviations import actions, queries
from backend.deviations.actions.mask import texts_of
from backend.deviations.forms import (
    CommentForm,
    ConfirmRedirectForm,
    FlagForm,
    MaskForm,
    NoteForm,
    QuestionForm,
    ReferenceForm,
    ResendForm,
    TakeOverForm,
)
from tests.deviations.test_mask import everything_stored
from tests.deviations.test_reviews import CHEF, handed_over
from tests.deviations.verbs import (
    DECLINE,
    KARLSKRONA,
    MONDAY,
    PATIENT_SAFETY,
    REGION_REGISTRAR,
    TO_KARLSKRONA,
    act,
    owed,
)
from tests.people import ANNA, BERIT, BOB, CHARLIE, IDA, MATS, acting, filed
from workers import notifications

Of = Callable[..., TestClient]
STORY = "Greta Svensson kom hem utan lista."
SAFETY_C = "mas@karlskrona.example"
REGION, CARE, THIRD = "SE2321000081-B000", "SE2120000852-V000", "SE2120000829-V000"


@pytest.fixture(autouse=True)
def _november(blekinge: str) -> Iterator[None]:
    with clock.at(MONDAY):
        yield


def hours_later(hours: int) -> clock.at:
    return clock.at(MONDAY + timedelta(hours=hours))


def mask(number: str, by: str, said: str = STORY, slip: str = "Greta Svensson") -> None:
    """As whoever reads the words in some text of the case."""
    with acting(by) as (db, me):
        case = queries.deviation(db, me, number)
        field, found = next((field, found) for field, found in texts_of(db, case) if found == said)
        start = found.index(slip)
        actions.mask(db, me, case, MaskForm(field=field, start=start, end=start + len(slip)))


def redirected(**changed: str) -> str:
    number = filed(ANNA, description=STORY, **changed)
    act("redirect", number, BOB, TO_KARLSKRONA)
    act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))
    return number


def declined() -> str:
    number = filed(ANNA, description=STORY)
    act("decline", number, BOB, DECLINE)
    return number


def resent() -> str:
    number = declined()
    act("resend", number, ANNA, ResendForm(unit=KARLSKRONA, comment="Hör till er."))
    return number


def withdrawn() -> str:
    number = filed(ANNA, description=STORY)
    act("withdraw", number, ANNA, CommentForm(comment="Fel mottagare."))
    return number


def told(superuser: Engine) -> set[str]:
    with superuser.connect() as connection:
        named = dict(connection.execute(text("select id, hsa_id from branches")).all())
    return {named[job.branch_id] for job in owed("masked")}


def behind(number: str, by: str) -> list[str | None]:
    with acting(by) as (db, me):
        return [one.original for one in queries.masks(db, me, queries.masked_case(db, me, number))]


@pytest.mark.parametrize(
    ("make", "masker", "hears"),
    [
        (redirected, MATS, {REGION, CARE, THIRD}),
        (redirected, SAFETY_C, {REGION, CARE, THIRD}),
        (resent, ANNA, {REGION, CARE, THIRD}),
        (declined, MATS, {REGION, CARE}),
        (withdrawn, MATS, {REGION, CARE}),
    ],
)
def test_a_branch_that_the_case_has_left_is_told_and_reads_what_it_was(
    make: Callable[[], str], masker: str, hears: set[str], superuser: Engine, client_of: Of
) -> None:
    number = make()
    mask(number, masker)
    assert told(superuser) == hears
    assert behind(number, PATIENT_SAFETY) == [STORY]
    page = client_of(PATIENT_SAFETY).get(f"/deviations/{number}/masked")
    assert (page.status_code, "Greta Svensson" in page.text, "inom 72 timmar" in page.text) == (
        200,
        True,
        True,
    )
    for who in (BOB, BERIT, REGION_REGISTRAR, IDA, "mas@olofstrom.example"):
        assert client_of(who).get(f"/deviations/{number}/masked").status_code == 404


def test_the_letter_to_a_branch_that_the_case_has_left_leads_to_what_was_masked(superuser: Engine) -> None:
    number = redirected()
    mask(number, MATS)
    notifications.due("masked")
    notifications.letter()
    with superuser.connect() as connection:
        mails = connection.execute(text('select "to", subject, body from caught_mails')).all()
    sent = {to[0]: (subject, body) for to, subject, body in mails}
    assert {PATIENT_SAFETY, MATS, SAFETY_C} <= set(sent)
    subject, body = sent[PATIENT_SAFETY]
    assert subject == "En uppgift har maskerats i ett ärende vid Medicin avdelning 43 Karlskrona"
    assert f"/deviations/{number}/masked" in body
    assert "Greta" not in subject + body


def test_what_was_masked_while_the_branch_held_it_does_not_close_when_a_handler_declines(
    client_of: Of,
) -> None:
    number = filed(ANNA, description=STORY)
    mask(number, MATS)
    assert behind(number, PATIENT_SAFETY) == [STORY]
    act("decline", number, BOB, DECLINE)
    assert behind(number, PATIENT_SAFETY) == [STORY]
    assert client_of(PATIENT_SAFETY).get(f"/deviations/{number}/masked").status_code == 200


def test_a_former_branch_reads_nothing_of_later_legs_or_of_others_notes_nor_is_told_of_it(
    superuser: Engine,
) -> None:
    number = redirected()
    act("note", number, ANNA, NoteForm(text="Sten Berg ringde."))
    act("question", number, CHARLIE, QuestionForm(text="Är Sten Berg med?"))
    mask(number, SAFETY_C, "Är Sten Berg med?", "Sten Berg")
    assert told(superuser) == {CARE, THIRD}
    assert behind(number, PATIENT_SAFETY) == []
    assert behind(number, SAFETY_C) == ["Är Sten Berg med?"]
    assert sorted(filter(None, behind(number, MATS))) == ["Sten Berg ringde.", "Är Sten Berg med?"]


def test_the_next_receiver_is_not_told_of_what_stands_on_earlier_legs(superuser: Engine) -> None:
    number = filed(ANNA)
    act("question", number, BOB, QuestionForm(text="Är Sten Berg med?"))
    act("reply", number, ANNA, QuestionForm(text="Ja."))
    act("redirect", number, BOB, TO_KARLSKRONA)
    act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))
    mask(number, MATS, "Är Sten Berg med?", "Sten Berg")
    assert told(superuser) == {REGION, CARE}
    assert (behind(number, PATIENT_SAFETY), behind(number, SAFETY_C)) == (["Är Sten Berg med?"], [])


def test_why_the_sender_took_it_back_is_not_the_receivers_to_read(superuser: Engine) -> None:
    number = filed(ANNA)
    act("withdraw", number, ANNA, CommentForm(comment="Sten Berg bor inte hos oss."))
    mask(number, MATS, "Sten Berg bor inte hos oss.", "Sten Berg")
    assert told(superuser) == {CARE}
    assert behind(number, PATIENT_SAFETY) == []


def test_a_note_of_a_former_branch_is_masked_and_opens_to_its_own_safety_alone() -> None:
    number = filed(ANNA, description=STORY)
    act("note", number, BOB, NoteForm(text="Greta Svensson var arg."))
    act("redirect", number, BOB, TO_KARLSKRONA)
    act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))
    mask(number, SAFETY_C)
    assert behind(number, PATIENT_SAFETY) == [STORY, "Greta Svensson var arg."]
    assert (behind(number, MATS), behind(number, SAFETY_C)) == ([STORY], [STORY])


def test_the_sealed_copy_leads_safety_to_it_and_says_so_to_the_registrar(client_of: Of) -> None:
    number = redirected()
    with acting(PATIENT_SAFETY) as (db, me):
        copy = queries.sealed_copies(db, me)[0].id
    assert "maskerad" not in client_of(PATIENT_SAFETY).get(f"/register/copies/{copy}").text
    mask(number, MATS)
    safety, registrar = (
        client_of(who).get(f"/register/copies/{copy}").text for who in (PATIENT_SAFETY, REGION_REGISTRAR)
    )
    assert f'href="/deviations/{number}/masked"' in safety
    assert f'href="/deviations/{number}/masked"' not in registrar
    assert "Er kvalitet och patientsäkerhet kan se vad det var." in registrar
    assert "Greta" not in safety + registrar
    assert (
        f'href="/register/copies/{copy}"'
        in client_of(PATIENT_SAFETY).get(f"/deviations/{number}/masked").text
    )


# --- who may have read it --------------------------------------------------------------------------------------------


def readers(page: str) -> list[tuple[str, int]]:
    """Title, and how many times."""
    found = page.partition("Vem hos er kan ha läst det")[2].partition("</ul>")[0]
    rows = re.findall(r'<li>(.*?) <span class="note">(.*?)</span>', found)
    return [
        (title, int(match[1]) if (match := re.search(r"(\d+) gånger", when)) else 1) for title, when in rows
    ]


def test_whoever_opened_it_after_the_mask_is_not_among_those_who_may_have_read_it(client_of: Of) -> None:
    number = filed(ANNA, description=STORY)
    with hours_later(1):
        client_of(BOB).get(f"/deviations/{number}")
    with hours_later(2):
        mask(number, MATS)
    with hours_later(3):
        for who in (BOB, BERIT, PATIENT_SAFETY):
            client_of(who).get(f"/deviations/{number}")
        page = client_of(PATIENT_SAFETY).get(f"/deviations/{number}/masked").text
    assert readers(page) == [("Sektionsledare, Medicin avdelning 43", 1)]


def test_each_text_counts_from_when_it_could_be_read_until_it_was_hidden(client_of: Of) -> None:
    """Of two slips: between the one that was hidden and the other that was not yet written, nobody read any."""
    number = filed(ANNA, description=STORY)
    with hours_later(1):
        mask(number, MATS)
    with hours_later(2):
        client_of(BERIT).get(f"/deviations/{number}")
    with hours_later(3):
        act("question", number, BOB, QuestionForm(text="Är Sten Berg med?"))
    with hours_later(4):
        client_of(BOB).get(f"/deviations/{number}")
    with hours_later(5):
        mask(number, PATIENT_SAFETY, "Är Sten Berg med?", "Sten Berg")
        page = client_of(PATIENT_SAFETY).get(f"/deviations/{number}/masked").text
    assert readers(page) == [("Sektionsledare, Medicin avdelning 43", 1)]


def test_two_slips_in_one_text_count_until_the_last_was_hidden(client_of: Of) -> None:
    story = "Greta Svensson och Sten Berg kom hem."
    number = filed(ANNA, description=story)
    with hours_later(1):
        mask(number, MATS, story)
    with hours_later(2):
        client_of(BERIT).get(f"/deviations/{number}")
        client_of(PATIENT_SAFETY).get(f"/deviations/{number}/masked")
    with hours_later(3):
        mask(number, MATS, "▒▒▒ och Sten Berg kom hem.", "Sten Berg")
        page = client_of(PATIENT_SAFETY).get(f"/deviations/{number}/masked").text
    assert [times for _title, times in readers(page)] == [1, 1]


def test_a_copy_that_was_opened_before_the_mask_counts_in_the_branch_that_has_it(client_of: Of) -> None:
    number = redirected()
    with acting(PATIENT_SAFETY) as (db, me):
        copy = queries.sealed_copies(db, me)[0].id
    with hours_later(1):
        client_of(REGION_REGISTRAR).get(f"/register/copies/{copy}")
    with hours_later(2):
        mask(number, MATS)
    with hours_later(3):
        client_of(REGION_REGISTRAR).get(f"/register/copies/{copy}")
        pages = [client_of(who).get(f"/deviations/{number}/masked").text for who in (PATIENT_SAFETY, MATS)]
    [ours] = readers(pages[0])
    assert (ours[0].startswith("Registrator"), ours[1]) == (True, 1)
    assert "Registrator" not in pages[1]


def test_a_manager_who_reviewed_the_report_before_it_was_sent_has_read_it(client_of: Of) -> None:
    submission = handed_over(STORY)
    with hours_later(1):
        chef = client_of(CHEF)
        chef.get("/reviews")
        chef.get(f"/reviews/{submission}")
    with hours_later(2):
        sent = client_of(CHEF).post(f"/reviews/{submission}/send")
        number = re.findall(r"BLE-\d{4}-\w{6}", sent.headers["location"])[0]
    with hours_later(3):
        mask(number, ANNA)
        pages = [client_of(who).get(f"/deviations/{number}/masked").text for who in (MATS, PATIENT_SAFETY)]
    [found] = readers(pages[0])
    assert (found[0].partition(",")[0], found[1]) == ("Enhetschef", 2)
    assert readers(pages[1]) == []


# --- every text of the case ------------------------------------------------------------------------------------------


def test_ones_own_reference_and_who_took_over_are_texts_of_the_case_too(superuser: Engine) -> None:
    number = filed(ANNA, description=STORY)
    act("set_reference", number, BOB, ReferenceForm(reference="Greta Svensson 43"))
    act("flag", number, PATIENT_SAFETY, FlagForm(law="lex_maria", comment="Bedöms."))
    act(
        "take_over",
        number,
        PATIENT_SAFETY,
        TakeOverForm(law="lex_maria", taken_over_by="greta\nsvensson, chef"),
    )
    mask(number, ANNA)
    assert everything_stored(superuser) == []
    with superuser.connect() as connection:
        assert connection.scalar(text("select count(*) from case_words where word like 'greta%'")) == 0
        assert connection.scalars(text("select reference from sides where reference is not null")).all() == [
            "▒▒▒ 43"
        ]
        assert connection.scalars(text("select taken_over_by from risk_flags")).all() == ["▒▒▒, chef"]


def test_it_is_hidden_in_whatever_case_and_across_lines_wherever_it_stands(superuser: Engine) -> None:
    number = filed(ANNA, description=STORY)
    act("question", number, BOB, QuestionForm(text="Är GRETA SVENSSON med?"))
    act("reply", number, ANNA, QuestionForm(text="Ja, greta\nsvensson är det."))
    act("redirect", number, BOB, TO_KARLSKRONA.model_copy(update={"comment": "greta  Svenssons dotter."}))
    act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))
    mask(number, MATS)
    assert everything_stored(superuser) == []
