"""What the walkers do: for each verb, what the trade says of it, and the action that does it.

A verb gives the errors that may be met (none: it must go through), the call, and what has become of the case in the
model when it went through.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core.calendar import end_of_day
from backend.deviations import actions
from backend.deviations.forms import (
    AnswerActionForm,
    CommentForm,
    ConfirmRedirectForm,
    DeclineForm,
    DelayForm,
    QuestionForm,
    RedirectForm,
    ResendForm,
    SettleForm,
    VerdictForm,
)
from backend.deviations.models import Deviation, Reason, VerdictKind
from tests.deviations.life.cast import UNITS
from tests.deviations.life.trade import HELD, Case, Unit, Who, working_days
from tests.people import ANSWER


@dataclass
class Copy:
    branch: str
    number: str
    tokens: set[str]


@dataclass
class World:
    """The model of all there is."""

    now: datetime
    cases: list[Case] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    links: dict[tuple[str, str], str] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    written: int = 0

    def token(self) -> str:
        """A canary: a word nobody else has written."""
        self.written += 1
        return f"kanarie{self.written:05d}x"

    def seal(self, case: Case, parting: str | None = None) -> None:
        tokens = case.given() | ({parting} if parting else set())
        self.copies.append(Copy(case.holder.branch, case.number, tokens))

    def invited_anywhere(self, who: Who) -> bool:
        return any((who.branch, who.email) in case.invited for case in self.cases)


Act = Callable[[Session, Identity, Deviation], object]


@dataclass
class Step:
    """`refused`: the statuses that may come instead; empty where it must go through."""

    refused: set[int]
    act: Act
    then: Callable[[], None]
    token: str = ""


Verb = Callable[[World, Case, Who, Random], Step]
VERBS: dict[str, Verb] = {}


def verb(function: Verb) -> Verb:
    VERBS[function.__name__] = function
    return function


def refused(*checks: tuple[bool, int]) -> set[int]:
    """403 before 409: who may not do a thing is not told why it cannot be done. What is written wrong may come first."""
    found = {status for holds, status in checks if not holds}
    return found - {409} if 403 in found else found


def _by_holder(case: Case, who: Who) -> bool:
    return case.held and who.branch == case.holder.branch and who.handles(case.holder)


def _by_sender(case: Case, who: Who, *, reporter: bool = False) -> bool:
    return (who.branch == case.sender.branch and who.handles(case.sender)) or (
        reporter and case.reported_by(who)
    )


def _goes(case: Case, state: str, next_due: Any) -> None:
    case.state, case.next_due = state, next_due


@verb
def acknowledge(world: World, case: Case, who: Who, _random: Random) -> Step:
    token = world.token()

    def then() -> None:
        case.write(token, leg=case.leg)
        _goes(case, "acknowledged", case.run_clock(world.now))

    return Step(
        refused((_by_holder(case, who), 403), (case.state == "sent", 409)),
        lambda db, me, d: actions.acknowledge(db, me, d, f"Tack {token}"),
        then,
    )


@verb
def review(world: World, case: Case, who: Who, _random: Random) -> Step:
    return Step(
        refused((_by_holder(case, who), 403), (case.state in HELD - {"in_review"}, 409)),
        actions.review,
        lambda: _goes(case, "in_review", case.run_clock(world.now)),
    )


@verb
def question(world: World, case: Case, who: Who, _random: Random) -> Step:
    token = world.token()

    def then() -> None:
        case.write(token, leg=case.leg)
        reply_by = working_days(world.now, 5)
        if len(case.pauses) < 2 and not case.good:
            case.pauses.append([world.now, None])
            case.run_clock(world.now, until=end_of_day(reply_by))
        _goes(case, "question", reply_by)

    return Step(
        refused((_by_holder(case, who), 403), (case.state in HELD, 409)),
        lambda db, me, d: actions.question(db, me, d, QuestionForm(text=f"Vilken dag? {token}")),
        then,
    )


def end_pause(world: World, case: Case) -> None:
    for pause in case.pauses:
        pause[1] = pause[1] or world.now
    _goes(case, "in_review", case.run_clock(world.now))


@verb
def reply(world: World, case: Case, who: Who, _random: Random) -> Step:
    token = world.token()

    def then() -> None:
        case.write(token, leg=case.leg)
        end_pause(world, case)

    return Step(
        refused((_by_sender(case, who, reporter=True), 403), (case.state == "question", 409)),
        lambda db, me, d: actions.reply(db, me, d, QuestionForm(text=f"I tisdags. {token}")),
        then,
    )


def _handed_over(world: World, case: Case, unit: Unit, token: str) -> None:
    case.leg += 1
    case.held_by.append(unit.branch)
    if unit.branch != case.holder.branch:
        case.first_leg, case.delayed = case.leg, False
    case.holder, case.proposed = unit, None
    case.write(token, leg=case.leg)
    case.run_clock(world.now)
    _goes(case, "sent", working_days(world.now, 5))


def _unit(case: Case, random: Random) -> Unit:
    """Often one of the holder's own branch, sometimes one that will not do."""
    own = [unit for unit in UNITS.values() if unit.branch == case.holder.branch]
    return random.choice(own if random.random() < 0.3 else list(UNITS.values()))


