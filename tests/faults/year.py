"""The whole county, day after day: people who file, answer, ask, decline and forget, real workers and two beats that
work on a clock the test turns, and now and then a process killed. Afterwards every reminder is reckoned once more from
the cases' own logs.
"""

import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as hour
from pathlib import Path
from typing import Any

from backend.core import clock
from backend.core.calendar import Calendar, at_hour, local_date
from backend.core.errors import SamsvarError
from backend.deviations import actions, queries
from backend.deviations.forms import (
    CommentForm,
    DeclineForm,
    DelayForm,
    QuestionForm,
    RedirectForm,
    VerdictForm,
)
from backend.deviations.models import Reason, State, VerdictKind
from tests.faults.house import House, wait
from tests.people import ANSWER, acting, report_form

SWEDEN = Calendar()
HOURS = (hour(7), hour(8, 15), hour(9, 30), hour(13), hour(16, 45))
FILED_A_DAY = 3
# Who handles what comes to a unit, and files from it.
AT: dict[str, str] = {
    "SE2120000852-V010": "hemsjukvard@solvesborg.example",
    "SE2321000081-S011": "avd43@region.example",
    "SE2120000829-V010": "hemsjukvard@karlskrona.example",
    "SE2120000811-V010": "hemsjukvard@olofstrom.example",
    "SE2321000081-N011": "vardcentral@region.example",
}
# What somebody who has the case in that state may come to do on a day, and how often.
RECEIVER: dict[State, tuple[tuple[str, float], ...]] = {
    State.SENT: (
        ("touch", 0.10),
        ("acknowledge", 0.15),
        ("answer", 0.04),
        ("question", 0.03),
        ("decline", 0.02),
    ),
    State.ACKNOWLEDGED: (
        ("answer", 0.03),
        ("question", 0.02),
        ("delay_notice", 0.01),
        ("touch", 0.03),
        ("redirect", 0.01),
    ),
    State.IN_REVIEW: (("answer", 0.05), ("question", 0.01), ("delay_notice", 0.01)),
    State.RETURNED: (("answer", 0.08),),
}
SENDER: dict[State, tuple[tuple[str, float], ...]] = {
    State.QUESTION: (("reply", 0.25),),
    State.ANSWERED: (("accept", 0.10), ("return", 0.03)),
    State.REDIRECT_PROPOSED: (("confirm", 0.3), ("refuse", 0.1)),
    State.CLOSED: (("reopen", 0.002),),
}


