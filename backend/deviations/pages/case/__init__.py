"""The pages of one case: how it stands, and what its parties do with it."""

from fastapi import APIRouter

from backend.deviations.pages.case import answer, mask, onward, show, verbs

router = APIRouter()
for part in (show, answer, onward, mask, verbs):
    router.include_router(part.router)
