"""The calendar of what waits for a person, by a secret address that a calendar program reads without logging in."""

from fastapi import APIRouter
from fastapi.responses import Response

from backend.audit import actions as audit
from backend.core import clock
from backend.core.db import Db, narrow
from backend.core.text import gettext as _
from backend.core.web import url
from backend.deviations import ical, queries, words
from backend.deviations.models import EventKind
from backend.deviations.queries import Row
from backend.settings import settings

router = APIRouter()

MOST = 500


@router.get("/calendar/{token}.ics", name="calendar.feed")
def feed(db: Db, token: str) -> Response:
    """No cookie is looked at: whoever holds the address reads numbers and days, and the read is on record."""
    me = queries.reader_of(db, token)
    narrow(db, me.scope)
    rows = queries.inbox(db, me, MOST)
    audit.record(db, me, "calendar.feed", cases=[row.case_number for row in rows])
    body = ical.calendar([_day(row) for row in rows], clock.now())
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="samsvar.ics"'}
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)


def _day(row: Row) -> ical.Day:
    good = row.event_kind == EventKind.GOOD_EXAMPLE
    to_do = _("tacka") if good else words.TO_DO[row.state]()
    # What is late is still to be done: it stands on today, where one sees it.
    on = max(row.next_due_on or clock.today(), clock.today())
    base = settings().base_url.rstrip("/")
    return ical.Day(
        uid=f"{row.case_number}@samsvar",
        on=on,
        summary=f"{row.case_number}: {to_do}",
        address=base + url("deviations.show", case_number=row.case_number),
    )
