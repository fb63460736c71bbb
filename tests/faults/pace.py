"""How fast people file and answer while Redis is stopped, frozen or a black hole, and how soon the post is out after.

Blocks of work with Redis and without it take turns, so that whatever else the machine does falls on both alike.
"""

import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from statistics import median, quantiles

from tests.faults.house import House, Web, owe_letters, timed, wait

ROUNDS, FILED, ANSWERED = 6, 20, 10


class Wire:
    """Between the web and Redis: while `cut`, what is sent is swallowed, and nobody is told."""

    def __init__(self, path: str) -> None:
        self.path, self.cut = path, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            near, _ = self.listener.accept()
            far = socket.socket(socket.AF_UNIX)
            try:
                if not self.cut:
                    far.connect(self.path)
            except OSError:
                near.close()
                continue
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.cut:
                    sink.sendall(data)
        if not self.cut:
            for end in (source, sink):
                end.close()

    @contextmanager
    def black_hole(self) -> Iterator[None]:
        self.cut = True
        try:
            yield
        finally:
            self.cut = False


@dataclass
class Pace:
    """Of one way in which Redis was away: how many of the people's doings went well, and how fast."""

    name: str
    tried: int
    done: int
    p95: float
    median: float
    p95_ratio: float
    median_ratio: float


def measure(house: House) -> tuple[list[Pace], float]:
    """The pace in each case, and the seconds from Redis' return until all mails were out."""
    wire = Wire(house.servers.redis_url.partition("://")[2])
    web = Web(house, REDIS_URL=wire.url)
    ways: dict[str, AbstractContextManager[object]]
    times: dict[str, list[float]] = defaultdict(list)
    tried: dict[str, int] = defaultdict(int)
    web.answer(web.file())  # the first of everything is slow
    for _ in range(ROUNDS):
        ways = {
            "with Redis": nullcontext(),
            "Redis stopped": house.broker_stopped(),
            "Redis frozen": house.broker_frozen(),
            "Redis a black hole": wire.black_hole(),
        }
        for name, way in ways.items():
            with way:
                tried[name] += FILED + ANSWERED
                times[name] += _work(web)
    with house.broker_stopped():
        owe_letters(house, web.file(), 20)
        house.staff(workers=2, beats=2)
    out = wait(lambda: house.waiting() == 0, 180)
    house.kill(web.process)
    web.close()
    usual = times["with Redis"]
    return [
        Pace(
            name,
            tried[name],
            len(taken),
            _p95(taken),
            median(taken),
            _p95(taken) / _p95(usual),
            median(taken) / median(usual),
        )
        for name, taken in times.items()
    ], out


def _work(web: Web) -> list[float]:
    """The seconds of each filing and answering that went well."""
    numbers: list[str] = []
    taken = []
    for _ in range(FILED):
        with suppress(AssertionError):
            taken.append(timed(lambda: numbers.append(web.file())))
    for number in numbers[:ANSWERED]:
        with suppress(AssertionError):
            taken.append(timed(lambda number=number: web.answer(number)))  # type: ignore[misc]
    return taken


def _p95(taken: list[float]) -> float:
    return quantiles(taken, n=20)[-1]
