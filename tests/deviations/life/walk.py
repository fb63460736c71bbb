"""Random walks: somebody tries something on some case, and after each step the house is held against the model."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from fastapi.testclient import TestClient
from sqlalchemy import Connection, text

from backend.core import clock, db
from backend.core.errors import NotFoundError, SamsvarError
from backend.core.jobs import kinds_due
from backend.deviations import actions, queries
from tests.deviations.life.asides import VERBS
from tests.deviations.life.cast import CAST, UNITS, Identities
from tests.deviations.life.moves import MOVES, World, end_pause
from tests.deviations.life.stored import EVERYTHING, STANDS
from tests.deviations.life.trade import Case, Who, working_days
from tests.people import cookie_for, report_form
from workers import deviations as jobs
from workers.app import celery

celery.loader.import_default_modules()

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
CANARY = re.compile(r"kanarie\d+x")
LIVING = 8


@dataclass(frozen=True)
class Try:
    """A step as it can be taken again in any world: which verb, whose, on which case, and the seed of the rest."""

    verb: str
    who: int
    case: int
    seed: int


@dataclass
class Tally:
    steps: int = 0
    cases: int = 0
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    read: int = 0
    pages: int = 0
    mails: int = 0


class AmissError(AssertionError):
    """The house and the model do not agree."""


class Walk:
    """One walk in one database."""

    def __init__(self, past_the_walls: Connection, app: object, tally: Tally) -> None:
        self.look, self.app, self.tally = past_the_walls, app, tally
        self.ids = Identities()
        self.world = World(START)
        rows = self.look.execute(text("select email, id from people")).all()
        self.world.people = dict(rows)
        self.branches = dict(self.look.execute(text("select hsa_id, id from branches")).all())
        # How often in this walk: the rare is sought out, so that luck does not decide whether it ever comes.
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    # --- choosing ---------------------------------------------------------------------------------------------------

    def choose(self, random: Random) -> Try:
        """Mostly something that somebody may do on a case that lives, often what has been done least; else anybody,
        anything.
        """
        living = [i for i, case in enumerate(self.world.cases) if case.state != "withdrawn"][-LIVING:]
        seed = random.randrange(2**32)
        if not living or random.random() < 0.06:
            return Try("file", random.randrange(len(CAST)), 0, seed)
        if random.random() < 0.06:
            return Try("pass_time", 0, 0, seed)
        number, verbs = random.choice(living), list(VERBS)
        random.shuffle(verbs)
        if random.random() < 0.3:
            for name in sorted(verbs, key=lambda name: self.done[name]):
                for number in random.sample(living, len(living)):
                    if able := self._able(name, number):
                        return Try(name, random.choice(able), number, seed)
        if random.random() < 0.75:
            # A move before an aside: four of five.
            verbs.sort(key=lambda name: name in MOVES and random.random() < 0.8, reverse=True)
            for name in verbs:
                if able := self._able(name, number):
                    return Try(name, random.choice(able), number, seed)
        verbs.sort(key=lambda name: self.refused[name])
        return Try(verbs[0], random.randrange(len(CAST)), number, seed)

    def _able(self, name: str, number: int) -> list[int]:
        """Who may do that to the case as it stands."""
        case = self.world.cases[number]
        return [i for i, one in enumerate(CAST) if case.opens_to(one) and not self._refusal(name, case, one)]

    def _refusal(self, name: str, case: Case, who: Who) -> set[int]:
        written = self.world.written
        found = VERBS[name](self.world, case, who, Random(0)).refused
        self.world.written = written
        return found

    # --- taking a step ----------------------------------------------------------------------------------------------

    def take(self, one: Try) -> None:
        random = Random(one.seed)
        self.tally.steps += 1
        self.world.now += timedelta(minutes=random.randrange(1, 240))
        with clock.at(self.world.now):
            if one.verb == "pass_time":
                self._pass_time(random)
            elif one.verb == "file" or not self.world.cases:
                self._file(CAST[one.who], random)
            else:
                self._act(one, self.world.cases[one.case % len(self.world.cases)], random)
            if self.world.cases:
                self._look_around(random)

    def _file(self, who: Who, random: Random) -> None:
        homes = [unit for unit in UNITS.values() if who.files_from(unit)]
        if not homes:
            return
        sender = random.choice(homes)
        holder = random.choice([unit for unit in UNITS.values() if unit.branch != sender.branch])
        good, token = random.random() < 0.1, self.world.token()
        form = report_form(
            sender_unit=sender.hsa_id,
            receiver_unit=holder.hsa_id,
            description=f"Det som hände. {token}",
            event_kind="good_example" if good else "adverse_event",
        )
        me = self.ids.of(who)
        assert me is not None
        with db.unit_of_work(me.scope) as session:
            number = actions.report(session, me, form).case_number
        case = Case(number, good, sender, who.email, holder, self.world.now, clock_began=self.world.now)
        case.write(token)
        case.run_clock(self.world.now)
        case.next_due = working_days(case.sent_at, 5)
        self.world.cases.append(case)
        self.tally.cases += 1
        self._stands(case)

    def _act(self, one: Try, case: Case, random: Random) -> None:
        who = CAST[one.who]
        me = self.ids.of(who)
        if (me is not None) != (not who.guest or self.world.invited_anywhere(who)):
            raise AmissError(f"{who.email} has a place: {me is not None}")
        if me is None:
            return
        step = VERBS[one.verb](self.world, case, who, random)
        expected = step.refused if case.opens_to(who) else {404}
        before = self._row(case)
        met = 0
        try:
            with db.unit_of_work(me.scope) as session:
                step.act(session, me, queries.deviation(session, me, case.number))
        except SamsvarError as error:
            met = error.status
        if met not in (expected or {0}):
            raise AmissError(
                f"{one.verb} by {who.email}: {met}, expected {expected or 'to go through'}; {case}"
            )
        (self.tally.refused if met else self.tally.done)[one.verb] += 1
        (self.refused if met else self.done)[one.verb] += 1
        if met:
            if self._row(case) != before:
                raise AmissError(f"{one.verb} was refused with {met}, and changed the case")
        else:
            step.then()
            self._stands(case)

    def _pass_time(self, random: Random) -> None:
        self.world.now += timedelta(days=random.choice([1, 1, 2, 3, 5, 9, 16, 25]))
        with clock.at(self.world.now):
            # A shift is five seconds, which on a busy machine may end before the work does.
            while "deviations.go_home" in kinds_due():
                jobs.go_home()
            for case in self.world.cases:
                if case.next_due is None or clock.today() <= case.next_due:
                    continue
                if case.state == "question":
                    end_pause(self.world, case)
                elif case.state == "redirect_proposed":
                    case.proposed = None
                    case.state, case.next_due = "in_review", case.run_clock(self.world.now)
                elif case.state in ("answered", "disputed"):
                    case.state, case.next_due, case.closed_at = "closed", None, self.world.now
                elif case.state == "declined":
                    case.state, case.next_due = "withdrawn", None
                else:
                    continue
                self._stands(case)
            if random.random() < 0.2:
                self._post()

    # --- holding the house against the model ------------------------------------------------------------------------

    def _row(self, case: Case) -> tuple[object, ...]:
        return tuple(self.look.execute(STANDS, {"number": case.number}).one())

    def _stands(self, case: Case) -> None:
        state, holder, due_on, next_due, first_leg, _revision, sees, legs = self._row(case)
        found = (state, holder, due_on, next_due, first_leg, sees, legs)
        model = (
            case.state,
            case.holder.hsa_id,
            case.due_on,
            case.next_due,
            case.first_leg,
            sorted(case.sees),
            case.leg,
        )
        if found != model:
            raise AmissError(f"{case.number} stands so: {found}, expected {model}")

    def _look_around(self, random: Random) -> None:
        """Each time somebody reads a case; now and then their lists, a page, and all that a branch can reach."""
        who = random.choice(CAST)
        case = random.choice(self.world.cases[-LIVING:])
        if random.random() < 0.3:
            self.reads(who, case)
        if random.random() < 0.1:
            self.lists(who)
        if random.random() < 0.02:
            self.page(who, case)
        if random.random() < 0.02:
            self.reaches_nothing_else()

    def reads(self, who: Who, case: Case) -> None:
        me = self.ids.of(who)
        if me is None:
            return
        self.tally.read += 1
        expected: set[str] | None = None
        if case.opens_to(who):
            expected = case.read_by(who.branch) | {
                token
                for words in case.texts
                if words.own == who.branch and (not words.draft or who.branch == case.holder.branch)
                for token in words.tokens
            }
            if who.safety:
                expected |= case.behind_masks(who.branch)
        with db.unit_of_work(me.scope) as session:
            try:
                deviation = queries.deviation(session, me, case.number)
            except NotFoundError:
                found = None
            else:
                shown = [
                    deviation.description,
                    deviation.delay_reason,
                    [item.comment for item in queries.happenings(session, deviation)],
                    [(item.text, item.reply) for item in queries.questions(session, deviation)],
                    [
                        (item.cause, item.verdict_comment, [step.text for step in item.actions])
                        for item in queries.answers(session, deviation)
                    ],
                    [item.text for item in queries.notes(session, me, deviation)],
                    [item.comment for item in queries.risk_flags(session, me, deviation)],
                    [item.original for item in queries.masks(session, me, deviation)],
                    getattr(queries.find_proposal(session, deviation, "settle"), "comment", None),
                    getattr(queries.answer_draft(session, deviation), "typed", None),
                ]
                found = set(CANARY.findall(str(shown)))
                linked = {number for number, _own in queries.linked(session, me, deviation)}
                self._linked(who, case, linked)
        # What was proposed before the last time stands in no page, but in the log or nowhere.
        missing = (expected or set()) - (found or set()) - self._proposals_of(case)
        if (found is None) != (expected is None) or (found or set()) - (expected or set()) or missing:
            raise AmissError(f"{who.email} reads {found} of {case.number}, expected {expected}; {case}")

    def _proposals_of(self, case: Case) -> set[str]:
        rows = self.look.scalars(
            text(
                "select comment from proposals p join deviations d on d.id = deviation_id where case_number = :n"
            ),
            {"n": case.number},
        )
        return set(CANARY.findall(" ".join(rows)))

    def _linked(self, who: Who, case: Case, found: set[str]) -> None:
        seen = {other.number for other in self.world.cases if other.opens_to(who)}
        pairs = [pair for pair in self.world.links if case.number in pair]
        expected = {number for pair in pairs for number in pair if number != case.number} & seen
        if found != expected:
            raise AmissError(f"{who.email} sees links {found} of {case.number}, expected {expected}")

    def lists(self, who: Who) -> None:
        me = self.ids.of(who)
        if me is None:
            return
        with db.unit_of_work(me.scope) as session:
            listed = [row.case_number for row in queries.listing(session, me, queries.Filters())]
            waiting = {row.case_number for row in queries.inbox(session, me, limit=1000)}
            copies = queries.sealed_copies(session, me, limit=1000)
            sealed = sorted((copy.case_number, *sorted(CANARY.findall(str(copy.content)))) for copy in copies)
        mine = [case for case in self.world.cases if case.opens_to(who)]
        newest = [case.number for case in reversed(mine)][:51]
        if listed != newest:
            raise AmissError(f"{who.email} lists {listed}, expected {newest}")
        if waiting != {case.number for case in mine if case.waits_for(who)}:
            raise AmissError(f"{who.email} has {waiting} in the inbox")
        held = sorted(
            (copy.number, *sorted(copy.tokens))
            for copy in self.world.copies
            if copy.branch == who.branch and (who.safety or who.registrar)
        )
        if [(one[0], set(one[1:])) for one in sealed] != [(one[0], set(one[1:])) for one in held]:
            raise AmissError(f"{who.email} holds sealed {sealed}, expected {held}")

    def page(self, who: Who, case: Case) -> None:
        if self.ids.of(who) is None:
            return
        name, token = cookie_for(who.email, f"branch:{who.branch}" if who.branch else None)
        browser = TestClient(self.app, follow_redirects=False, cookies={name: token})  # type: ignore[arg-type]
        answer = browser.get(f"/deviations/{case.number}")
        self.tally.pages += 1
        if answer.status_code != (200 if case.opens_to(who) else 404):
            raise AmissError(f"{who.email} gets {answer.status_code} for {case.number}")
        shown = set(CANARY.findall(answer.text))
        may = case.read_by(who.branch) | case.own_words(who.branch)
        if case.opens_to(who) and who.safety:
            may |= case.behind_masks(who.branch)
        if shown - may or (case.opens_to(who) and not shown and case.texts[0].tokens):
            raise AmissError(f"{who.email} is shown {shown} of {case.number}, may read {may}")
        answer = browser.get(f"/deviations/{case.number}/masked")
        opens = 200 if self._opens_masked(who, case) else 403 if case.opens_to(who) else 404
        if answer.status_code != opens:
            raise AmissError(f"{who.email} gets {answer.status_code} for what is masked in {case.number}")
        shown = set(CANARY.findall(answer.text))
        if shown != (case.behind_masks(who.branch) if opens == 200 else set()):
            raise AmissError(f"{who.email} is shown {shown} behind the masks of {case.number}")

    def _opens_masked(self, who: Who, case: Case) -> bool:
        left = any((copy.branch, copy.number) == (who.branch, case.number) for copy in self.world.copies)
        return who.safety and (case.opens_to(who) or left)

    def reaches_nothing_else(self) -> None:
        """Past the code: all the words that row-level security lets each branch reach, with each opening of seals."""
        for hsa_id in sorted({unit.branch for unit in UNITS.values()}):
            for sealed in ("", "copies", "all"):
                expected: set[str] = set()
                for case in self.world.cases:
                    expected |= case.read_by(hsa_id) | case.own_words(hsa_id)
                    expected |= case.behind_masks(hsa_id) if sealed == "all" else set()
                if sealed:
                    expected |= {t for c in self.world.copies if c.branch == hsa_id for t in c.tokens}
                scope = db.Scope(branches=(self.branches[hsa_id],), sealed=sealed)  # type: ignore[arg-type]
                with db.unit_of_work(scope) as session:
                    found = set(CANARY.findall(session.scalar(EVERYTHING) or ""))
                if found != expected:
                    raise AmissError(
                        f"{hsa_id} ({sealed}) reaches {found - expected}, and not {expected - found}"
                    )

    def _post(self) -> None:
        """Send what is owed. Whoever gets a mail about a case can open it, and no mail holds a word of it."""
        before = self.look.scalar(text("select coalesce(max(id), 0) from caught_mails"))
        for kind in kinds_due():
            if kind.startswith("notifications.") or kind == "deviations.chase":
                celery.tasks[kind]()
        mails = self.look.execute(
            text('select "to", subject || body from caught_mails where id > :before'), {"before": before}
        )
        for to, words in mails:
            self.tally.mails += 1
            if CANARY.search(words):
                raise AmissError("a mail holds words of a case")
            known = {who.email for who in CAST}
            for case in [case for case in self.world.cases if case.number in words]:
                opened = {who.email for who in CAST if case.opens_to(who)}
                if f"/deviations/{case.number}/masked" in words:
                    opened = {who.email for who in CAST if self._opens_masked(who, case)}
                if set(to) & known - opened:
                    raise AmissError(
                        f"{to} get mail about {case.number}, which they cannot open: {words[:60]}"
                    )
