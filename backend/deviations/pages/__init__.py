"""The pages of deviations. Writing first: `/deviations/new` must not be read as a case number."""

from fastapi import APIRouter

from backend.deviations.pages import (
    agreements,
    bulk,
    calendars,
    case,
    copies,
    lists,
    register,
    report,
    reviews,
    routing,
    search,
    views,
)

router = APIRouter()
router.include_router(agreements.router)
router.include_router(routing.router)
router.include_router(report.router)
router.include_router(lists.router)
router.include_router(search.router)
router.include_router(views.router)
router.include_router(bulk.router)
router.include_router(calendars.router)
router.include_router(case.router)
router.include_router(register.router)
router.include_router(copies.router)
router.include_router(reviews.router)
