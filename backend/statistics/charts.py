"""The pictures: Altair says what, vl-convert draws it as SVG on the server, with no script in the page.

A picture lies on white paper, in dark mode too (`figures.css`), so that page, print and slide show the same one.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from backend.core.text import gettext as _
from backend.statistics.rates import Rate

FONT = "Source Sans 3, sans-serif"
INK, FAINT, SPAN, POINT = "#1c2526", "#d5dcdc", "#7aa5a6", "#0b5557"
_STEP = 36
_NARROWEST = 420

# vl-convert names parts in English for screen readers, and its class names could meet those of the page. The
# figure around the picture says what it shows.
_ENGLISH = re.compile(r' (?:class|role|aria-[a-z]+)="[^"]*"')


@dataclass(frozen=True, slots=True)
class Month:
    """A point of the run: `code` sets it apart, `label` is what stands under it."""

    code: str
    label: tuple[str, ...]
    rate: Rate


@dataclass(frozen=True, slots=True)
class Run:
    """Rates month by month under one heading."""

    title: str
    months: tuple[Month, ...]


# vl-convert takes a tenth of a second. The key is all that is drawn, numbers and words, so whoever asks for the
# same picture has the same numbers: nothing passes between branches.
@lru_cache(maxsize=256)
def rates_by_month(runs: tuple[Run, ...]) -> Markup:
    """Runs above each other: the 95 % interval as a bar, and from ten cases the rate as a point on it.

    The labels are months and numbers of ours, and vl-convert escapes what it writes: the SVG is safe to show
    as it is, which is why it is a `Markup`.
    """
    # Importing these takes over a second: only a process that draws should pay for it.
    import altair as alt  # noqa: PLC0415
    import vl_convert  # noqa: PLC0415

    picture = alt.vconcat(*(_panel(alt, run) for run in runs), spacing=28).configure(
        font=FONT, background="white", aria=False
    )
    picture = picture.configure_view(stroke=None).configure_title(
        anchor="start", color=INK, fontSize=14, fontWeight=600, offset=10
    )
    picture = picture.configure_axis(
        labelColor=INK, labelFontSize=13, domainColor=FAINT, gridColor=FAINT, ticks=False, title=None
    )
    svg: str = vl_convert.vegalite_to_svg(picture.to_dict())
    return Markup(_ENGLISH.sub("", svg))  # noqa: S704


def _panel(alt: Any, run: Run) -> Any:
    rows = [
        {
            # A label of several lines is one text to the axis, which splits it again.
            "month": "|".join((month.code, *month.label, str(month.rate.whole))),
            "low": month.rate.interval[0] if month.rate.whole else None,
            "high": month.rate.interval[1] if month.rate.whole else None,
            "share": month.rate.value if month.rate.publishable else None,
        }
        for month in run.months
    ]
    axis = alt.Axis(
        labelExpr="slice(split(datum.label, '|'), 1)", labelAngle=0, labelOverlap=False, labelPadding=6
    )
    shares = alt.Axis(
        values=[0, 0.5, 1], labelExpr="format(datum.value * 100, 'd') + '\u00a0%'", domain=False
    )
    # Named, so that a month without cases keeps its place.
    order = alt.Scale(domain=[row["month"] for row in rows])
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("month:N", scale=order, axis=axis))
    span = base.mark_rule(strokeWidth=7, strokeCap="round", color=SPAN, aria=False).encode(
        y=alt.Y("low:Q", scale=alt.Scale(domain=[0, 1]), axis=shares), y2="high:Q"
    )
    point = base.mark_point(filled=True, size=90, opacity=1, color=POINT, aria=False).encode(y="share:Q")
    width = max(_NARROWEST, _STEP * len(rows))
    return (span + point).properties(title=run.title, width=width, height=120)


def note() -> str:
    """What the signs mean, to stand under the picture."""
    return _(
        "Strecket visar osäkerheten (95 %) och punkten andelen. Under månaden står hur många ärenden som hade "
        "utgången svarsfrist; är de färre än tio visas bara osäkerheten."
    )
