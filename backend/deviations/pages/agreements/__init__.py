"""The pages of the county's agreement. Writing first: `/agreements/new` is no version."""

from fastapi import APIRouter

from backend.deviations.pages.agreements import show, write

router = APIRouter()
router.include_router(write.router)
router.include_router(show.router)