@verb
def redirect(world: World, case: Case, who: Who, random: Random) -> Step:
    token, unit = world.token(), _unit(case, random)
    fits = unit.branch != case.sender.branch and unit != case.holder

    def then() -> None:
        if unit.branch == case.holder.branch:
            _handed_over(world, case, unit, token)
            return
        case.write(token, leg=case.leg)
        case.proposed = unit
        _goes(case, "redirect_proposed", working_days(world.now, 2))

    return Step(
        refused((_by_holder(case, who), 403), (case.state in HELD, 409), (fits, 422)),
        lambda db, me, d: actions.redirect(
            db, me, d, RedirectForm(unit=unit.hsa_id, comment=f"Hör till dem. {token}")
        ),
        then,
    )


@verb
def confirm_redirect(world: World, case: Case, who: Who, random: Random) -> Step:
    token, yes = world.token(), random.random() < 0.7

    def then() -> None:
        assert case.proposed is not None
        if yes:
            world.seal(case)
            _handed_over(world, case, case.proposed, token)
            return
        case.write(token, leg=case.leg)
        case.proposed = None
        _goes(case, "in_review", case.run_clock(world.now))

    return Step(
        refused((_by_sender(case, who), 403), (case.state == "redirect_proposed", 409)),
        lambda db, me, d: actions.confirm_redirect(
            db, me, d, ConfirmRedirectForm(confirm=yes, comment=f"Ja eller nej. {token}")
        ),
        then,
    )


@verb
def decline(world: World, case: Case, who: Who, _random: Random) -> Step:
    token = world.token()

    def then() -> None:
        if case.was_declined:
            case.write(token, leg=case.leg)
            case.standing = None
            _goes(case, "disputed", working_days(world.now, 10))
            return
        case.was_declined = True
        world.seal(case, token)
        case.write(token, leg=case.leg)
        _goes(case, "declined", working_days(world.now, 20))

    return Step(
        refused((_by_holder(case, who), 403), (case.state in HELD, 409)),
        lambda db, me, d: actions.decline(
            db, me, d, DeclineForm(reason=Reason.NOT_INVOLVED, comment=f"Inte vi. {token}")
        ),
        then,
    )


@verb
def resend(world: World, case: Case, who: Who, random: Random) -> Step:
    token, unit = world.token(), _unit(case, random)
    return Step(
        refused(
            (_by_sender(case, who), 403),
            (case.state == "declined", 409),
            (unit.branch != case.sender.branch and (unit != case.holder or case.state == "declined"), 422),
        ),
        lambda db, me, d: actions.resend(
            db, me, d, ResendForm(unit=unit.hsa_id, comment=f"Läs igen. {token}")
        ),
        lambda: _handed_over(world, case, unit, token),
    )


