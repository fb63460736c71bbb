"""What waits, and all the cases one follows."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.agreements import queries as agreements
from backend.audit import actions as audit
from backend.core import clock, text
from backend.core.db import Db
from backend.core.errors import Fault
from backend.core.text import gettext as _
from backend.core.web import render, url
from backend.deviations import clocks, finding, queries, words
from backend.deviations.deadlines import WAITING_CLOCKS
from backend.deviations.filters import DIRECTIONS, Direction, Filters
from backend.deviations.models import EventKind, State
from backend.deviations.queries import MOST_COUNTED, PAGE, Row
from backend.deviations.rules import HELD, WAITS_FOR
from backend.directory import queries as directory

router = APIRouter()


@router.get("/inbox", name="deviations.inbox")
def inbox(request: Request, db: Db, me: Me, nothing: bool = False, group: str = "") -> Response:
    chosen = next((one for one in queries.GROUPS if one == group), None)
    found = queries.inbox(db, me, group=chosen)
    counts = queries.inbox_counts(db, me)
    rows = found[:PAGE]
    audit.record(db, me, "deviations.inbox", cases=[row.case_number for row in rows])
    # Where the other side has the word there is nothing to do to many at once.
    pickable = [row for row in rows if chosen != "theirs" and _may_pick(me, row)]
    return render(
        request,
        "deviations/inbox.html",
        rows=[shown(row, pick=row in pickable, handled=_handled(me, row)) for row in rows],
        pickable=bool(pickable),
        more=len(found) > PAGE,
        lead=_group_sentence(found) if chosen else _waiting_sentence(found),
        group=chosen,
        nothing_here=words.NOTHING[chosen]() if chosen else "",
        tabs=_groups(counts, chosen),
        nothing=nothing,
    )


def _groups(counts: dict[queries.Group, int], chosen: queries.Group | None) -> list[dict[str, Any]]:
    """All that waits, and the groups of it. The rarer ones are shown when there is something in them."""
    always = {"acknowledge", "answer", "read", "theirs"}
    waiting = sum(n for group, n in counts.items() if group != "theirs")
    tabs = [
        {
            "label": _("Allt som väntar på er"),
            "href": url("deviations.inbox"),
            "n": waiting,
            "current": not chosen,
        }
    ]
    for group, n in counts.items():
        if n or group in always or group == chosen:
            href = url("deviations.inbox", {"group": group})
            tabs.append({"label": words.GROUPS[group](), "href": href, "n": n, "current": group == chosen})
    return [
        tab | {"count": _("{n}+").format(n=MOST_COUNTED) if tab["n"] == MOST_COUNTED else tab["n"]}
        for tab in tabs
    ]


def _handled(me: Identity, row: Row) -> str | None:
    """Who of one's own side handles it; of a case one is to receive, also that nobody does."""
    if row.handler_id == me.person_id:
        return _("Du handlägger")
    if row.handler:
        return _("Handläggs av {who}").format(who=row.handler)
    return _("Ingen handläggare än") if row.direction == "in" and row.state in HELD else None


@router.get("/deviations", name="deviations.list")
def listing(request: Request, db: Db, me: Me, page: int = 1) -> Response:
    return list_page(request, db, me, Filters.read(request.query_params), page)


def list_page(
    request: Request,
    db: Session,
    me: Identity,
    filters: Filters,
    page: int = 1,
    *,
    status: int = 200,
    errors: list[Fault] | None = None,
    **context: Any,
) -> Response:
    """The list as filtered, with the ways to narrow and widen it and the views one has saved."""
    page = max(1, min(page, 10_000))
    found = queries.listing(db, me, filters, page)
    rows = found[:PAGE]
    audit.record(db, me, "deviations.list", cases=[row.case_number for row in rows])
    choices = _choices(db, me)
    counts = {code: queries.counted(db, me, filters.to(code)) for code in (None, *DIRECTIONS)}
    own = urlencode(filters.query())
    views = [
        {"id": view.id, "label": view.name, "href": _at(view.query), "current": view.query == own}
        for view in finding.views(db, me)
    ]
    return render(
        request,
        "deviations/list.html",
        status=status,
        **{"errors": errors or [], "typed_name": "", "typed_view": None, **context},
        rows=[shown(row, pick=_may_pick(me, row)) for row in rows],
        pickable=any(_may_pick(me, row) for row in rows),
        tabs=_tabs(filters, counts),
        views=views,
        current_view=next((view for view in views if view["current"]), None),
        removed=finding.removed_view(db, me),
        filters=filters,
        narrowed=bool(filters.to(None).query()),
        chosen=_chosen(filters, choices),
        clear=_address(Filters(direction=filters.direction)),
        choices=choices,
        query=own,
        summary=_shown_of(page, len(rows), counts[filters.direction]),
        page=page,
        previous=_address(filters, page - 1) if page > 1 else None,
        next=_address(filters, page + 1) if len(found) > PAGE else None,
    )


def _address(filters: Filters, page: int = 1) -> str:
    query: dict[str, Any] = {**filters.query()}
    return url("deviations.list", query | ({"page": page} if page > 1 else {}))


def _at(query: str) -> str:
    return url("deviations.list", dict(parse_qsl(query)))


def _tabs(filters: Filters, counts: Mapping[Direction | None, int]) -> list[dict[str, Any]]:
    directions: tuple[tuple[Direction | None, str], ...] = (
        (None, _("Alla")),
        ("in", _("Till oss")),
        ("out", _("Från oss")),
    )
    return [
        {
            "label": label,
            "href": _address(filters.to(code)),
            "current": filters.direction == code,
            "count": _number(counts[code]),
        }
        for code, label in directions
    ]


