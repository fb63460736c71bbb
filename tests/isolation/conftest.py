"""A world to attack: cases of every kind between several branches, made by the real actions."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text, update

from backend.core import clock
from backend.deviations import actions, queries
from backend.deviations.actions.mask import texts_of
from backend.deviations.forms import (
    AnswerActionForm,
    BatchForm,
    ConfirmRedirectForm,
    DeclineForm,
    FlagForm,
    Form,
    InviteForm,
    LinkForm,
    MaskForm,
    NoteForm,
    QuestionForm,
    QuietForm,
    RedirectForm,
    SearchForm,
    VerdictForm,
    ViewForm,
    WithdrawForm,
)
from backend.deviations.models import Draft, Reason, VerdictKind
from tests.isolation.attack import World
from tests.people import ANNA, ANSWER, BOB, CHARLIE, IDA, MATS, acting, filed
from workers import deviations, notifications

BRANCHES = {
    "A": "SE2120000852-V000",  # Sölvesborg, care
    "I": "SE2120000852-I000",  # Sölvesborg, IFO: the same municipality
    "B": "SE2321000081-B000",  # the region
    "C": "SE2120000811-V000",  # Olofström
    "K": "SE2120000829-V000",  # Karlskrona: commissions a unit of the provider
    "P": "SE0000000001-A000",  # the provider
    "D": "SE2120000845-V000",  # Karlshamn: party to nothing
}
OLOFSTROM = "hemsjukvard@olofstrom.example"
PROVIDER = "hemtjanst@exempel.example"

OLOFSTROMS_UNIT = "SE2120000811-V010"
PROVIDER = "hemtjanst@exempel.example"
PATIENT_SAFETY = "patientsakerhet@region.example"


@pytest.fixture
def world(blekinge: str, superuser: Engine) -> Iterator[tuple[Connection, World]]:
    """What is there, and one transaction to attack it in."""
    _answered(filed(ANNA), filed(OLOFSTROM, sender_unit=OLOFSTROMS_UNIT))
    _sent_on(filed(ANNA))
    declined, followed = filed(ANNA), filed(PROVIDER, sender_unit="SE0000000001-A010")
    do(BOB, actions.decline, declined, DeclineForm(reason=Reason.NOT_INVOLVED, comment="Inte hos oss."))
    to_olofstrom = RedirectForm(unit=OLOFSTROMS_UNIT, comment="Hör till er.")
    do(BOB, actions.redirect, followed, to_olofstrom)
    filed(IDA, sender_unit="SE2120000852-I010", receiver_unit="SE2321000081-S042")
    filed(CHARLIE, sender_unit="SE2120000829-V010", receiver_unit="SE2120000852-V010")
    do(ANNA, actions.withdraw, filed(ANNA), WithdrawForm(comment="Fel mottagare."))
    _drafted()
    _kept()
    _chased()
    with superuser.connect() as connection:
        ids = dict(connection.execute(text("select hsa_id, id from branches")).all())
        people = dict(connection.execute(text("select email, id from people")).all())
        who = {"anna": people[ANNA], "mats": people[MATS]}
        yield connection, World(connection, {name: ids[hsa] for name, hsa in BRANCHES.items()}, who)
        connection.rollback()


OLOFSTROM = "hemsjukvard@olofstrom.example"


def do(who: str, verb: Any, number: str, *form: Form | dict[str, list[str]] | int) -> None:
    with acting(who) as (db, me):
        verb(db, me, queries.deviation(db, me, number), *form)


def _worked_on(number: str) -> None:
    """What a receiving ward has of its own, before it answers or sends on."""
    do(BOB, actions.note, number, NoteForm(text="Ring avdelningen."))
    do(BOB, actions.invite, number, InviteForm(email="vardcentral@region.example"))
    do(PATIENT_SAFETY, actions.flag, number, FlagForm(law="lex_sarah", comment="Bedöms."))
    do(BOB, actions.save_answer_draft, number, {"cause": ["Påbörjat svar"]}, 0)


def _answered(ours: str, theirs: str) -> None:
    """Two reports of one event, from two branches to one ward: asked about, answered, returned, linked by the ward."""
    answer = ANSWER.model_copy(update={"actions": [AnswerActionForm(text="Rutinen ändras.")]})
    for number, sender in ((ours, ANNA), (theirs, OLOFSTROM)):
        do(BOB, actions.acknowledge, number)
        do(BOB, actions.question, number, QuestionForm(text="Vilken dag?"))
        do(sender, actions.reply, number, QuestionForm(text="I tisdags."))
        do(BOB, actions.answer, number, answer)
        do(sender, actions.judge, number, VerdictForm(verdict=VerdictKind.RETURNED, comment="När?"))
    do(BOB, actions.link, ours, LinkForm(case_number=theirs))
    do(ANNA, actions.link, ours, LinkForm(case_number=filed(ANNA)))
    _worked_on(ours)
    do(ANNA, actions.note, ours, NoteForm(text="Patienten kom tillbaka."))
    # A word that stands in the report and in the ward's own note.
    do(MATS, actions.mask, ours, MaskForm(field="description", start=0, end=8))
    do(BOB, actions.quiet, ours, QuietForm(reason="Semester."))
    for own in ("notes.", "sides."):
        do(PATIENT_SAFETY, actions.mask, ours, MaskForm(field=_own_text(ours, own), start=0, end=4))


def _own_text(number: str, kind: str) -> str:
    with acting(PATIENT_SAFETY) as (db, me):
        case = queries.deviation(db, me, number)
        return next(field for field, _text in texts_of(db, case) if field.startswith(kind))


def _sent_on(number: str) -> None:
    """From the ward to another municipality, which has to begin anew, and answers."""
    do(BOB, actions.question, number, QuestionForm(text="Vilken enhet?"))
    do(ANNA, actions.reply, number, QuestionForm(text="Hemsjukvården."))
    do(BOB, actions.answer, number, ANSWER)
    do(ANNA, actions.judge, number, VerdictForm(verdict=VerdictKind.RETURNED, comment="Fel ställe."))
    _worked_on(number)
    do(MATS, actions.mask, number, MaskForm(field="description", start=0, end=8))
    do(BOB, actions.redirect, number, RedirectForm(unit=OLOFSTROMS_UNIT, comment="Hör till er."))
    do(ANNA, actions.confirm_redirect, number, ConfirmRedirectForm(confirm=True, comment="Ja."))
    do(OLOFSTROM, actions.acknowledge, number)
    do(OLOFSTROM, actions.question, number, QuestionForm(text="När på dagen?"))
    do(ANNA, actions.reply, number, QuestionForm(text="På kvällen."))
    do(OLOFSTROM, actions.answer, number, ANSWER)
    # Slips that are seen when the ward has had it: in the report, which it read, and in what it was never given.
    do(MATS, actions.mask, number, MaskForm(field="description", start=13, end=17))
    with acting(MATS) as (db, me):
        fields = [
            field for field, said in texts_of(db, queries.deviation(db, me, number)) if said == "På kvällen."
        ]
    do(MATS, actions.mask, number, MaskForm(field=fields[0], start=0, end=11))


def _kept() -> None:
    """What somebody keeps for themselves."""
    with acting(ANNA) as (db, me):
        actions.search(db, me, SearchForm(q="läkemedel"))
        actions.save_view(db, me, ViewForm(name="Till oss"), {"direction": "in"})
        actions.bulk(db, me, BatchForm(verb="acknowledge", case_number=["BLE-2026-000000"]))


def _chased() -> None:
    """Reminders in the ledger, and what people are to be told."""
    with clock.at(clock.now() + timedelta(days=10)):
        deviations.chase()
        notifications.due("arrival")


def _drafted() -> None:
    """One that is being written, and one that a manager is to read."""
    for for_review_at in (None, clock.now()):
        with acting(ANNA) as (db, me):
            submission = uuid.uuid4()
            actions.save_draft(db, me, submission, {"description": ["Påbörjat"]})
            db.execute(
                update(Draft).where(Draft.submission == submission).values(for_review_at=for_review_at)
            )