@verb
def settle(world: World, case: Case, who: Who, random: Random) -> Step:
    token, outcome = world.token(), random.choice(["agree", "not_ours", "disagreement"])
    if case.standing and random.random() < 0.6:
        outcome = case.standing[1]

    def then() -> None:
        agreed = case.standing and case.standing[0] != who.branch and case.standing[1] == outcome
        case.write(token, leg=case.leg)
        if not agreed:
            case.standing = (who.branch, outcome, {token})
            return
        case.standing = None
        if outcome == "disagreement":
            case.closed_at = world.now
            _goes(case, "closed", None)
            return
        case.answered = True
        _goes(case, "answered", working_days(world.now, 20))

    return Step(
        refused((case.managed_by(who), 403), (case.state == "disputed", 409)),
        lambda db, me, d: actions.settle(
            db, me, d, SettleForm.model_validate({"outcome": outcome, "comment": f"Så här. {token}"})
        ),
        then,
    )


@verb
def answer(world: World, case: Case, who: Who, _random: Random) -> Step:
    token = world.token()

    def then() -> None:
        case.discard_draft(case.holder.branch)
        case.write(token, leg=case.leg)
        case.answered = True
        _goes(case, "answered", working_days(world.now, 20))

    form = ANSWER.model_copy(
        update={"cause": f"Rutinen. {token}", "actions": [AnswerActionForm(text=f"Ändras. {token}")]}
    )
    return Step(
        refused((_by_holder(case, who), 403), (case.state in HELD, 409)),
        lambda db, me, d: actions.answer(db, me, d, form),
        then,
    )


@verb
def judge(world: World, case: Case, who: Who, random: Random) -> Step:
    token, enough = world.token(), random.random() < 0.5

    def then() -> None:
        case.write(token, leg=case.leg)
        if enough:
            case.closed_at = world.now
            _goes(case, "closed", None)
            return
        case.clock, case.clock_began = "returned_answer", world.now
        _goes(case, "returned", case.run_clock(world.now))

    kind = VerdictKind.ACCEPTED if enough else VerdictKind.RETURNED
    return Step(
        refused((_by_sender(case, who, reporter=True), 403), (case.state == "answered", 409)),
        lambda db, me, d: actions.judge(db, me, d, VerdictForm(verdict=kind, comment=f"Nja. {token}")),
        then,
    )


@verb
def withdraw(world: World, case: Case, who: Who, _random: Random) -> Step:
    token = world.token()

    def then() -> None:
        if case.state != "declined":
            world.seal(case)
        case.write(token, leg=case.leg, parting=True)
        _goes(case, "withdrawn", None)

    return Step(
        refused(
            (_by_sender(case, who, reporter=True), 403),
            (case.state in ("sent", "acknowledged", "declined"), 409),
        ),
        lambda db, me, d: actions.withdraw(db, me, d, CommentForm(comment=f"Fel. {token}")),
        then,
    )


@verb
def reopen(world: World, case: Case, who: Who, _random: Random) -> Step:
    token = world.token()
    recently = case.closed_at is not None and world.now <= case.closed_at + timedelta(days=30)

    def then() -> None:
        case.write(token, leg=case.leg)
        case.clock, case.clock_began, case.reopened, case.closed_at = "answer", world.now, True, None
        _goes(case, "in_review", case.run_clock(world.now))

    return Step(
        refused((case.managed_by(who), 403), (case.state == "closed" and recently, 409)),
        lambda db, me, d: actions.reopen(db, me, d, CommentForm(comment=f"Mer. {token}")),
        then,
    )


@verb
def delay_notice(world: World, case: Case, who: Who, _random: Random) -> Step:
    token = world.token()

    def then() -> None:
        case.write(token, leg=case.leg)
        case.delayed = True

    promised = (world.now + timedelta(days=30)).date()
    return Step(
        refused((_by_holder(case, who), 403), (case.state in HELD and not case.delayed, 409)),
        lambda db, me, d: actions.delay_notice(db, me, d, DelayForm(reason=f"Semester. {token}", promised_on=promised)),
        then,
    )  # fmt: skip


# The verbs above move a case along; those of `asides` do not.
MOVES = frozenset(VERBS)
