"""Proportions and answer times with their uncertainty: the only place where either is calculated.

Sources: E. B. Wilson, JASA 22 (1927) 209; R. G. Newcombe, Statistics in Medicine 17 (1998) 857, method 3;
E. L. Kaplan and P. Meier, JASA 53 (1958) 457; R. Brookmeyer and J. Crowley, Biometrics 38 (1982) 29, with the
log-log transformation of the survival function.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, log, sqrt

from backend.core.text import gettext as _
from backend.core.text import number, percent

Z_95 = 1.959963984540054
PUBLISHABLE_FROM = 10
_HALF = Fraction(1, 2)
_PER_CENT = "\u00a0%"


def wilson(successes: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval for a proportion, as fractions; `z` is the normal quantile, not a level.

    (0, 1) when n is 0: nothing is known. Raises ValueError when it is not 0 ≤ successes ≤ n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a proportion")
    if n == 0:
        return 0.0, 1.0
    share, z2 = successes / n, z * z
    middle = share + z2 / (2 * n)
    reach = z * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    scale = 1 + z2 / n
    # At the ends the bound is exactly 0 or 1; rounding must not put it a hair beside.
    low = (middle - reach) / scale if successes > 0 else 0.0
    high = (middle + reach) / scale if successes < n else 1.0
    return low, high


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many, as in answered of matured. Raises ValueError when it is not 0 ≤ part ≤ whole."""

    part: int
    whole: int

    def __post_init__(self) -> None:
        if not 0 <= self.part <= self.whole:
            raise ValueError(f"{self.part} of {self.whole} is not a proportion")

    @property
    def value(self) -> float | None:
        """The share as a fraction; None of nothing."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval, as fractions."""
        return wilson(self.part, self.whole)

    @property
    def publishable(self) -> bool:
        """Below ten the picture shows the interval, not a rate."""
        return self.whole >= PUBLISHABLE_FROM

    def sentence(self, what: str = "ärenden med utgången svarsfrist", done: str = "besvarade") -> str:
        """One Swedish sentence: of `what` so many are `done`, with the uncertainty in whole per cent."""
        if not self.whole:
            return _("Inga {what} ännu.").format(what=what)
        low, high = (percent(bound) for bound in self.interval)
        words = {
            "part": number(self.part),
            "whole": number(self.whole),
            "what": what,
            "done": done,
            "share": percent(self.part / self.whole),
            "span": f"{low.removesuffix(_PER_CENT)}–{high}",
        }
        if self.publishable:
            return _("{part} av {whole} {what} är {done} ({share}, osäkerhet {span}).").format(**words)
        return _("{part} av {whole} {what} är {done} (för få för en andel, osäkerhet {span}).").format(
            **words
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A day on which answers came: of the `at_risk` not yet answered, `answered` were; `waiting` is S(t)."""

    day: int
    at_risk: int
    answered: int
    waiting: Fraction
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Median:
    """Days until half are answered, with a 95 % interval. None: so long that the cases do not show it yet."""

    value: int | None
    low: int | None
    high: int | None


def survival(answered: Mapping[int, int], ongoing: Mapping[int, int], z: float = Z_95) -> list[Step]:
    """The Kaplan–Meier curve of what still waits, from the number of cases by days: answered, or censored open.

    A case censored on a day was still at risk on that day. S(t) is exact. Its band (Greenwood's variance,
    log-log) is None where S(t) is 0, which has no logarithm. Raises ValueError for days or numbers below 0.
    """
    if any(value < 0 for counts in (answered, ongoing) for item in counts.items() for value in item):
        raise ValueError("days and numbers of cases cannot be negative")
    at_risk = sum(answered.values()) + sum(ongoing.values())
    waiting, variance = Fraction(1), 0.0
    steps: list[Step] = []
    for day in sorted(answered.keys() | ongoing.keys()):
        came = answered.get(day, 0)
        left = at_risk - came
        if came:
            waiting *= Fraction(left, at_risk)
            low: float | None = None
            high: float | None = None
            if left:
                variance += came / (at_risk * left)
                reach = z * sqrt(variance) / -log(waiting)
                low, high = (float(waiting) ** exp(sign * reach) for sign in (1, -1))
            steps.append(Step(day, at_risk, came, waiting, low, high))
        at_risk = left - ongoing.get(day, 0)
    return steps


def median_answer_time(durations: Sequence[tuple[int, bool]]) -> Median:
    """The first day with S(t) ≤ ½, from (days, answered) per case; the open ones count with the days so far.

    The interval is Brookmeyer and Crowley's: from the first day whose lower band reaches ½ to the first whose
    upper band does.
    """
    return median_of_counts(
        Counter(days for days, answered in durations if answered),
        Counter(days for days, answered in durations if not answered),
    )


def median_of_counts(answered: Mapping[int, int], ongoing: Mapping[int, int]) -> Median:
    """As `median_answer_time`, from numbers of cases by days, which add up over units and months."""
    steps = survival(answered, ongoing)
    return Median(
        value=_first_at_half((step.day, step.waiting) for step in steps),
        low=_first_at_half((step.day, step.low) for step in steps),
        high=_first_at_half((step.day, step.high) for step in steps),
    )


def _first_at_half(curve: Iterable[tuple[int, Fraction | float | None]]) -> int | None:
    return next((day for day, height in curve if height is not None and height <= _HALF), None)
