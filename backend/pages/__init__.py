"""The pages that stand on top of every room: the start page and its like, and the directory with its administration.

The directory cannot hold its own: a page needs to know who asks, and that is known a floor above it.
"""

from fastapi import APIRouter

from backend.pages import directory, jobs, organisation, people, post, start, units

__all__ = ["demo", "router"]

router = APIRouter()
# Only where nobody is real.
demo = post.router
for part in (start, directory, organisation, people, units, jobs):
    router.include_router(part.router)
