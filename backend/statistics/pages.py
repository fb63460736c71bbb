"""The branch's own figures, and the same as a file."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.core import clock
from backend.core.db import COUNTER, Db, unit_of_work
from backend.core.errors import Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import render, url
from backend.statistics import charts, forms, months, queries, sheets, words

router = APIRouter()

From = Annotated[str, Query(alias="from")]


@router.get("/figures", name="statistics.figures")
def figures(request: Request, db: Db, me: Me, first: From = "", to: str = "") -> Response:
    _guard(me)
    errors: list[Fault] = []
    try:
        start, end = forms.period(first, to)
    except InvalidError as error:
        errors = error.faults
        start, end = forms.usual_period()
    now = clock.now()
    found = queries.overview(db, me, start, end, now)
    with unit_of_work(COUNTER) as counter:
        left = queries.left(counter, me, start, end, now)
        held, by_party = queries.held(counter, me, start, end, now, found.stayed)
    empty = not (found.whole.incoming.sent or found.whole.outgoing.sent)
    typed = {"from": first, "to": to} if errors else {"from": months.code(start), "to": months.code(end)}
    return render(
        request,
        "statistics/figures.html",
        status=422 if errors else 200,
        errors=errors,
        typed=typed,
        period=_("{first}–{last}").format(first=months.name(start), last=months.name(end)),
        as_of=now,
        figures=None if empty else found,
        rows=words.rows(found),
        beside=words.beside(found.whole, left),
        days=[words.days(party) for party in by_party],
        days_of_all=words.days(held, _("Alla")) if len(by_party) > 1 else None,
        earlier=_earlier(db, me) if empty else None,
        words=words,
        # Drawn only where there is something to see.
        chart=None if empty else charts.rates_by_month(words.runs(found, start, end)),
        chart_note=charts.note(),
        csv_href=url("statistics.figures_csv", {"from": months.code(start), "to": months.code(end)}),
    )


@router.get("/figures.csv", name="statistics.figures_csv")
def figures_csv(db: Db, me: Me, first: From = "", to: str = "") -> Response:
    _guard(me)
    start, end = forms.period(first, to)
    now = clock.now()
    found = queries.overview(db, me, start, end, now)
    with unit_of_work(COUNTER) as counter:
        held, by_party = queries.held(counter, me, start, end, now, found.stayed)
    name = f"siffror-{months.code(start)}-{months.code(end)}.csv"
    return Response(
        sheets.as_csv(found, held, by_party),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _guard(me: Identity) -> None:
    if not me.may(Permission.SEE_FIGURES):
        raise ForbiddenError(
            _("Siffrorna visas för den som handlägger ärenden. Be din chef eller MAS om dem.")
        )


def _earlier(db: Db, me: Identity) -> dict[str, str] | None:
    """A way to the year in which the branch last had cases, where the months asked for are empty."""
    last = queries.last_month(db, me)
    if last is None:
        return None
    first = months.later(last, 1 - forms.USUAL)
    return {
        "label": _("Visa {first}–{last}").format(first=months.name(first), last=months.name(last)),
        "href": url("statistics.figures", {"from": months.code(first), "to": months.code(last)}),
    }
