"""The verbs as the people of the tests use them, each in a unit of work of its own, on a Monday in November."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select, text

from backend.core import clock
from backend.core.db import NOBODY, unit_of_work
from backend.core.errors import NotFoundError
from backend.core.jobs import Owed
from backend.deviations import actions, queries
from backend.deviations.forms import (
    AnswerForm,
    CommentForm,
    DeclineForm,
    Form,
    QuestionForm,
    RedirectForm,
    ResendForm,
    VerdictForm,
    WithdrawForm,
)
from backend.deviations.models import Deviation, Reason, VerdictKind
from backend.directory.models import Person
from tests.people import ANNA, ANSWER, BOB, acting, filed
from workers import deviations

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ACCEPTED = VerdictForm(verdict=VerdictKind.ACCEPTED)
RETURNED = VerdictForm(verdict=VerdictKind.RETURNED, comment="När infördes rutinen?")


def acknowledge(number: str, by: str = BOB) -> None:
    with acting(by) as (db, me):
        actions.acknowledge(db, me, queries.deviation(db, me, number))


def answer(number: str, by: str = BOB, form: AnswerForm = ANSWER) -> None:
    with acting(by) as (db, me):
        actions.answer(db, me, queries.deviation(db, me, number), form)


def judge(number: str, form: VerdictForm, by: str = ANNA) -> None:
    with acting(by) as (db, me):
        actions.judge(db, me, queries.deviation(db, me, number), form)


def withdraw(number: str, by: str = ANNA) -> None:
    with acting(by) as (db, me):
        actions.withdraw(db, me, queries.deviation(db, me, number), WithdrawForm(comment="Fel enhet."))


def case(number: str, as_: str = ANNA) -> Deviation:
    with acting(as_) as (db, me):
        found = queries.deviation(db, me, number)
        db.expunge_all()
        return found


def owed(kind: str, room: str = "notifications") -> list[Owed]:
    with unit_of_work(NOBODY) as db:
        rows = list(db.scalars(select(Owed).where(Owed.kind == f"{room}.{kind}").order_by(Owed.id)))
        db.expunge_all()
        return rows


def together(what: Callable[[], object], times: int) -> None:
    barrier = threading.Barrier(times)

    def run() -> None:
        barrier.wait()
        with clock.at(MONDAY):
            what()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def act(verb: str, number: str, by: str, form: Form | None = None) -> None:
    """Any verb of the trade by its name, as that person, in a unit of work of its own."""
    with acting(by) as (db, me):
        found = queries.deviation(db, me, number)
        do = getattr(actions, verb)
        do(db, me, found) if form is None else do(db, me, found, form)


def work() -> None:
    """What the tick would have a worker do with the cases now."""
    deviations.go_home()


def owed_mails() -> list[tuple[str, str | None]]:
    """The kinds of mail owed and not waived, with the address of whom they are for, where it is one person."""
    with unit_of_work(NOBODY) as db:
        rows = db.execute(
            select(Owed.kind, Person.email)
            .outerjoin(Person, Person.id == Owed.person_id)
            .where(Owed.kind.like("notifications.%"), Owed.done_at.is_(None))
            .order_by(Owed.id)
        )
        return [(kind.partition(".")[2], email) for kind, email in rows]


SURGERY = "SE2321000081-S021"
EXTERNAL = "SE5560000000-B"
HEALTH_CENTRE = "SE2321000081-N011"
KARLSKRONA = "SE2120000829-V010"
PATIENT_SAFETY = "patientsakerhet@region.example"
REGION_REGISTRAR = "registrator@region.example"
HOME_CARE_MANAGER = "chef@solvesborg.example"

ASK = QuestionForm(text="Vilken dag skrevs patienten ut?")
TELL = QuestionForm(text="Fredagen den 30 oktober.")
TO_KARLSKRONA = RedirectForm(unit=KARLSKRONA, comment="Patienten bor i Karlskrona.")
DECLINE = DeclineForm(reason=Reason.NOT_INVOLVED, comment="Patienten var aldrig hos oss.")
WHY = CommentForm(comment="Det kom fram mer.")


def later(days: int) -> clock.at:
    return clock.at(MONDAY + timedelta(days=days))


def sees(number: str, email: str) -> bool:
    with acting(email) as (db, me):
        try:
            queries.deviation(db, me, number)
        except NotFoundError:
            return False
        return True


def disputed() -> str:
    number = filed()
    act("decline", number, BOB, DECLINE)
    act("resend", number, ANNA, ResendForm(unit="SE2321000081-S011", comment="Jo, ni skrev ut patienten."))
    act("decline", number, BOB, DECLINE)
    return number


def with_an_external_party(superuser: Engine) -> None:
    """The unit EXTERNAL, of a party without a login."""
    with superuser.begin() as connection:
        connection.execute(
            text(
                "with o as (insert into organisations (county_id, hsa_id, name, kind)"
                " select id, 'SE5560000000-X', 'Sjukhuset i ett annat län', 'external' from counties returning id),"
                " b as (insert into branches (organisation_id, hsa_id, name)"
                " select id, 'SE5560000000-B', 'Sjukhuset' from o returning id)"
                " insert into units (branch_id, hsa_id, name, kind, care_level, intake, path)"
                " select id, 'SE5560000000-B', 'Sjukhuset', 'clinic', 'inpatient', true, '{}' from b"
            )
        )
        connection.execute(text("update units set path = array[id] where path = '{}'"))