def _number(n: int) -> str:
    return f"{text.number(n)}+" if n == MOST_COUNTED else text.number(n)


def _shown_of(page: int, rows: int, total: int) -> str:
    if not rows:
        return ""
    first = (page - 1) * PAGE + 1
    return _("Visar {first}–{last} av {total}.").format(
        first=text.number(first), last=text.number(first + rows - 1), total=_number(total)
    )


Choices = dict[str, list[tuple[str, str]]]


def _choices(db: Session, me: Identity) -> Choices:
    """What each filter may be set to, in the person's own branch and county."""
    groups = agreements.categories(db, me.county_id) if me.county_id else []
    return {
        "state": words.options(words.STATES),
        "unit": [(unit.hsa_id, unit.name) for unit in directory.own_units(db, me)],
        "party": finding.parties(db, me),
        "category": [
            choice
            for group in groups
            for choice in [(group.code, group.label), *((code, f"– {label}") for code, label in group.below)]
        ],
        "event_kind": words.options(words.EVENT_KINDS),
    }


def _chosen(filters: Filters, choices: Choices) -> list[dict[str, str]]:
    """What narrows the list now, each with the address without it. Says nothing of a code that nobody knows."""
    said = {
        name: dict(choices[name]).get(str(value), _("Okänt val")).removeprefix("– ")
        for name in choices
        if (value := getattr(filters, name)) is not None
    }
    if filters.sent_from:
        said["sent_from"] = _("Skickat från {day}").format(day=text.short_date(filters.sent_from))
    if filters.sent_to:
        said["sent_to"] = _("Skickat till {day}").format(day=text.short_date(filters.sent_to))
    if filters.late:
        said["late"] = _("Försenade")
    without = {name: url("deviations.list", filters.query(**{name: None})) for name in said}
    return [{"text": said[name], "href": without[name]} for name in said]


def _may_pick(me: Identity, row: Row) -> bool:
    """Whether the row gets a box: what came in and is not over, for those who handle it."""
    going_on = row.state in WAITS_FOR and not row.resting
    return going_on and row.direction == "in" and me.may(Permission.RECEIVE)


def shown(row: Row, *, pick: bool = False, handled: str | None = None) -> dict[str, Any]:
    """A row of a list in words: whose turn, by when, and whether that day has passed."""
    party = {"out": "sender", "in": "receiver", None: None}[row.direction]
    good = row.event_kind == EventKind.GOOD_EXAMPLE
    state, kind = (
        words.resting(row.state) if row.resting else words.turn(row.state, party, good_example=good)  # type: ignore[arg-type]
    )
    now = clock.now()
    due = row.next_due_on if not row.resting and row.state in WAITS_FOR else None
    late = due is not None and clocks.is_late(due, now)
    clock_kind = WAITING_CLOCKS | {State.SENT: "acknowledge", State.RETURNED: "returned_answer"}
    return {
        "number": row.case_number,
        "href": url("deviations.show", case_number=row.case_number),
        "what": row.category,
        "party": f"{row.other_unit}, {row.other_organisation}",
        "direction": row.direction or "in",
        "state": state,
        "state_kind": kind,
        "due": clocks.due_words(due, now, clock_kind.get(row.state, "answer")) if due else None,
        "late": late,
        "handler": handled,
        "pick": "case_number" if pick else None,
    }


def _waiting_sentence(rows: list[Row]) -> str:
    """ "Tre ärenden väntar på er: ett att kvittera, ett att besvara och ett svar att läsa." """
    kinds = (
        ({State.SENT}, _("att kvittera"), _("att kvittera"), "ett"),
        (HELD - {State.SENT}, _("att besvara"), _("att besvara"), "ett"),
        ({State.QUESTION}, _("fråga att svara på"), _("frågor att svara på"), "en"),
        ({State.ANSWERED}, _("svar att läsa"), _("svar att läsa"), "ett"),
        ({State.REDIRECT_PROPOSED, State.DECLINED}, _("att skicka rätt"), _("att skicka rätt"), "ett"),
        ({State.DISPUTED}, _("att komma överens om"), _("att komma överens om"), "ett"),
    )
    parts = [
        text.count(n, one, many, one=article)
        for states, one, many, article in kinds
        if (n := sum(row.state in states for row in rows))
    ]
    if not rows:
        return ""
    if len(rows) > PAGE:
        return _("Fler än {n} ärenden väntar på er. De som brådskar mest står först.").format(n=PAGE)
    total = text.count(len(rows), _("ärende"), _("ärenden"))
    what = text.join(parts)
    said = _("{total} väntar på er: {what}.").format(total=total[0].upper() + total[1:], what=what)
    return " ".join(part for part in (said, _late_sentence(rows)) if part)


def _group_sentence(rows: list[Row]) -> str:
    """ "Två är försenade." What the tab has said already is not said again."""
    if len(rows) > PAGE:
        return _("Fler än {n}. De som brådskar mest står först.").format(n=PAGE)
    return _late_sentence(rows)


def _late_sentence(rows: list[Row]) -> str:
    now = clock.now()
    n = sum(row.next_due_on is not None and clocks.is_late(row.next_due_on, now) for row in rows)
    if not n:
        return ""
    many = text.count(n, _("är försenat"), _("är försenade"))
    return _("{many}.").format(many=many[0].upper() + many[1:])


def waiting(db: Db, me: Identity) -> int:
    return queries.waiting_count(db, me)
