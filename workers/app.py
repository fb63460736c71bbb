"""The Celery app: what may be rung, and the tick that beat (`workers/beat.py`) sends.

The database is the queue. A message only says that there is something to look for, so it may be lost,
doubled or late without harm.
"""

import warnings

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning, SecurityWarning
from celery.signals import worker_process_init
from kombu.transport.redis import QoS

from backend.agreements import actions as agreements
from backend.core import bell, clock, db, jobs, stuck
from backend.directory import actions as directory
from backend.summaries import actions as summaries

# No message is worth saving: the tick rings anew for what a dead worker left. To save them while the broker is
# away ends the worker (kombu 5.7: a closing channel looks for the connection that it has closed).
QoS.restore_at_shutdown = False

# Of pickle, as root, at every start, where only JSON is accepted; of late acknowledgements, where there are none.
for unfounded in (SecurityWarning, CPendingDeprecationWarning):
    warnings.filterwarnings("ignore", category=unfounded)

# The seconds that a kind may take which counts over a whole county or table.
LONG = {"summaries.snapshot": 1800, "upkeep.prune": 900}

celery = Celery(
    "samsvar",
    broker=bell.broker_url(),
    include=[
        "workers.accounts",
        "workers.deviations",
        "workers.notifications",
        "workers.summaries",
        "workers.upkeep",
        "workers.agreements",
        "workers.directory",
    ],
)
celery.conf.update(
    task_acks_late=False,  # what is to be done stands in the database, and a message held on to helps nobody
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    # Seconds, for a shift of short jobs: no server answers a mail after four minutes. At the soft limit the job is told
    # and its row noted as failed; at the hard one its process is ended, and the row comes back by itself.
    task_soft_time_limit=240,
    task_time_limit=270,
    task_annotations={
        kind: {"soft_time_limit": soft, "time_limit": soft + 30} for kind, soft in LONG.items()
    },
    timezone="Europe/Stockholm",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # a broker that is away all night is found in the morning
    broker_transport_options={"socket_keepalive": True},
)


@worker_process_init.connect
def _own_connections(**_signal: object) -> None:
    # A connection inherited by fork would be used by two processes at once.
    db.engine().dispose(close=False)


@celery.task(name="tick")
def tick() -> None:
    """Ring for whatever is due and not taken: new debts whose ring was lost, and what a dead worker left."""
    with db.unit_of_work(db.NOBODY) as session:
        summaries.owe_past_month(session)
        stuck.owe_pruning(session)
        agreements.owe_calendar_checks(session)
        jobs.owe(session, "deviations.look_after", key=f"look_after:{clock.today()}")
        directory.owe_upkeep(session)
    celery.send_task("notifications.forgotten")
    for kind in jobs.kinds_due():
        if kind in celery.tasks:
            celery.send_task(kind)
