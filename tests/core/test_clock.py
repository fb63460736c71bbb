"""One place knows the time; a test may hold one clock for several processes, and nobody else may."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.core import clock
from backend.settings import ROOT, Settings

MIDSUMMER = datetime(2027, 6, 25, 21, 59, 59, 123456, tzinfo=UTC)


def start(file: Path, program: str, *, env: str = "test") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", f"from backend.core import clock\n{program}"],
        cwd=ROOT,
        env={**os.environ, "SAMSVAR_ENV": env, "SAMSVAR_TEST_CLOCK": str(file)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_several_processes_go_by_one_clock_and_see_it_turned(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock.set_shared(file, MIDSUMMER)
    tell = "while input(): print(clock.now().isoformat(), clock.today(), flush=True)"
    processes = [start(file, tell) for _ in range(2)]

    def told() -> list[str]:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("?\n")
            process.stdin.flush()
        return [process.stdout.readline().strip() for process in processes if process.stdout]

    assert told() == ["2027-06-25T21:59:59.123456+00:00 2027-06-25"] * 2
    clock.set_shared(file, MIDSUMMER + timedelta(seconds=1))
    assert told() == ["2027-06-25T22:00:00.123456+00:00 2027-06-26"] * 2
    clock.set_shared(file, datetime(1969, 12, 31, tzinfo=UTC))
    assert told() == ["1969-12-31T00:00:00+00:00 1969-12-31"] * 2
    for process in processes:
        process.communicate("\n", timeout=10)
        assert process.returncode == 0


def test_a_clock_being_turned_is_never_read_half_way(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    moments = [datetime(2026, 1, 1, tzinfo=UTC), datetime(2261, 1, 1, 23, 59, 59, 999999, tzinfo=UTC)]
    clock.set_shared(file, moments[0])
    reading = start(file, "print(sorted({clock.now().isoformat() for _ in range(400_000)}))")
    while reading.poll() is None:
        for moment in moments:
            clock.set_shared(file, moment)
    assert reading.communicate()[0].strip() == str([moment.isoformat() for moment in moments])


def test_how_long_somebody_has_been_at_work_goes_by_no_clock_that_is_turned(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock.set_shared(file, MIDSUMMER)
    program = (
        "from datetime import *\n"
        "print(abs(clock.elapsing() - datetime.now(UTC)) < timedelta(seconds=1))\n"
        "with clock.at(clock.EPOCH): print(clock.now() == clock.elapsing() == clock.EPOCH)"
    )
    assert start(file, program).communicate(timeout=20)[0].split() == ["True", "True"]


@pytest.mark.parametrize("env", ["production", "demo"])
def test_nothing_starts_by_such_a_clock_but_a_test(tmp_path: Path, env: str) -> None:
    clock.set_shared(tmp_path / "clock", MIDSUMMER)
    process = start(tmp_path / "clock", "print('started')", env=env)
    out, error = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert error.strip() == "SAMSVAR_TEST_CLOCK får bara vara satt när SAMSVAR_ENV är test."


def test_without_one_the_time_is_the_machines() -> None:
    assert Settings().test_clock is None
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
