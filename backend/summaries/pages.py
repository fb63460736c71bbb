"""The county's months, for everyone signed in. Read from the snapshot, never live."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts.identity import Me
from backend.core.db import Db
from backend.core.errors import NotFoundError
from backend.core.web import render, url
from backend.directory.models import County
from backend.statistics import months
from backend.summaries import queries, words

router = APIRouter()


@router.get("/summaries", name="summaries.list")
def listing(request: Request, db: Db, me: Me) -> Response:
    county = db.get(County, me.county_id) if me.county_id else None
    shown = [
        {
            "year": snapshot.month.year,
            "title": months.name(snapshot.month).capitalize(),
            "href": url("summaries.show", county=county.code, month=months.code(snapshot.month)),
            "text": words.short(queries.told(snapshot.figures)),
        }
        for snapshot in (queries.listing(db, county.id) if county else ())
        if county
    ]
    return render(request, "summaries/list.html", county=county, months=shown)


@router.get("/summaries/{county}/{month}", name="summaries.show")
def show(request: Request, db: Db, me: Me, county: str, month: str) -> Response:
    try:
        asked = months.parse(month)
    except ValueError:
        raise NotFoundError from None
    own, snapshot = queries.snapshot(db, county, me.county_id, asked)
    told = queries.told(snapshot.figures)
    return render(
        request,
        "summaries/show.html",
        title=months.name(snapshot.month).capitalize(),
        county=own,
        opening=words.opening(own, snapshot, told),
        issue=words.issue(snapshot),
        changed=snapshot.issue > 1,
        month=told.month,
        pairs=[
            {"title": words.pair_title(pair), "head": words.pair_head(pair), "rows": words.pair_rows(pair)}
            for pair in told.pairs
        ],
        definitions=words.definitions(),
    )
