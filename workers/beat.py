"""The clock that ticks. Its process needs to know nothing of the trade, so it loads nothing of it."""

from celery import Celery

from backend.core import bell
from backend.settings import settings

celery = Celery("samsvar", broker=bell.broker_url())
celery.conf.update(
    timezone="Europe/Stockholm",
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # a broker that is away all night is found in the morning
    # An old tick is worth nothing once a new one has come: after an outage they would only queue up.
    beat_schedule={"tick": {"task": "tick", "schedule": settings().tick, "options": {"expires": 30}}},
    # The schedule is one line long: there is nothing for beat to remember, and no file to be torn by a kill.
    beat_scheduler="celery.beat:Scheduler",
)
