"""The whole house, started as `make demo` starts it, and a real browser to walk through it."""

import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_WITHIN = 90


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # One demo for all of them, so they stay together in one of xdist's workers.
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def demo() -> Iterator[str]:
    """`samsvar demo` in a folder of its own: web, worker, beat and their servers. Gives the address."""
    state = Path(tempfile.mkdtemp(prefix="samsvar-browser-"))
    port = free_port()
    ours = {
        "PORT": str(port),
        "SAMSVAR_STATE": str(state / "state"),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "backend", "demo"], cwd=ROOT, env=ours, stderr=subprocess.PIPE, text=True
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(process, address)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        shutil.rmtree(state, ignore_errors=True)


def _wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    said, end = "", time.monotonic() + START_WITHIN
    with selectors.DefaultSelector() as ready:
        ready.register(process.stderr, selectors.EVENT_READ)
        while time.monotonic() < end:
            if ready.select(timeout=0.5):
                line = os.read(process.stderr.fileno(), 4096).decode(errors="replace")
                said += line
                if words in said:
                    return
            if process.poll() is not None:
                break
    raise AssertionError(f"the demo did not start:\n{said}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium saknas: kör 'apt-get install chromium' (make test gör det där det får)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def logged_in() -> dict[str, Any]:
    """What each person's browser holds once they have logged in, so that everybody need do it only once."""
    return {}


@pytest.fixture
def enter(
    chromium: Browser, demo: str, logged_in: dict[str, Any], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """`enter("mas@solvesborg.example", PHONE)`: that person's own browser, logged in through the login page."""
    contexts: list[BrowserContext] = []

    def _enter(email: str | None, viewport: dict[str, int] = PHONE, **options: object) -> Page:
        held = logged_in.get(email) if email else None
        context = chromium.new_context(
            viewport=viewport,
            base_url=demo,
            locale="sv-SE",
            storage_state=held,
            # A fold that is still opening moves what is pressed: a press of the machine's then meets nothing.
            reduced_motion="reduce",
            **options,  # type: ignore[arg-type]
        )
        contexts.append(context)
        # A page that reached for another host would fail here, and the test with it.
        context.route(re.compile(rf"^(?!{re.escape(demo)})"), lambda route: route.abort())
        page = context.new_page()
        page.set_default_timeout(30_000)
        if email and held:
            page.goto("/")
        elif email:
            page.goto("/login")
            page.get_by_label("E-postadress").fill(email)
            page.get_by_label("Lösenord").fill("samsvar-demo")
            page.get_by_role("button", name="Logga in").click()
            page.wait_for_url(f"{demo}/")
            logged_in[email] = context.storage_state()
        return page

    yield _enter
    for context in contexts:
        if request.node.stash.get(FAILED, False):
            # What somebody who sat there would have seen.
            for page in context.pages:
                print(f"\n{page.url}\n{page.locator('body').inner_text(timeout=2000)[:3000]}")
        context.close()
