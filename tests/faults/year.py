"""The whole county, day after day: people who file, answer, ask, decline and forget, real workers and two beats that
work on a clock the test turns, and now and then a process killed. Afterwards every reminder is reckoned once more from
the cases' own logs.
"""

import random
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as hour
from pathlib import Path
from typing import Any

from celery import Celery
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import clock, db
from backend.core.calendar import at_hour, local_date
from backend.core.errors import SamsvarError
from backend.deviations import actions, queries
from backend.deviations.forms import (
    AssignForm,
    CommentForm,
    ConfirmRedirectForm,
    DeclineForm,
    DelayForm,
    QuestionForm,
    QuietForm,
    RedirectForm,
    ResendForm,
    SettleForm,
    VerdictForm,
    WithdrawForm,
)
from backend.deviations.models import Deviation, Reason, State, VerdictKind
from backend.exchange import COUNTIES
from backend.exchange import actions as exchange
from tests.core.embedded import probes
from tests.faults.house import House
from tests.faults.reckoned import CLOSED, COUNTY, Sent, came_of
from tests.people import ANSWER, acting, report_form
from tests.workers.post_office import PostOffice, opened

HOURS = (hour(7), hour(8, 15), hour(9, 30), hour(13), hour(16, 45))
FILED_A_DAY = 3
# Over a week-end with the change from summer time, and a month into it All Saints and Advent.
FIRST = date(2027, 10, 27)
# Imported and still open when it was: nobody may be reminded of these.
HISTORY = 40
# Who handles what comes to a unit, and files from it.
AT: dict[str, str] = {
    "SE2120000852-V010": "hemsjukvard@solvesborg.example",
    "SE2321000081-S011": "avd43@region.example",
    "SE2120000829-V010": "hemsjukvard@karlskrona.example",
    "SE2120000811-V010": "hemsjukvard@olofstrom.example",
    "SE2321000081-N011": "vardcentral@region.example",
    "SE2120000852-I010": "ifo@solvesborg.example",
    "SE2120000852-E010": "skolskoterska@solvesborg.example",
}
# What somebody who has the case in that state may come to do on a day, and how often.
RECEIVER: dict[State, tuple[tuple[str, float], ...]] = {
    State.SENT: (
        ("touch", 0.10),
        ("acknowledge", 0.15),
        ("answer", 0.04),
        ("assign", 0.02),
        ("question", 0.03),
        ("decline", 0.04),
        ("quiet", 0.02),
    ),
    State.ACKNOWLEDGED: (
        ("answer", 0.03),
        ("assign", 0.02),
        ("question", 0.02),
        ("delay_notice", 0.01),
        ("touch", 0.03),
        ("redirect", 0.01),
        ("quiet", 0.01),
    ),
    State.IN_REVIEW: (("answer", 0.05), ("question", 0.01), ("delay_notice", 0.01)),
    State.RETURNED: (("answer", 0.08),),
}
SENDER: dict[State, tuple[tuple[str, float], ...]] = {
    State.SENT: (("withdraw", 0.005),),
    State.ACKNOWLEDGED: (("withdraw", 0.002),),
    State.QUESTION: (("reply", 0.25),),
    State.ANSWERED: (("accept", 0.10), ("return", 0.03)),
    State.REDIRECT_PROPOSED: (("confirm", 0.3), ("refuse", 0.1)),
    State.DECLINED: (("resend", 0.2),),
    State.DISPUTED: (("settle", 0.2),),
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
    quieted: set[tuple[str, str]] = field(default_factory=set)
    promises: defaultdict[int, list[date]] = field(default_factory=lambda: defaultdict(list))
    waits: list[float] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0
    spent: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.now = at_hour(self.first, hour(0))
        clock.set_shared(self.file, self.now)
        self.sql = probes.sql(self.house.servers)
        self.bell = Celery(broker=self.house.servers.redis_url, set_as_current=False)
        self.safety = dict(
            self._ask(
                "select u.hsa_id, min(p.email) from units u join assignments a on a.branch_id = u.branch_id"
                " join people p on p.id = a.person_id where a.role = 'safety' group by 1"
            )
        )

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.sql.execute(query).fetchall()

    def run(self) -> None:
        """What is skipped are the moments at which nobody does anything and nothing is due."""
        began = time.monotonic()
        self._choose_hours()
        self._staff()
        killed_at = sorted(self.chance.sample(range(self.days * 6), self.kills))
        moment = 0
        for n in range(self.days):
            day = self.first + timedelta(days=n)
            for at, act in self._agenda(day):
                moment += 1
                self.now = at
                if due := self._due():
                    kill = bool(killed_at) and moment >= killed_at[0]
                    if kill:
                        killed_at.pop(0)
                    self._stand(kill=kill)
                if act:
                    clock.set_shared(self.file, at)
                    began = time.monotonic()
                    self._live(day)
                    self.spent["living"] += time.monotonic() - began
                    self._settle()
                self.steps += bool(due or act)
        self.seconds = time.monotonic() - began

    def _agenda(self, day: date) -> Iterator[tuple[datetime, bool]]:
        """Every moment of a day at which something may be due, and those at which people do something."""
        yield at_hour(day, hour(0, 0, 1)), False
        yield at_hour(day, hour(6)), False
        if not COUNTY.is_working_day(day):
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
                self.house.start(command, SAMSVAR_TICK="2")

    def _due(self) -> int:
        [(number,)] = self._ask(
            "select count(*) from outbox where done_at is null and given_up_at is null"
            f" and due_at <= '{self.now.isoformat()}'"
        )
        return int(number)

    def _stand(self, *, kill: bool) -> None:
        """Turn the clock, and wait till all that is then due is done. A kill falls in the middle of it."""
        clock.set_shared(self.file, self.now)
        self._tick()
        if kill:
            end = time.monotonic() + 2
            claimed = "select count(*) from outbox where done_at is null and claimed_at is not null"
            while self._ask(claimed) == [(0,)] and time.monotonic() < end:
                time.sleep(0.002)
            victims = self.house.living(self.chance.choice(["worker", "worker", "beat"]))
            self.house.kill(self.chance.choice(victims))
            self.killed += 1
            self._staff()
        self._settle()

    def _tick(self) -> None:
        """As the beats do, which would only come by every other second."""
        self.bell.send_task("tick", ignore_result=True)

    def _settle(self) -> None:
        began = rung = time.monotonic()
        while self._due():
            now = time.monotonic()
            assert now - began < 120, "not within 120 s"
            if now - rung > 0.5:
                self._tick()
                rung = now
                # What has been in hand for so long is a dead worker's: half a minute passes for it.
                self._ask_to_run_out()
            time.sleep(0.02)
        self.waits.append(time.monotonic() - began)
        self.spent["settling"] += self.waits[-1]

    def _ask_to_run_out(self) -> None:
        self.sql.execute(
            "update outbox set claimed_at = claimed_at - interval '31 seconds'"
            " where done_at is null and claimed_at between now() - interval '30 seconds' and now() - interval '4 seconds'"
        )

    def _live(self, day: date) -> None:
        """What people do at this moment."""
        with clock.at(self.now):
            working = COUNTY.is_working_day(day)
            for _ in range(FILED_A_DAY // 2 + self.chance.randrange(2) if working else 1):
                self._file()
            if working:
                self._act_all(day)

    def _act_all(self, day: date) -> None:
        """At most one doing a case and moment, by chance."""
        for number, state, sender, holder in self._ask(
            "select d.case_number, d.state, s.hsa_id, r.hsa_id from deviations d"
            " join units s on s.id = d.sender_unit_id join units r on r.id = d.receiver_unit_id"
            " where not d.resting order by d.id"
        ):
            mine = [(verb, likely, holder) for verb, likely in RECEIVER.get(State(state), ())]
            theirs = [(verb, likely, sender) for verb, likely in SENDER.get(State(state), ())]
            for verb, likely, unit in mine + theirs:
                if self.chance.random() < likely and unit in AT:
                    if verb == "settle":
                        for party in [one for one in (sender, holder) if one in self.safety]:
                            self._act(verb, number, self.safety[party], day)
                    elif verb != "quiet" or (number, unit) not in self.quieted:
                        self.quieted |= {(number, unit)} if verb == "quiet" else set()
                        self._act(verb, number, AT[unit], day)
                    break

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
            actions.report(session, me, form)
        self.acts["report"] += 1

    def _act(self, verb: str, number: str, by: str, day: date) -> None:
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
            "resend": (
                actions.resend,
                ResendForm(unit=self.chance.choice(sorted(AT)), comment="Hör nog till er."),
            ),
            "settle": (actions.settle, SettleForm(outcome="not_ours", comment="Vi är överens.")),
            "quiet": (
                actions.quiet,
                QuietForm(
                    until=COUNTY.next_working_day(day + timedelta(days=self.chance.randrange(2, 40))),
                    reason="Väntar på svar.",
                ),
            ),
            "withdraw": (actions.withdraw, WithdrawForm(comment="Fel enhet.")),
            "assign": (_take,),
            "reply": (actions.reply, QuestionForm(text="I tisdags.")),
            "accept": (actions.judge, VerdictForm(verdict=VerdictKind.ACCEPTED)),
            "return": (actions.judge, VerdictForm(verdict=VerdictKind.RETURNED, comment="När?")),
            "confirm": (actions.confirm_redirect, _confirm(True)),
            "refuse": (actions.confirm_redirect, _confirm(False)),
            "reopen": (actions.reopen, CommentForm(comment="Mer har kommit fram.")),
        }[verb]
        try:
            with acting(by) as (session, me):
                found = queries.deviation(session, me, number)
                do(session, me, found, *form)  # type: ignore[operator]
                if verb == "delay_notice":
                    self.promises[found.id].append(form[0].promised_on)  # type: ignore[union-attr]
            self.acts[verb] += 1
        except SamsvarError:
            self.acts[f"{verb} refused"] += 1


def _take(db: Session, me: Identity, deviation: Deviation) -> None:
    actions.assign(db, me, deviation, AssignForm(person=me.person_id))


def _confirm(yes: bool) -> ConfirmRedirectForm:
    return ConfirmRedirectForm(confirm=yes, comment="Ja." if yes else "Nej, stanna.")


def lived(folder: Path, seed: int, days: int) -> tuple[Year, Sent]:
    """So many days in a county of its own, with a kill about every twelve days; and what came of them."""
    with opened(PostOffice()) as office, clock.at(datetime(2022, 12, 1, tzinfo=UTC)):
        house = House(folder, office, hands=folder / "clock")
        try:
            _import_history(house, folder / "history.csv")
            closed = ", ".join(f'"{day}"' for day in CLOSED)
            # One in each organisation is told last of all.
            house.order(
                "insert into escalation_contacts (organisation_id, person_id, position)"
                " select b.organisation_id, min(a.person_id), 1 from assignments a join branches b on b.id = a.branch_id"
                " group by 1"
            )
            house.order(f"update agreements set terms = terms || '{{\"closed\": [{closed}]}}'")
            db.use(house.servers.database_url)
            year = Year(house, folder / "clock", seed, FIRST, days, kills=days // 12)
            year.run()
            year.sql.close()
            return year, came_of(house, year.now, year.promises)
        finally:
            house.close()


def _import_history(house: House, file: Path) -> None:
    rows = (COUNTIES / "blekinge" / "deviations-2023.csv").read_text().splitlines(keepends=True)
    file.write_text("".join(rows[: HISTORY + 1]))
    db.use(house.servers.admin_url)
    with clock.at(at_hour(FIRST, hour(0))), db.unit_of_work(db.OPERATOR) as session:
        assert exchange.import_deviations(session, file, "BLE").faults == []
    db.engine().dispose()
    assert house.ask("select count(*) > 0 from deviations where resting") == [(True,)]
