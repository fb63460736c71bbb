"""The pages that stand on top of every room: the start page and its like, and the directory with its administration.

The directory cannot hold its own: a page needs to know who asks, and that is known a floor above it.
"""

from fastapi import APIRouter

from backend.pages import directory, notifications, organisation, people, start, units
from backend.pages.start import demo

__all__ = ["demo", "router"]

router = APIRouter()
for part in (start, directory, notifications, organisation, people, units):
    router.include_router(part.router)
