"""The way of a case as one picture: its words and its table. The layout is `deviations.timeline`."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from backend.core import clock, text
from backend.core.calendar import local_date
from backend.core.text import gettext as _
from backend.deviations import rules, timeline
from backend.deviations.models import Deviation, Handover, State
from backend.deviations.queries import Happening
from backend.deviations.timeline import Stay, Turn


def shown(
    deviation: Deviation,
    legs: Sequence[Handover],
    happened: Sequence[Happening],
    party: rules.Party | None,
    due_on: date | None,
) -> dict[str, Any] | None:
    """The picture of what this reader may know: the walls have left out the legs that are not theirs. None for
    imported history that rests, and for a case that is less than a day old.
    """
    if deviation.resting:
        return None
    now = clock.now()
    turns = [Turn(item.at, item.to_state, item.leg) for item in happened]
    stays = timeline.stays(
        turns, {leg.position: leg.unit.name for leg in legs}, deviation.sender_unit.name, now
    )
    drawn = timeline.picture(stays, due_on)
    if drawn is None:
        return None
    open_still = State(deviation.state) in rules.WAITS_FOR
    today = open_still and drawn.last == local_date(now)
    return {
        "lanes": drawn.lanes,
        "first": text.day_and_month(drawn.first),
        "last": _("i dag") if today else text.day_and_month(drawn.last),
        "due": drawn.due,
        "due_words": _("Frist {day}").format(day=text.day_and_month(due_on)) if due_on else "",
        "finding": _finding(stays, party),
        "rows": [_row(stay, ongoing=open_still and stay.end == now) for stay in stays],
    }


def _finding(stays: Sequence[Stay], party: rules.Party | None) -> str:
    """ "Ärendet har varit 12 dagar hos Medicin avdelning 43, varav 3 väntade de på er." One sentence for each unit."""
    held = timeline.held(stays)
    if not held:
        return _("Ärendet har bara varit hos avsändaren.")
    sentences = []
    for place, (unit, days, waited) in enumerate(held):
        where = _("er") if party == "receiver" and len(held) == 1 else unit
        said = (
            _("Ärendet har varit {days} hos {unit}") if place == 0 else _("Sedan var det {days} hos {unit}")
        )
        said = said.format(days=_days(days), unit=where)
        if waited:
            whom = {
                "sender": _("{said}, varav {n} väntade de på er"),
                "receiver": _("{said}, varav {n} väntade ni på avsändaren"),
                None: _("{said}, varav {n} väntade de på avsändaren"),
            }[party]
            said = whom.format(said=said, n=text.number(waited))
        sentences.append(said + ".")
    return " ".join(sentences)


def _row(stay: Stay, *, ongoing: bool) -> list[str]:
    what = {"has": _("Hade ordet"), "waits": _("Väntade på den andra")}[stay.what]
    until = _("pågår") if ongoing else text.short_date(local_date(stay.end))
    return [stay.unit, what, text.short_date(local_date(stay.start)), until, text.number(stay.days)]


def _days(n: int) -> str:
    return _("1 dag") if n == 1 else _("{n} dagar").format(n=text.number(n))
