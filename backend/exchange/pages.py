"""Reading in an organisation's units and people from files, for its administrator."""

import base64
import binascii
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from backend.accounts.identity import Me
from backend.core.db import Db
from backend.core.errors import ConflictError, Fault, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, redirect, render
from backend.deviations import words
from backend.directory import queries as directory
from backend.directory import words as directory_words
from backend.exchange.actions import organisation
from backend.exchange.outcome import KINDS

router = APIRouter()

FILES = ("units", "people")
# Of a file unpacked: what a form of ours has packed is far below, and what is not ours must not fill the memory.
LARGEST = 5_000_000

COLUMNS: dict[str, Callable[[], str]] = {
    **directory_words.FIELDS,
    "parent_hsa_id": lambda: _("Ligger under"),
    "branch_hsa_id": lambda: _("Verksamhet"),
    "title": lambda: _("Yrke och arbetsplats"),
}
"""The columns of the files, as the screen says them."""

Uploads = dict[str, tuple[str, bytes]]
"""By kind of file: its ending, and what it holds."""


async def _uploaded(request: Request) -> Uploads:
    found: Uploads = {}
    async with request.form(max_files=len(FILES), max_fields=10) as form:
        for kind in FILES:
            file = form.get(kind)
            if isinstance(file, UploadFile) and file.filename:
                found[kind] = (
                    ".xlsx" if file.filename.lower().endswith(".xlsx") else ".csv",
                    await file.read(),
                )
    return found


@contextmanager
def _laid_out(uploads: Uploads) -> Iterator[Path]:
    """The files in a folder, as the reader of files wants them, for as long as they are read."""
    with tempfile.TemporaryDirectory(prefix="samsvar-import-") as folder:
        for kind, (ending, data) in uploads.items():
            Path(folder, kind + ending).write_bytes(data)
        yield Path(folder)


def _packed(uploads: Uploads) -> dict[str, str]:
    """What the page keeps of the files until the yes. Packed, so that a large file fits in a form."""
    return {
        kind: ending + ":" + base64.urlsafe_b64encode(zlib.compress(data, 9)).decode()
        for kind, (ending, data) in uploads.items()
    }


def _unpacked(typed: Typed) -> Uploads:
    found: Uploads = {}
    for kind in FILES:
        ending, _colon, packed = typed.get(kind, [""])[-1].partition(":")
        if ending not in (".csv", ".xlsx"):
            continue
        unpacking = zlib.decompressobj()
        try:
            data = unpacking.decompress(base64.urlsafe_b64decode(packed), LARGEST)
        except (binascii.Error, ValueError, zlib.error):
            raise InvalidError from None
        if not unpacking.eof:
            raise InvalidError
        found[kind] = (ending, data)
    return found


@router.get("/directory/import", name="exchange.import_directory")
def import_directory(request: Request, db: Db, me: Me) -> Response:
    return render(
        request,
        "directory/import.html",
        organisation=directory.own_organisation(db, me),
        faults=[],
        passed_over=0,
    )


@router.post("/directory/import/check", name="exchange.check_import")
def check_import(
    request: Request, db: Db, me: Me, uploads: Annotated[Uploads, Depends(_uploaded)]
) -> Response:
    """What the files would change, and every row that is wrong. Nothing is written."""
    own = directory.own_organisation(db, me)
    faults = [] if uploads else [Fault("units", _("Välj minst en fil."))]
    plan = organisation.Plan()
    if uploads:
        with _laid_out(uploads) as folder:
            plan = organisation.preview(db, me, folder)
    if faults or plan.faults:
        return render(
            request,
            "directory/import.html",
            status=422,
            organisation=own,
            errors=faults,
            faults=plan.faults,
            passed_over=plan.passed_over,
        )
    return _check(request, own.name, plan, _packed(uploads))


@router.post("/directory/import", name="exchange.confirm_import")
def confirm_import(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    """Do what was shown; where it would no longer be the same, show what it would be now."""
    own = directory.own_organisation(db, me)
    uploads = _unpacked(typed)
    with _laid_out(uploads) as folder:
        try:
            organisation.apply(db, me, folder, typed.get("digest", [""])[-1])
        except ConflictError as error:
            plan = organisation.preview(db, me, folder)
            if plan.faults:
                return render(
                    request,
                    "directory/import.html",
                    status=409,
                    organisation=own,
                    faults=plan.faults,
                    passed_over=plan.passed_over,
                )
            return _check(request, own.name, plan, _packed(uploads), status=409, moved=error.text)
    return redirect("directory.organisation", {"done": "imported"})


def _check(
    request: Request,
    name: str,
    plan: organisation.Plan,
    packed: dict[str, str],
    *,
    status: int = 200,
    moved: str = "",
) -> Response:
    return render(
        request,
        "directory/check_import.html",
        status=status,
        name=name,
        plan=plan,
        changes=[
            (kind, KINDS[kind](), [(change, _cells(change)) for change in changes])
            for kind, changes in plan.changes.items()
            if changes
        ],
        packed=packed,
        moved=moved,
    )


def _cells(change: organisation.Change) -> str:
    """Each cell that becomes another, in words."""
    return " · ".join(
        _("{column}: {before} → {after}").format(
            column=COLUMNS[column](), before=_value(column, before), after=_value(column, after)
        )
        for column, before, after in change.cells
    )


def _value(column: str, value: str) -> str:
    if column == "care_level":
        return words.word(words.CARE_LEVELS, value) or value
    if column == "intake":
        return _("ja") if value == "1" else _("nej")
    return value or _("inget")
