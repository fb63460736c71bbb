"""Every reminder once more, in plain Python, from what the log of each case says happened: which clocks ran on which
mornings, and which of their steps had come by then.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as hour
from math import ceil

from backend.core import clock
from backend.core.calendar import Calendar, at_hour, local_date
from backend.deviations import clocks, steps
from backend.deviations.models import State
from tests.faults.house import House

# Sweden's, less two days that the county has closed.
CLOSED = (date(2027, 10, 29), date(2028, 2, 14))
COUNTY = Calendar(added=frozenset(CLOSED))
MORNING = hour(6)
TERMS = clocks.Terms()
HELD = (State.SENT, State.ACKNOWLEDGED, State.IN_REVIEW, State.RETURNED)
WAITING: dict[State, clocks.Kind] = {
    State.QUESTION: "reply",
    State.REDIRECT_PROPOSED: "confirm_redirect",
    State.DECLINED: "declined",
    State.ANSWERED: "verdict",
    State.DISPUTED: "settle",
}

# Case, branch, clock, leg, its start, step, role.
Key = tuple[int, int, str, int, datetime, str, str]


@dataclass(frozen=True)
class Spell:
    """A stretch of a case's life in one state on one leg."""

    state: State
    begins: datetime
    ends: datetime | None
    leg: int
    clock_kind: clocks.Kind
    clock_started: datetime
    promised_on: date | None


def expected(house: House, until: datetime, promises: Mapping[int, Sequence[date]]) -> set[Key]:
    """All steps that must stand in the ledger by then. `promises` are the days of each case's delay notices, in turn."""
    found: set[Key] = set()
    rows = house.ask(
        "select id, event_kind, sent_at, sender_branch_id, receiver_branch_id, severity from deviations"
        " where not resting order by id"
    )
    for case_id, kind, sent_at, sender, _holder, severity in rows:
        number = int(str(case_id))
        promised = promises.get(number, ())
        found |= _of_case(house, number, str(kind), sent_at, int(str(sender)), severity, until, promised)  # type: ignore[arg-type]
    return found


def _of_case(
    house: House,
    case_id: int,
    kind: str,
    sent_at: datetime,
    sender: int,
    severity: int | None,
    until: datetime,
    promises: Sequence[date],
) -> set[Key]:
    legs = {
        int(str(position)): (int(str(branch)), began)
        for position, branch, began in house.ask(
            f"select position, branch_id, sent_at from handovers where deviation_id = {case_id} order by position"
        )
    }
    pauses = [
        clocks.Pause(start, end)  # type: ignore[arg-type]
        for start, end in house.ask(
            f"select started_at, ended_at from pauses where deviation_id = {case_id} order by started_at, id"
        )
    ]
    quieted = {
        int(str(branch)): (since, until)
        for branch, since, until in house.ask(
            f"select branch_id, quiet_at, quiet_until from sides where deviation_id = {case_id} and quiet_at is not null"
        )
    }
    taken: set[Key] = set()
    for spell in _spells(house, case_id, sent_at, legs, promises):
        morning = _first_morning(spell.begins)
        while morning < (spell.ends or until + timedelta(seconds=1)) and morning <= until:
            holder, held_since = legs[spell.leg]
            for clock_kind, started, due_on, branches in _clocks(
                spell,
                kind,
                sender,
                holder,
                held_since,
                severity,
                pauses,
                morning,  # type: ignore[arg-type]
            ):
                answers = clock_kind in ("answer", "returned_answer")
                plan = steps.steps(
                    clock_kind,
                    local_date(started),
                    due_on,
                    TERMS,
                    COUNTY,
                    held_since=local_date(held_since) if clock_kind in clocks.RECEIVING else None,  # type: ignore[arg-type]
                    promised_on=spell.promised_on if answers else None,
                )
                if clock_kind == "acknowledge":
                    plan = [*plan, steps.untouched(local_date(held_since), TERMS, COUNTY)]  # type: ignore[arg-type]
                for branch in branches:
                    since, again = quieted.get(branch, (until, None))
                    on = COUNTY.next_working_day(again) if again else date.max  # type: ignore[arg-type]
                    # They want to hear of it again, on whatever clock ran when they said so; not if they have lost it since.
                    theirs = branch != holder or since >= held_since  # type: ignore[operator]
                    if theirs and since <= morning and local_date(started) < on <= local_date(morning):  # type: ignore[operator]
                        step_of_quiet = f"quiet_{again}"
                        taken.add((case_id, branch, clock_kind, spell.leg, started, step_of_quiet, "handler"))
                for step in plan:
                    if step.on <= local_date(morning):
                        taken |= {
                            (case_id, branch, clock_kind, spell.leg, started, step.name, step.role)
                            for branch in branches
                        }
            morning = at_hour(local_date(morning) + timedelta(days=1), MORNING)
    return taken


def _first_morning(moment: datetime) -> datetime:
    today = at_hour(local_date(moment), MORNING)
    return today if moment < today else at_hour(local_date(moment) + timedelta(days=1), MORNING)


def _clocks(
    spell: Spell,
    kind: str,
    sender: int,
    holder: int,
    held_since: datetime,
    severity: int | None,
    pauses: list[clocks.Pause],
    now: datetime,
) -> Iterator[tuple[clocks.Kind, datetime, date, list[int]]]:
    """The clocks that run in such a spell: kind, start, due date, and the branches that are waited for."""
    if waiting := WAITING.get(spell.state):
        due = clocks.due(waiting, spell.begins, TERMS.span(waiting), COUNTY)
        yield waiting, spell.begins, due.due_on, [sender, holder] if waiting == "settle" else [sender]
        return
    if spell.state not in HELD:
        return
    if spell.state is State.SENT:
        due = clocks.due("acknowledge", held_since, TERMS.span("acknowledge"), COUNTY)
        yield "acknowledge", held_since, due.due_on, [holder]
    if kind != "good_example":
        own = [pause for pause in pauses if spell.clock_started <= pause.start <= now]
        span = TERMS.span(spell.clock_kind, severity)
        due = clocks.due(spell.clock_kind, spell.clock_started, span, COUNTY, own, as_of=now)
        yield spell.clock_kind, spell.clock_started, due.due_on, [holder]


