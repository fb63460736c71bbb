"""What waits, and all the cases one follows."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.access import Identity
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import clock, text
from backend.core.db import Db
from backend.core.text import gettext as _
from backend.core.web import render, url
from backend.deviations import clocks, queries, words
from backend.deviations.models import EventKind, State
from backend.deviations.queries import DIRECTIONS, PAGE, Filters, Row
from backend.deviations.rules import WAITS_FOR

router = APIRouter()


@router.get("/inbox", name="deviations.inbox")
def inbox(request: Request, db: Db, me: Me) -> Response:
    found = queries.inbox(db, me)
    audit.record(db, me, "deviations.inbox", cases=[row.case_number for row in found[:PAGE]])
    return render(
        request,
        "deviations/inbox.html",
        rows=[shown(row) for row in found[:PAGE]],
        more=len(found) > PAGE,
        lead=_waiting_sentence(found),
    )


@router.get("/deviations", name="deviations.list")
def listing(
    request: Request, db: Db, me: Me, direction: str = "", state: str = "", page: int = 1
) -> Response:
    filters = Filters(
        direction=direction if direction in DIRECTIONS else None,  # type: ignore[arg-type]
        state=State(state) if state in set(State) else None,
    )
    page = max(1, min(page, 10_000))
    found = queries.listing(db, me, filters, page)
    audit.record(db, me, "deviations.list", cases=[row.case_number for row in found[:PAGE]])

    def address(**changed: Any) -> str:
        query = {"direction": filters.direction, "state": filters.state, "page": page, **changed}
        return url(
            "deviations.list", {key: value for key, value in query.items() if (key, value) != ("page", 1)}
        )

    tabs = [
        {
            "label": label,
            "href": address(direction=code, page=1),
            "current": filters.direction == code,
            "count": 0,
        }
        for code, label in ((None, _("Alla")), ("in", _("Till oss")), ("out", _("Från oss")))
    ]
    return render(
        request,
        "deviations/list.html",
        rows=[shown(row) for row in found[:PAGE]],
        tabs=tabs,
        filters=filters,
        states=words.options(words.STATES),
        page=page,
        previous=address(page=page - 1) if page > 1 else None,
        next=address(page=page + 1) if len(found) > PAGE else None,
    )


def shown(row: Row) -> dict[str, Any]:
    """A row of a list in words: whose turn, by when, and whether that day has passed."""
    party = {"out": "sender", "in": "receiver", None: None}[row.direction]
    good = row.event_kind == EventKind.GOOD_EXAMPLE
    state, kind = (
        words.resting(row.state) if row.resting else words.turn(row.state, party, good_example=good)  # type: ignore[arg-type]
    )
    now = clock.now()
    due = row.next_due_on if not row.resting and row.state in WAITS_FOR else None
    late = due is not None and clocks.is_late(due, now)
    clock_kind = {State.SENT: "acknowledge", State.ANSWERED: "verdict", State.RETURNED: "returned_answer"}
    return {
        "number": row.case_number,
        "href": url("deviations.show", case_number=row.case_number),
        "what": row.category,
        "party": f"{row.other_unit}, {row.other_organisation}",
        "direction": row.direction or "in",
        "state": state,
        "state_kind": kind,
        "due": clocks.due_words(due, now, clock_kind.get(row.state, "answer")) if due else None,  # type: ignore[arg-type]
        "late": late,
    }


def _waiting_sentence(rows: list[Row]) -> str:
    """ "Tre ärenden väntar på er: ett att kvittera, ett att besvara och ett svar att läsa." """
    n = {
        "acknowledge": sum(row.state == State.SENT for row in rows),
        "answer": sum(row.state in (State.ACKNOWLEDGED, State.RETURNED) for row in rows),
        "read": sum(row.state == State.ANSWERED for row in rows),
    }
    parts = [
        text.count(n["acknowledge"], _("att kvittera"), _("att kvittera")) if n["acknowledge"] else "",
        text.count(n["answer"], _("att besvara"), _("att besvara")) if n["answer"] else "",
        text.count(n["read"], _("svar att läsa"), _("svar att läsa")) if n["read"] else "",
    ]
    if not rows:
        return ""
    if len(rows) > PAGE:
        return _("Fler än {n} ärenden väntar på er. De som brådskar mest står först.").format(n=PAGE)
    total = text.count(len(rows), _("ärende"), _("ärenden"))
    what = text.join([part for part in parts if part])
    return _("{total} väntar på er: {what}.").format(total=total[0].upper() + total[1:], what=what)


def waiting(db: Db, me: Identity) -> int:
    return queries.waiting_count(db, me)