@dataclass
class Year:
    """`house` has an empty county; its workers and beats are started on the clock in `file`."""

    house: House
    file: Path
    seed: int
    first: date
    days: int
    kills: int
    killed: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    open_cases: dict[str, tuple[str, str]] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.now = at_hour(self.first, hour(0))
        clock.set_shared(self.file, self.now)

    def run(self) -> None:
        self._choose_hours()
        self._staff()
        killed_at = sorted(self.chance.sample(range(self.days * 6), self.kills))
        moment = 0
        for n in range(self.days):
            day = self.first + timedelta(days=n)
            for at, act in self._agenda(day):
                kill = bool(killed_at) and moment >= killed_at[0]
                if kill:
                    killed_at.pop(0)
                self._stand(at, kill=kill)
                if act:
                    self._live(day)
                    self._settle()
                moment += 1

    def _agenda(self, day: date) -> Iterator[tuple[datetime, bool]]:
        """Every moment of a day at which something may be due, and those at which people do something."""
        yield at_hour(day, hour(0, 0, 1)), False
        yield at_hour(day, hour(6)), False
        if not SWEDEN.is_working_day(day):
            yield at_hour(day, hour(12)), self.chance.random() < 0.2  # somebody files at the weekend too
            return
        people = [hour(self.chance.randrange(7, 17), self.chance.randrange(1, 59)) for _ in range(2)]
        later = [hour((one.hour + 1) % 24, one.minute) for one in people]
        for at in sorted({*HOURS, *people, *later}):
            yield at_hour(day, at), at in people

    def _choose_hours(self) -> None:
        for n, email in enumerate(sorted(self._emails())):
            arrivals = "digest" if n % 3 == 0 else "at_once"
            self.house.order(
                "insert into notification_choices (person_id, digest_at, arrivals)"
                f" select id, '{HOURS[n % len(HOURS)]}', '{arrivals}' from people where email = '{email}'"
            )

    def _emails(self) -> list[str]:
        return [str(row[0]) for row in self.house.ask("select email from people")]

    def _staff(self) -> None:
        for command, wanted in (("worker", 2), ("beat", 2)):
            for _ in range(wanted - len(self.house.living(command))):
                self.house.start(command, SAMSVAR_TEST_CLOCK=str(self.file), SAMSVAR_TICK="0.25")

    def _stand(self, moment: datetime, *, kill: bool) -> None:
        """Turn the clock, and wait till all that is then due is done. A kill falls in the middle of it."""
        self.now = moment
        clock.set_shared(self.file, moment)
        if kill:
            time.sleep(self.chance.random() * 0.5)
            victims = self.house.living(self.chance.choice(["worker", "worker", "beat"]))
            self.house.kill(self.chance.choice(victims))
            self.killed += 1
            self._staff()
        self._settle()

    def _settle(self) -> None:
        began = time.monotonic()
        due = f"select count(*) from outbox where done_at is null and given_up_at is null and due_at <= '{self.now.isoformat()}'"
        wait(lambda: self.house.ask(due) == [(0,)], 120)
        self.waits.append(time.monotonic() - began)

    def _live(self, day: date) -> None:
        """What people do at this moment."""
        with clock.at(self.now):
            working = SWEDEN.is_working_day(day)
            for _ in range(FILED_A_DAY // 2 + self.chance.randrange(2) if working else 1):
                self._file()
            if working:
                for number in list(self.open_cases):
                    self._maybe(number, day)

    def _file(self) -> None:
        sender, receiver = self.chance.choice([(a, b) for a in AT for b in AT if a[:12] != b[:12]])
        kind = "good_example" if self.chance.random() < 0.1 else "adverse_event"
        form = report_form(
            sender_unit=sender,
            receiver_unit=receiver,
            event_kind=kind,
            severity=self.chance.choice([None, 1, 2, 3, 4]),
            occurred_on=local_date(self.now),
            submission=uuid.uuid4(),
        )
        with acting(AT[sender]) as (session, me):
            number = actions.report(session, me, form).case_number
        self.open_cases[number] = (sender, receiver)
        self.acts["report"] += 1

    def _maybe(self, number: str, day: date) -> None:
        sender, receiver = self.open_cases[number]
        for party, table in ((receiver, RECEIVER), (sender, SENDER)):
            with acting(AT[sender]) as (session, me):
                found = queries.deviation(session, me, number)
                state = State(found.state)
                holder = found.receiver_unit.hsa_id
            self.open_cases[number] = (sender, holder)
            if state is State.WITHDRAWN:
                del self.open_cases[number]
                return
            for verb, likely in table.get(state, ()):
                if self.chance.random() < likely:
                    self._act(verb, number, AT.get(holder if party == receiver else sender), day)
                    break

    def _act(self, verb: str, number: str, by: str | None, day: date) -> None:
        if by is None:
            return
        do, *form = {
            "touch": (actions.touch,),
            "acknowledge": (actions.acknowledge,),
            "answer": (actions.answer, ANSWER),
            "question": (actions.question, QuestionForm(text="Vilken dag var det?")),
            "decline": (actions.decline, DeclineForm(reason=Reason.NOT_INVOLVED, comment="Inte vi.")),
            "delay_notice": (
                actions.delay_notice,
                DelayForm(reason="Semester.", promised_on=day + timedelta(days=self.chance.randrange(5, 40))),
            ),
            "redirect": (
                actions.redirect,
                RedirectForm(unit=self.chance.choice(sorted(AT)), comment="Hör till er."),
            ),
            "reply": (actions.reply, QuestionForm(text="I tisdags.")),
            "accept": (actions.judge, VerdictForm(verdict=VerdictKind.ACCEPTED)),
            "return": (actions.judge, VerdictForm(verdict=VerdictKind.RETURNED, comment="När?")),
            "confirm": (actions.confirm_redirect, _confirm(True)),
            "refuse": (actions.confirm_redirect, _confirm(False)),
            "reopen": (actions.reopen, CommentForm(comment="Mer har kommit fram.")),
        }[verb]
        try:
            with acting(by) as (session, me):
                do(session, me, queries.deviation(session, me, number), *form)  # type: ignore[operator]
            self.acts[verb] += 1
        except SamsvarError:
            self.acts[f"{verb} refused"] += 1


def _confirm(yes: bool) -> Any:
    from backend.deviations.forms import ConfirmRedirectForm

    return ConfirmRedirectForm(confirm=yes, comment="Ja." if yes else "Nej, stanna.")