def _spells(
    house: House,
    case_id: int,
    sent_at: datetime,
    legs: dict[int, tuple[int, object]],
    promises: Sequence[date],
) -> Iterator[Spell]:
    events = house.ask(
        "select e.verb, e.at, e.to_state, e.leg from events e"
        f" where e.deviation_id = {case_id} and e.verb not in ('late', 'exhausted') order by e.id"
    )
    state, begins, leg = State.SENT, sent_at, 1
    kind: clocks.Kind = "answer"
    started, promised = sent_at, None
    given = iter(promises)
    for verb, at, to_state, on_leg in events:
        if verb == "sent":
            continue
        new_leg = int(str(on_leg)) if verb in ("redirect", "confirm_redirect", "resend") else leg
        yield Spell(state, begins, at, leg, kind, started, promised)  # type: ignore[arg-type]
        # A proposal leaves a dispute where it is: its clock began with the dispute.
        if verb != "settle_proposed":
            begins = at  # type: ignore[assignment]
        state, leg = State(str(to_state)), new_leg
        if verb == "return":
            kind, started, promised = "returned_answer", at, None  # type: ignore[assignment]
        elif verb == "reopen":
            kind, started, promised = "answer", at, None  # type: ignore[assignment]
        elif verb == "delay_notice":
            # Gone from the case where it has been sent on to another branch since, so the year has kept it.
            promised = next(given)
        elif verb in ("confirm_redirect", "resend") and legs[new_leg][0] != legs[new_leg - 1][0]:
            promised = None
    yield Spell(state, begins, None, leg, kind, started, promised)


def _story(house: House, case_id: int, promises: Mapping[int, Sequence[date]]) -> str:
    """All that can be known of a case whose ledger was not as reckoned."""
    tables = {
        "events": "select at, verb, from_state, to_state, leg from events where deviation_id = {} order by id",
        "handovers": "select position, branch_id, unit_id, sent_at from handovers where deviation_id = {} order by position",
        "pauses": "select started_at, ended_at, cause from pauses where deviation_id = {} order by started_at",
        "sides": "select branch_id, opened_at, quiet_at, quiet_until from sides where deviation_id = {}",
        "reminders": "select branch_id, clock, leg, started_at, step, role, made_at, outcome from reminders"
        " where deviation_id = {} order by id",
    }
    lines = [f"Case {case_id}, promises {promises.get(case_id, ())}"]
    for table, query in tables.items():
        lines += [f"  {table}: " + " | ".join(map(str, row)) for row in house.ask(query.format(case_id))]
    return "\n".join(lines)


def in_ledger(house: House) -> Counter[Key]:
    rows = house.ask("select deviation_id, branch_id, clock, leg, started_at, step, role from reminders")
    return Counter(rows)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Sent:
    """What came of a year: what was missed or done twice, and how much mail people got."""

    missing: set[Key]
    extra: set[Key]
    unended: int
    untold: list[object]
    unmailed: list[object]
    repeated: int
    forbidden: list[str]
    letters: int
    reminders: int
    a_day: Counter[int]
    stories: list[str]

    @property
    def p95(self) -> int:
        """Mails to a person on a day on which they get any."""
        days = sorted(self.a_day.elements())
        return days[ceil(len(days) * 0.95) - 1]


def came_of(house: House, until: datetime, promises: Mapping[int, Sequence[date]]) -> Sent:
    ledger, wanted = in_ledger(house), expected(house, until, promises)
    mails = {str(mail["Message-ID"]): mail for mail in house.office.accepted}
    numbers = dict(house.ask("select id, case_number from deviations"))
    unmailed = []
    letters = {key.partition("@")[0].rpartition(".")[2]: m for key, m in mails.items() if "<letter." in key}
    for letter, case_id in house.ask(
        "select letter_id, deviation_id from notices where outcome = 'sent' and deviation_id is not null"
    ):
        mail = letters.get(str(letter))
        if mail is None or str(numbers[case_id]) not in mail.get_content():
            unmailed.append((letter, case_id))
    per_day: Counter[tuple[str, date]] = Counter()
    forbidden = []
    for mail in mails.values():
        sent = clock.local(mail["Date"].datetime)
        per_day[str(mail["To"]), sent.date()] += 1
        if not COUNTY.is_working_day(sent.date()) or not hour(7) <= sent.time() <= hour(17):
            forbidden.append(f"{sent} {mail['Subject']}")
    [(unended,)] = house.ask(
        f"select count(*) from notices where ended_at is null and due_at <= '{until.isoformat()}'"
    )
    return Sent(
        missing=wanted - set(ledger),
        extra=set(ledger) - wanted,
        unended=int(str(unended)),
        # Of a step that went to nobody the ledger says why; of every other there is somebody who was to hear of it.
        untold=house.ask(
            "select r.deviation_id, r.clock, r.step, r.role from reminders r where r.outcome is null"
            " and not exists (select from notices n where n.reminder_id = r.id)"
        ),
        unmailed=unmailed,
        repeated=len(house.office.accepted) - len(mails),
        forbidden=forbidden,
        letters=len(mails),
        reminders=len(ledger),
        a_day=Counter(per_day.values()),
        stories=[
            _story(house, case_id, promises) for case_id in sorted({key[0] for key in wanted ^ set(ledger)})
        ],
    )
