"""A slip is hidden at once, from everyone and everywhere; what it was opens to safety of both sides alone."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from backend.core import clock
from backend.core.errors import ForbiddenError, InvalidError
from backend.deviations import queries
from backend.deviations.forms import ConfirmRedirectForm, MaskForm, NoteForm, QuestionForm, RedirectForm
from tests.deviations.verbs import MONDAY, act, owed_mails
from tests.people import ANNA, BERIT, BOB, CHARLIE, MATS, acting, filed

PATIENT_SAFETY = "patientsakerhet@region.example"
STORY = "Greta Svensson kom hem utan lista. Dottern till Greta Svensson ringde."
SLIP = "Greta Svensson"
MASKED = "▒▒▒ kom hem utan lista. Dottern till ▒▒▒ ringde."


@pytest.fixture(autouse=True)
def _november(blekinge: str) -> Iterator[None]:
    with clock.at(MONDAY):
        yield


def slip_in(story: str, field: str = "description", slip: str = SLIP) -> MaskForm:
    start = story.index(slip)
    return MaskForm(field=field, start=start, end=start + len(slip))


def everything_stored(superuser: Engine, but: tuple[str, ...] = ("masked_originals",)) -> list[str]:
    """The tables in which the slip still stands anywhere."""
    with superuser.connect() as connection:
        tables = connection.scalars(
            text("select table_name from information_schema.tables where table_schema = 'public'")
        ).all()
        return [
            table
            for table in tables
            if table not in but
            and connection.scalar(
                text(f'select count(*) from "{table}" t where to_jsonb(t)::text ilike :slip'),
                {"slip": "%Greta%"},
            )
        ]


def test_it_is_gone_from_every_reader_and_every_table_at_once(superuser: Engine) -> None:
    number = filed(description=STORY)
    act("question", number, BOB, QuestionForm(text=f"Gäller det {SLIP}?"))
    act("reply", number, ANNA, QuestionForm(text=f"Ja, {SLIP}."))
    act("note", number, BOB, NoteForm(text=f"Ring om {SLIP}."))
    act("note", number, ANNA, NoteForm(text=f"Vi har talat med {SLIP}."))
    with acting(BOB) as (db, me):
        found = queries.deviation(db, me, number)
        from backend.deviations import actions

        actions.save_answer_draft(db, me, found, {"cause": [f"{SLIP} fick fel lista."]}, 0)
    act("mask", number, MATS, slip_in(STORY))
    with acting(BOB) as (db, me):
        found = queries.deviation(db, me, number)
        [question] = queries.questions(db, found)
        draft = queries.answer_draft(db, found)
        assert draft is not None
        assert (found.description, question.text, question.reply) == (MASKED, "Gäller det ▒▒▒?", "Ja, ▒▒▒.")
        assert draft.typed == {"cause": ["▒▒▒ fick fel lista."]}
    assert everything_stored(superuser) == []


def test_copies_sealed_for_a_former_receiver_are_masked_too(superuser: Engine) -> None:
    number = filed(description=STORY)
    act("redirect", number, BOB, RedirectForm(unit="SE2120000829-V010", comment=f"{SLIP} bor där."))
    act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))
    act("mask", number, MATS, slip_in(STORY))
    assert everything_stored(superuser) == []
    with acting(PATIENT_SAFETY) as (db, me):
        [copy] = queries.sealed_copies(db, me)
        assert copy.content["report"]["description"] == MASKED


def test_the_original_opens_to_safety_of_both_sides_and_to_nobody_else() -> None:
    number = filed(description=STORY)
    act("mask", number, PATIENT_SAFETY, slip_in(STORY))
    seen = {}
    for who in (MATS, PATIENT_SAFETY, ANNA, BOB, BERIT):
        with acting(who) as (db, me):
            seen[who] = [mask.original for mask in queries.masks(db, me, queries.deviation(db, me, number))]
    assert seen == {MATS: [STORY], PATIENT_SAFETY: [STORY], ANNA: [None], BOB: [None], BERIT: [None]}


def test_both_sides_safety_is_told_and_the_log_says_it() -> None:
    number = filed(description=STORY)
    act("mask", number, MATS, slip_in(STORY))
    assert [kind for kind, _to in owed_mails()].count("masked") == 2
    with acting(BOB) as (db, me):
        assert queries.happenings(db, queries.deviation(db, me, number))[-1].verb == "mask"


def test_a_short_slip_is_hidden_where_it_was_pointed_at_and_not_inside_other_words() -> None:
    story = "Ann kom hem. Annars gick det bra."
    number = filed(description=story)
    act("mask", number, MATS, slip_in(story, slip="Ann"))
    with acting(BOB) as (db, me):
        assert queries.deviation(db, me, number).description == "▒▒▒ kom hem. Annars gick det bra."


def test_safety_and_whoever_filed_it_may_mask() -> None:
    number = filed(description=STORY)
    for who in (BOB, BERIT, "chef@solvesborg.example"):
        with pytest.raises(ForbiddenError):
            act("mask", number, who, slip_in(STORY))
    act("mask", number, ANNA, slip_in(STORY))


@pytest.mark.parametrize(
    "form",
    [
        MaskForm(field="description", start=5000, end=5003),
        MaskForm(field="description", start=5, end=5),
        MaskForm(field="state", start=0, end=4),
        MaskForm(field="answers.999999.cause", start=0, end=4),
    ],
    ids=["outside", "nothing", "no text", "no such answer"],
)
def test_what_is_not_there_cannot_be_masked(form: MaskForm) -> None:
    number = filed(description=STORY)
    with pytest.raises(InvalidError) as refused:
        act("mask", number, MATS, form)
    assert [fault.field for fault in refused.value.faults] == ["field"]


def test_a_field_of_a_leg_one_does_not_see_cannot_be_pointed_at() -> None:
    number = filed()
    act("question", number, BOB, QuestionForm(text="Vem är det?"))
    with acting(BOB) as (db, me):
        [question] = queries.questions(db, queries.deviation(db, me, number))
        field = f"questions.{question.id}.text"
    act("reply", number, ANNA, QuestionForm(text="Det kan vi ta per telefon."))
    act("redirect", number, BOB, RedirectForm(unit="SE2120000829-V010", comment="Bor där."))
    act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))
    with pytest.raises(InvalidError):
        act("mask", number, "mas@karlskrona.example", MaskForm(field=field, start=0, end=3))
    with acting(CHARLIE) as (db, me):
        assert queries.deviation(db, me, number).case_number == number
