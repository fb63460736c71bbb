"""The bell that tells a worker to look for what is owed; losing one costs a few seconds, until the next tick."""

import os
import queue
import threading
from functools import cache, partial

import structlog
from celery import Celery

from backend.core import embedded
from backend.settings import settings

log = structlog.get_logger()


@cache
def broker_url() -> str:
    """Where the bell hangs: `REDIS_URL`, else the embedded server of this folder. Looked up once."""
    if url := settings().redis_url:
        return url
    servers = embedded.find(settings().state)
    return servers.redis_url if servers else ""


class Bell:
    """Rings from a thread of its own, so that a broker that is down or frozen slows no request.

    The same kind asked for many times before the thread gets to it is rung once: the job takes
    everything that is due. What still waits when the process ends is not rung; the tick finds the rows.
    """

    def __init__(self, url: str) -> None:
        self._celery = Celery(broker=url, set_as_current=False)
        self._celery.conf.broker_transport_options = {
            "socket_timeout": 0.5,
            "socket_connect_timeout": 0.5,
            "max_retries": 0,
        }
        self._celery.conf.broker_connection_timeout = 0.5
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._asked: set[str] = set()
        threading.Thread(target=self._run, daemon=True, name="bell").start()

    def ring(self, kind: str) -> None:
        if kind not in self._asked:
            self._asked.add(kind)
            self._waiting.put(kind)

    def _run(self) -> None:
        while True:
            kind = self._waiting.get()
            # Before sending: whoever asks from now on may have committed after the job has looked.
            self._asked.discard(kind)
            try:
                self._celery.send_task(kind, retry=False, ignore_result=True)
            except Exception as error:  # noqa: BLE001  the tick will find the row; a bell may fail in any way
                log.warning("bell.silent", kind=kind, error=type(error).__name__)


@cache
def _bell(url: str) -> Bell:
    return Bell(url)


# The thread does not come along into a forked child, which would ask a bell that nobody rings.
os.register_at_fork(after_in_child=_bell.cache_clear)


def ring(kind: str) -> None:
    if url := broker_url():
        _bell(url).ring(kind)


@cache
def ring_once(kind: str) -> "partial[None]":
    # Cached, so that ten debts of one kind in one unit of work are one entry to ring for.
    return partial(ring, kind)
