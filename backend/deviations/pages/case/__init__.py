"""The pages of one case: how it stands, and what its parties do with it."""

from fastapi import APIRouter

from backend.deviations.pages.case import answer, look, mask, onward, paper, show, verbs

router = APIRouter()
# The paper first: its address would be read as a case number.
for part in (paper, show, answer, onward, mask, look, verbs):
    router.include_router(part.router)
