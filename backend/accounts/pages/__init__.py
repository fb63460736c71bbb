"""Logging in, the ways in by mail, and one's own settings."""

from fastapi import APIRouter

from backend.accounts.pages import links, log_in, own

router = APIRouter()
for part in (log_in, links, own):
    router.include_router(part.router)
