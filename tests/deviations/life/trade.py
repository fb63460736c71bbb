"""The trade in plain Python, from the glossary and the life of a deviation: who is who, who sees, who may.

Written without a look at `rules.py`, so that the two can disagree. Nothing here knows a database.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from backend.core.calendar import Calendar, local_date

WORKING = Calendar()
HELD = frozenset({"sent", "acknowledged", "in_review", "returned"})
LEFT = frozenset({"declined", "withdrawn"})


@dataclass(frozen=True)
class Unit:
    hsa_id: str
    branch: str
    above: tuple[str, ...] = ()
    commissioned_by: str | None = None


@dataclass(frozen=True)
class Who:
    """Someone in one branch (or in none), with roles over units, or over the whole branch where the unit is ''."""

    email: str
    branch: str
    roles: tuple[tuple[str, str], ...]
    guest: bool = False

    def has(self, roles: set[str], unit: Unit | None = None) -> bool:
        """Whether one of the roles reaches the unit; without a unit, whether it is a role over the branch."""
        return any(
            role in roles
            and (
                not where
                if unit is None
                else unit.branch == self.branch and where in ("", unit.hsa_id, *unit.above)
            )
            for role, where in self.roles
        )

    def handles(self, unit: Unit) -> bool:
        return self.has({"handler", "manager", "safety"}, unit)

    def manages(self, unit: Unit) -> bool:
        return self.has({"manager", "safety"}, unit)

    def files_from(self, unit: Unit) -> bool:
        return self.has({"reporter", "handler", "manager", "safety"}, unit)

    @property
    def safety(self) -> bool:
        return self.has({"safety"})

    @property
    def registrar(self) -> bool:
        return self.has({"registrar"})


@dataclass
class Words:
    """A text somebody wrote: which words, and where it stands: in the report, on a leg, or as a branch's own. What is
    said as the case is taken back is the sender's to read alone.
    """

    tokens: set[str]
    leg: int | None = None
    own: str | None = None
    draft: bool = False
    parting: bool = False


@dataclass
class Original:
    """What stood behind a mask, and which branches had been given it."""

    tokens: set[str]
    given: set[str]


@dataclass
class Case:
    number: str
    good: bool
    sender: Unit
    reporter: str
    holder: Unit
    sent_at: datetime
    state: str = "sent"
    leg: int = 1
    first_leg: int = 1
    was_declined: bool = False
    texts: list[Words] = field(default_factory=list)
    originals: list[Original] = field(default_factory=list)
    invited: set[tuple[str, str]] = field(default_factory=set)
    flags: set[tuple[str, str]] = field(default_factory=set)
    drafts: dict[str, int] = field(default_factory=dict)
    due_on: date | None = None
    next_due: date | None = None
    answered: bool = False
    reopened: bool = False
    clock: str = "answer"
    clock_began: datetime | None = None
    pauses: list[list[datetime | None]] = field(default_factory=list)
    proposed: Unit | None = None
    standing: tuple[str, str, set[str]] | None = None
    closed_at: datetime | None = None
    delayed: bool = False
    held_by: list[str] = field(default_factory=list)
    """The branch of each leg, the first one first."""

    def __post_init__(self) -> None:
        self.held_by = [self.holder.branch]

    @property
    def held(self) -> bool:
        return self.state not in LEFT

    @property
    def senders(self) -> set[str]:
        return {self.sender.branch, self.sender.commissioned_by or self.sender.branch}

    @property
    def sees(self) -> set[str]:
        """The branches that see the case: the sender's, the holder's, and who commissioned a unit of either."""
        if not self.held:
            return self.senders
        return self.senders | {self.holder.branch, self.holder.commissioned_by or self.holder.branch}

    @property
    def parties(self) -> set[str]:
        return {self.sender.branch, self.holder.branch} if self.held else {self.sender.branch}

    def side_of(self, who: Who) -> Unit | None:
        """The unit of the case on the person's own side."""
        if self.held and who.branch == self.holder.branch:
            return self.holder
        return self.sender if who.branch == self.sender.branch else None

    def opens_to(self, who: Who) -> bool:
        if who.branch not in self.sees:
            return False
        if who.safety:
            return True
        if who.branch not in self.parties:
            return False
        return (
            who.registrar
            or who.handles(self.sender)
            or (self.held and who.handles(self.holder))
            or self.reported_by(who)
            or (who.branch, who.email) in self.invited
        )

    def reported_by(self, who: Who) -> bool:
        return (who.branch, who.email) == (self.sender.branch, self.reporter)

    def handled_by(self, who: Who) -> bool:
        side = self.side_of(who)
        return side is not None and who.handles(side)

    def managed_by(self, who: Who) -> bool:
        side = self.side_of(who)
        return side is not None and who.manages(side)

    def worked_on_by(self, who: Who) -> bool:
        return self.handled_by(who) or self.reported_by(who) or (who.branch, who.email) in self.invited

    # --- what is read -----------------------------------------------------------------------------------------------

    def read_by(self, branch: str) -> set[str]:
        """The words of the case that the branch may read, what is its own aside."""
        if branch not in self.sees:
            return set()
        since = 1 if branch in self.senders else self.first_leg
        return {
            token
            for text in self.texts
            if text.own is None and (text.leg is None or text.leg >= since)
            for token in text.tokens
        }

    def own_words(self, branch: str) -> set[str]:
        return {token for text in self.texts if text.own == branch for token in text.tokens}

    def behind_masks(self, branch: str) -> set[str]:
        """What safety of a branch reads of what was hidden: what the branch had been given, wherever the case is now."""
        return {token for kept in self.originals if branch in kept.given for token in kept.tokens}

    def _given(self, text: Words) -> set[str]:
        if text.own:
            return {text.own}
        if text.parting:
            return {self.sender.branch}
        held_by = self.held_by if text.leg is None else [self.held_by[text.leg - 1]]
        return {self.sender.branch, *held_by}

    def given(self) -> set[str]:
        """What a copy sealed now holds: the report, and what was written while the holder's branch had the case."""
        return {
            token
            for text in self.texts
            if text.own is None and (text.leg is None or text.leg >= self.first_leg)
            for token in text.tokens
        }

    def write(
        self,
        token: str,
        *,
        leg: int | None = None,
        own: str | None = None,
        draft: bool = False,
        parting: bool = False,
    ) -> None:
        self.texts.append(Words({token}, leg, own, draft, parting))

    def discard_draft(self, branch: str) -> None:
        self.texts = [text for text in self.texts if not (text.draft and text.own == branch)]
        self.drafts.pop(branch, None)

    def mask(self, token: str) -> None:
        """Hide it wherever it stands; keep each text as it stood for those who had been given it."""
        for text in self.texts:
            if token in text.tokens:
                if not text.draft:
                    self.originals.append(Original(set(text.tokens), self._given(text)))
                text.tokens.discard(token)

    # --- whose turn, and until when ---------------------------------------------------------------------------------

    def waits_for(self, who: Who) -> bool:
        """Whether it stands in the person's inbox."""
        if self.state in HELD and not (self.good and self.state != "sent"):
            return who.handles(self.holder)
        if self.state in ("answered", "question", "redirect_proposed", "declined"):
            own = self.reported_by(who) and self.state in ("answered", "question")
            return who.handles(self.sender) or own
        if self.state == "disputed":
            return who.manages(self.sender) or who.manages(self.holder)
        return False

    def answer_due(self, as_of: datetime) -> date | None:
        if self.good:
            return None
        assert self.clock_began is not None
        start = local_date(self.clock_began)
        pauses = [pause for pause in self.pauses if pause[0] and pause[0] >= self.clock_began][:2]
        waited, counted_to = 0, start
        for began, ended in pauses:
            assert began is not None
            first = max(local_date(began), counted_to)
            last = local_date(ended) if ended else WORKING.next_working_day(local_date(as_of))
            if last > first:
                calendar_days = (last - first).days
                waited += (
                    calendar_days if self.clock == "answer" else WORKING.working_days_between(first, last)
                )
                counted_to = last
        if self.clock == "answer":
            return WORKING.next_working_day(start + timedelta(days=60 + waited))
        return WORKING.next_working_day(WORKING.add_working_days(start, 10 + waited))

    def run_clock(self, now: datetime, *, until: datetime | None = None) -> date | None:
        """The answer clock as it stands, an open pause counted up to `until`. The day that figures count moves with it
        until the first answer, or until it is over.
        """
        due = self.answer_due(until or now)
        over = self.due_on is not None and self.due_on < local_date(now)
        if not self.answered and not self.reopened and not over:
            self.due_on = due
        return due


def working_days(now: datetime, days: int) -> date:
    return WORKING.next_working_day(WORKING.add_working_days(local_date(now), days))
