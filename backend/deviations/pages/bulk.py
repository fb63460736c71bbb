"""One verb on many cases: chosen in a list, told case by case, taken back with one press."""

import uuid
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.access import Permission
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import clock, text
from backend.core.db import Db
from backend.core.errors import ForbiddenError
from backend.core.text import gettext as _
from backend.core.web import Submitted, read, redirect, render, url
from backend.deviations import actions, finding
from backend.deviations.actions.bulk import UNDONE_WITHIN
from backend.deviations.forms import BatchForm
from backend.deviations.models import Batch

router = APIRouter()


@router.post("/deviations/bulk", name="deviations.bulk")
def bulk(db: Db, me: Me, typed: Submitted) -> Response:
    if not me.may(Permission.RECEIVE):
        raise ForbiddenError(_("Bara den som handlägger ärenden kan kvittera."))
    if not typed.get("case_number"):
        return redirect("deviations.inbox", {"nothing": "true"})
    form = read(BatchForm, typed)
    batch = actions.bulk(db, me, form)
    return redirect("deviations.batch", batch_id=batch.id)


@router.get("/deviations/batches/{batch_id}", name="deviations.batch")
def show(request: Request, db: Db, me: Me, batch_id: uuid.UUID) -> Response:
    batch = finding.batch(db, me, batch_id)
    done = [outcome for outcome in batch.outcomes if not outcome["why"]]
    audit.record(db, me, "deviations.batch", cases=[outcome["number"] for outcome in done])
    return render(
        request,
        "deviations/batch.html",
        batch=batch,
        heading=_heading(batch, len(done)),
        done=[_outcome_shown(outcome) for outcome in done],
        not_done=[_outcome_shown(outcome) for outcome in batch.outcomes if outcome["why"]],
        may_undo=bool(done) and batch.undone_at is None and clock.now() - batch.made_at <= UNDONE_WITHIN,
    )


@router.post("/deviations/batches/{batch_id}/undo", name="deviations.undo_batch")
def undo(db: Db, me: Me, batch_id: uuid.UUID) -> Response:
    actions.undo(db, me, finding.batch(db, me, batch_id))
    return redirect("deviations.batch", batch_id=batch_id)


def _heading(batch: Batch, done: int) -> str:
    if not done:
        return _("Inget ärende ändrades.")
    count = text.count(done, _("ärende"), _("ärenden"))
    said = count[0].upper() + count[1:]
    if batch.verb == "assign":
        if batch.undone_at is not None:
            return _("Ångrat: {count} har samma handläggare som förut.").format(count=count)
        return (_("{count} är tilldelat.") if done == 1 else _("{count} är tilldelade.")).format(count=said)
    if batch.undone_at is not None:
        return _("Ångrat: {count} väntar åter på kvittens.").format(count=count)
    return (_("{count} är kvitterat.") if done == 1 else _("{count} är kvitterade.")).format(count=said)


def _outcome_shown(outcome: dict[str, Any]) -> dict[str, Any]:
    number = outcome["number"]
    href = url("deviations.show", case_number=number)
    return {"number": number, "href": href, "row": (number, outcome["why"], href, _("Öppna"))}
