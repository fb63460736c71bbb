"""Which of a branch's rules says where a case should go. Pure calculation: rules in, one rule out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class When:
    """What a case must be like for a rule to speak of it. None is anything; a category holds all below it."""

    category_id: int | None = None
    target_group: str | None = None
    care_level: str | None = None

    @property
    def named(self) -> int:
        """How much it says: of these three, how many."""
        return sum(part is not None for part in (self.category_id, self.target_group, self.care_level))


@dataclass(frozen=True)
class Rule:
    id: int
    when: When
    unit_id: int
    position: int


@dataclass(frozen=True)
class Case:
    """What the rules ask of a case. `category_path` holds the ids from the outermost category to its own;
    `care_level` is that of the sending unit.
    """

    category_path: Sequence[int] = ()
    target_group: str | None = None
    care_level: str | None = None


@dataclass(frozen=True)
class Suggestion:
    """The unit that the rules point at, and the rule that did."""

    unit_id: int
    rule: Rule


def suggest(rules: Iterable[Rule], case: Case) -> Suggestion | None:
    """The rule that says most about the case, or None where no rule speaks of it.

    More things named goes before fewer; of the same number, a nearer category before one further out and that
    before none, then the branch's own order (`position`), then the older rule. In which order the rules are given
    does not matter.
    """
    speaking = [rule for rule in rules if speaks_of(rule.when, case)]
    if not speaking:
        return None
    best = min(speaking, key=lambda rule: precedence(rule, case.category_path))
    return Suggestion(best.unit_id, best)


def speaks_of(when: When, case: Case) -> bool:
    """Whether everything that is named holds for the case. What is not known of a case matches no name."""
    return (
        (when.category_id is None or when.category_id in case.category_path)
        and when.target_group in (None, case.target_group)
        and when.care_level in (None, case.care_level)
    )


def precedence(rule: Rule, category_path: Sequence[int] = ()) -> tuple[int, int, int, int]:
    """What goes first sorts first."""
    category = rule.when.category_id
    depth = category_path.index(category) if category in category_path else -1
    return (-rule.when.named, -depth, rule.position, rule.id)
