"""The whole life of deviations, walked at random by the people of six branches, held against the trade in plain Python.

A thousand steps in every run; `SAMSVAR_LONG=50000` takes that many, in walks of two thousand, each in a fresh
database. A walk that goes wrong is walked again with steps left out, until the shortest that still goes wrong is told.
"""

import os
import secrets
import time
from random import Random

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.conftest import _fresh, admin_url, blekinge_template
from tests.deviations.life.asides import VERBS
from tests.deviations.life.walk import Tally, Try, Walk

STEPS = int(os.environ.get("SAMSVAR_LONG") or 1000)
WALK = 2000
SHRINK_SECONDS = int(os.environ.get("SAMSVAR_SHRINK") or 100)


def walked(
    app: object, tally: Tally, steps: list[Try] | None = None, *, seed: int = 0, length: int = 0
) -> tuple[list[Try], Exception | None]:
    """The steps taken, and what went wrong at the last one."""
    taken: list[Try] = []
    random = Random(seed)
    with _fresh(blekinge_template()) as name:
        engine = create_engine(admin_url(name), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            walk = Walk(connection, app, tally)
            try:
                for number in range(length if steps is None else len(steps)):
                    taken.append(walk.choose(random) if steps is None else steps[number])
                    walk.take(taken[-1])
                walk.reaches_nothing_else()
            except Exception as wrong:  # noqa: BLE001  whatever goes wrong is to be told with its steps
                return taken, wrong
        engine.dispose()
    return taken, None


def shortest(app: object, steps: list[Try], wrong: Exception) -> tuple[list[Try], Exception]:
    """Leave out as many steps as the fault survives, in halves, quarters and so on down to single ones."""
    end, size = time.monotonic() + SHRINK_SECONDS, max(1, len(steps) // 2)
    while time.monotonic() < end:
        begin, shorter = 0, False
        while begin < len(steps) and time.monotonic() < end:
            fewer = steps[:begin] + steps[begin + size :]
            taken, again = walked(app, Tally(), fewer)
            if again is not None and type(again) is type(wrong):
                steps, wrong, shorter = taken, again, True
            else:
                begin += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return steps, wrong


def test_whatever_people_do_the_house_and_the_trade_agree(app: object) -> None:
    seed = int(os.environ.get("SAMSVAR_SEED") or secrets.randbelow(2**32))
    tally, began = Tally(), time.monotonic()
    for walk, length in enumerate([WALK] * (STEPS // WALK) + ([STEPS % WALK] if STEPS % WALK else [])):
        steps, wrong = walked(app, tally, seed=seed + walk, length=length)
        if wrong is not None:
            steps, wrong = shortest(app, steps, wrong)
            told = "\n".join(map(str, steps))
            pytest.fail(
                f"SAMSVAR_SEED={seed + walk}, {len(steps)} steps:\n{told}\n{type(wrong).__name__}: {wrong}"
            )
    print(f"seed {seed}, {time.monotonic() - began:.0f} s: {tally}")
    assert tally.steps == STEPS
    assert {name for name in VERBS if not tally.done[name]} == set()
    assert {name for name in VERBS if not tally.refused[name]} == set()
