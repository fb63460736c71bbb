"""Working through days of the county: what people do, what the ticks would do, and what is sent."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import Engine, text

from backend.core import clock, jobs
from backend.core.calendar import at_hour
from backend.core.clock import STOCKHOLM
from backend.deviations import actions, queries
from backend.deviations.forms import (
    VerdictForm,
    WithdrawForm,
)
from backend.deviations.models import VerdictKind
from backend.settings import settings
from tests.people import ANNA, ANSWER, BOB, BOBS_UNIT, acting
from workers.app import celery

celery.loader.import_default_modules()  # as a worker does, which knows all kinds

SENT = datetime(2026, 3, 2, 9, 0, tzinfo=STOCKHOLM)
Mail = tuple[str, str]


def work() -> None:
    """What the ticks would have a worker do now, till nothing is due."""
    for _round in range(3):
        for kind in jobs.kinds_due():
            celery.tasks[kind]()


def mails(superuser: Engine) -> list[Mail]:
    """To whom and under which subject, in order."""
    with superuser.connect() as connection:
        rows = connection.execute(text('select "to", subject from caught_mails order by id'))
        return [(row[0][0], row[1]) for row in rows]


def bodies(superuser: Engine) -> list[str]:
    with superuser.connect() as connection:
        return list(connection.execute(text("select body from caught_mails order by id")).scalars())


def outcomes(superuser: Engine) -> list[tuple[str, str | None]]:
    """What became of each notice, in order."""
    with superuser.connect() as connection:
        return [
            (row[0], row[1])
            for row in connection.execute(text("select kind, outcome from notices order by id"))
        ]


def ledger(superuser: Engine) -> list[tuple[str, str, str, str | None]]:
    with superuser.connect() as connection:
        rows = connection.execute(text("select clock, step, role, outcome from reminders order by id"))
        return [(row[0], row[1], row[2], row[3]) for row in rows]


def through(superuser: Engine, first: date, last: date, at: time = time(8, 15)) -> list[tuple[str, str, str]]:
    """Work through every morning of these days. Gives what was sent: day, to whom, subject."""
    found = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        for hour in (time(6), at):
            before = len(mails(superuser))
            with clock.at(at_hour(day, hour)):
                work()
            found += sorted((str(day), to, subject) for to, subject in mails(superuser)[before:])
    return found


def acknowledge(number: str) -> None:
    with acting(BOB) as (db, me):
        actions.acknowledge(db, me, queries.deviation(db, me, number))


def answer(number: str) -> None:
    with acting(BOB) as (db, me):
        actions.answer(db, me, queries.deviation(db, me, number), ANSWER)


def judge(number: str, verdict: VerdictKind) -> None:
    with acting(ANNA) as (db, me):
        form = VerdictForm(verdict=verdict, comment="Skriv vad ni gör.")
        actions.judge(db, me, queries.deviation(db, me, number), form)


def withdraw(number: str) -> None:
    with acting(ANNA) as (db, me):
        actions.withdraw(db, me, queries.deviation(db, me, number), WithdrawForm(comment="Fel patient."))


def leaves(superuser: Engine, email: str, on: date) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text("update people set ended_on = :on where email = :email"), {"on": on, "email": email}
        )


def chooses(superuser: Engine, email: str, digest_at: time, arrivals: str) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text(
                "insert into notification_choices (person_id, digest_at, arrivals)"
                " select id, :at, :arrivals from people where email = :email"
            ),
            {"at": digest_at, "arrivals": arrivals, "email": email},
        )


def colleague(superuser: Engine, email: str) -> None:
    """One more who handles what comes to Bob's ward."""
    with superuser.begin() as connection:
        connection.execute(
            text("insert into people (email, title) values (:email, 'Sjuksköterska')"), {"email": email}
        )
        connection.execute(
            text(
                "insert into assignments (person_id, role, unit_id, valid_from) select p.id, 'handler', u.id, '2026-01-01'"
                " from people p, units u where p.email = :email and u.hsa_id = :unit"
            ),
            {"email": email, "unit": BOBS_UNIT},
        )


def link(number: str) -> str:
    return f"{settings().base_url}/deviations/{number}"


WARD = "Medicin avdelning 43 Karlskrona"
ARRIVAL: Mail = (BOB, f"{WARD} har fått ett ärende att kvittera")
RETURNED: Mail = (BOB, f"{WARD} har fått tillbaka ett ärende")
ANSWERED: Mail = (ANNA, "Du har fått svar på ett ärende")
ONE = "Samsvar: ett ärende väntar på er"
TWO = "Samsvar: två ärenden väntar på er"
FOOT = "Mejlet innehåller inget ur ärendet. Det går inte att svara på."
REGION_SAFETY = "patientsakerhet@region.example"
