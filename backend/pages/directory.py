"""The directory as everybody signed in may read it: branches and units, and no people."""

from itertools import groupby

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.access import Permission
from backend.accounts.identity import Me
from backend.core.db import Db
from backend.core.web import render
from backend.deviations import words
from backend.directory import queries as directory
from backend.directory import rules
from backend.directory.queries import Listed

router = APIRouter()

Branch = tuple[str, list[Listed]]
Organisation = tuple[str, list[Branch]]


@router.get("/directory", name="directory.list")
def listing(request: Request, db: Db, me: Me, q: str = "") -> Response:
    units = directory.listing(db, me.county_id, q[:100]) if me.county_id else []
    return render(
        request,
        "directory/list.html",
        organisations=gathered(units),
        q=q[:100],
        care_levels=words.CARE_LEVELS,
        lacking=directory.lacks_receiver(db, [unit.id for unit in units]),
        watches=rules.may_watch(me),
        administers=me.place == "organisation" and me.may(Permission.ADMINISTER),
    )


def gathered(units: list[Listed]) -> list[Organisation]:
    """By organisation and branch, in the order the units come in: a template's own grouping would sort Ä before Å."""
    return [
        (
            organisation,
            [(branch, list(places)) for branch, places in groupby(members, key=lambda unit: unit.branch)],
        )
        for organisation, members in groupby(units, key=lambda unit: unit.organisation)
    ]
