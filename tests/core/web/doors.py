"""Every door of the app, as its own description lists them."""

import re

from fastapi import FastAPI

MISSING = "BLE-2026-000000"


def doors(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path pattern of every page and form."""
    found = [(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods]
    return sorted(found)


def unsafe(app: FastAPI) -> list[tuple[str, str]]:
    return [door for door in doors(app) if door[0] != "GET"]


def address(path: str, **given: str) -> str:
    """The pattern with something in every gap: a case that does not exist, unless told otherwise."""
    gaps = {"case_number": MISSING, "county": "BLE", "month": "2024-12", "verb": "question", **given}
    # What has no more telling example is nobody's number.
    return re.sub(r"{(\w+)(?::\w+)?}", lambda gap: gaps.get(gap.group(1), "0"), path)
