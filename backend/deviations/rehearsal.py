"""What a routing rule would have done: the latest cases, judged by the rules as they would be. Nothing is moved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from backend.access import Identity
from backend.agreements import routing
from backend.agreements.models import Category
from backend.agreements.routing import Rule
from backend.deviations.models import Deviation
from backend.deviations.rules import visible_to
from backend.directory.models import Unit

LATEST = 30


@dataclass(frozen=True)
class Received:
    """A case that came to the branch, and the unit that holds it."""

    case_number: str
    category_id: int
    category: str
    target_group: str
    care_level: str
    unit_id: int
    unit: str


def latest_received(db: Session, me: Identity, limit: int = LATEST) -> list[Received]:
    """The latest cases sent to one's branch, newest first."""
    sender = aliased(Unit)
    rows = db.execute(
        select(
            Deviation.case_number,
            Category.id,
            Category.label,
            Deviation.target_group,
            sender.care_level,
            Unit.id,
            Unit.name,
        )
        .join(Category, Category.id == Deviation.category_id)
        .join(sender, sender.id == Deviation.sender_unit_id)
        .join(Unit, Unit.id == Deviation.receiver_unit_id)
        .where(visible_to(me), Deviation.receiver_branch_id.in_(me.branches))
        .order_by(Deviation.sent_at.desc(), Deviation.id.desc())
        .limit(limit)
    )
    return [Received(*row) for row in rows]


@dataclass(frozen=True)
class Rehearsed:
    """A case, the unit that the rules would have pointed at (None: no rule speaks of it), and whether it is the
    tried rule that does.
    """

    case: Received
    unit_id: int | None
    caught: bool

    @property
    def elsewhere(self) -> bool:
        """Whether the tried rule would have sent it to another unit than the one that holds it."""
        return self.caught and self.unit_id != self.case.unit_id


def rehearse(
    received: Iterable[Received],
    rules: Sequence[Rule],
    tried: Rule,
    paths: Mapping[int, Sequence[int]],
) -> list[Rehearsed]:
    """Each case under `rules` with `tried` in place of the rule that has its id. `paths` are those of the
    categories (`routing.Case.category_path`), by id.
    """
    then = [*(rule for rule in rules if rule.id != tried.id), tried]
    found = []
    for one in received:
        case = routing.Case(paths[one.category_id], one.target_group, one.care_level)
        suggestion = routing.suggest(then, case)
        found.append(
            Rehearsed(
                one,
                suggestion.unit_id if suggestion else None,
                suggestion is not None and suggestion.rule is tried,
            )
        )
    return found
