"""Guessing is slowed, by account and by network, and the count survives whatever becomes of the request."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.accounts.actions import FREE_TRIES, NETWORK_FREE_TRIES, WINDOW
from backend.core import clock
from tests.accounts.browsers import log_in
from tests.people import ANNA, BOB

Browser = Callable[..., TestClient]


def guess(client: TestClient, email: str = ANNA, *, at: datetime | None = None) -> tuple[int, str | None]:
    """A wrong guess: its status, and how long the next has to wait."""
    with clock.at(at or clock.now()):
        answer = log_in(client, email, "fel lösenord")
    return answer.status_code, answer.headers.get("Retry-After")


def failures(superuser: Engine) -> int:
    with superuser.connect() as connection:
        return len(connection.scalars(text("select id from login_failures")).all())


def multiply(superuser: Engine, times: int, *, account: bool) -> None:
    """The guesses there are, `times` over: of the same account, or of others in the same network."""
    who = "account" if account else "sha256(n::text::bytea)"
    with superuser.begin() as connection:
        connection.execute(
            text(
                "insert into login_failures (account, network, at)"
                f" select {who}, network, at from login_failures, generate_series(2, :times) n"
            ),
            {"times": times},
        )


def test_the_sixth_guess_waits_and_is_told_so_in_swedish(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    client, now = browser(), clock.now()
    assert [guess(client, at=now) for _ in range(FREE_TRIES)] == [(422, None)] * FREE_TRIES
    with clock.at(now):
        answer = log_in(client, ANNA)  # even with the right password
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert "För många försök" in answer.text
    assert "Vänta en sekund och försök igen." in answer.text
    assert f'value="{ANNA}"' in answer.text
    # What is refused unheard makes the wait no longer.
    assert failures(superuser) == FREE_TRIES
    assert guess(client, BOB, at=now) == (422, None)
    assert guess(client, at=now + timedelta(seconds=1.5)) == (422, None)
    assert guess(client, at=now + timedelta(seconds=2)) == (429, "2")


def test_the_wait_doubles_up_to_a_minute_and_is_over_after_a_quarter_of_an_hour(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    client, now = browser(), clock.now()
    guess(client, at=now)
    waits = {}
    for tries in range(FREE_TRIES, FREE_TRIES + 8):
        with superuser.begin() as connection:
            connection.execute(
                text("delete from login_failures where id > (select min(id) from login_failures)")
            )
        multiply(superuser, tries, account=True)
        waits[tries] = guess(client, at=now)[1]
    assert list(waits.values()) == ["1", "2", "4", "8", "16", "32", "60", "60"]
    assert guess(client, at=now + WINDOW + timedelta(seconds=1)) == (422, None)


def at_once(superuser: Engine, clients: list[TestClient], emails: list[str], now: datetime) -> list[int]:
    """Guesses that all have begun before the first of them is counted; their statuses in order."""
    with ThreadPoolExecutor(len(clients)) as threads:
        with superuser.begin() as connection:
            # Counting goes through, noting waits.
            connection.execute(text("lock table login_failures in share mode"))
            begun = [
                threads.submit(guess, client, email, at=now)
                for client, email in zip(clients, emails, strict=True)
            ]
            _until_waiting(superuser, len(clients))
        return sorted(guessed.result()[0] for guessed in begun)


def _until_waiting(superuser: Engine, expected: int) -> None:
    waiting = text(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with superuser.connect() as connection:
            if connection.scalar(waiting) == expected:
                return
        time.sleep(0.02)
    raise AssertionError("not all of them wait")


def test_guesses_sent_side_by_side_do_not_slip_past_the_count(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    clients = [browser(f"192.0.2.{n}") for n in range(8)]
    found = at_once(superuser, clients, [ANNA] * 8, clock.now())
    assert found == [422] * FREE_TRIES + [429] * (8 - FREE_TRIES)


def test_a_guess_counts_though_the_request_fails(blekinge: str, browser: Browser, superuser: Engine) -> None:
    with superuser.begin() as connection:
        connection.execute(text("alter table passwords rename to lost"))
    assert guess(browser())[0] == 500
    assert failures(superuser) == 1


def test_the_right_password_clears_the_account_and_no_other(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    client = browser()
    guess(client, BOB)
    for _ in range(FREE_TRIES - 1):
        guess(client)
    assert log_in(client, ANNA).status_code == 303
    assert failures(superuser) == 1


def test_a_network_that_guesses_at_many_accounts_is_slowed_and_others_are_not(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    now = clock.now()
    guess(browser("192.0.2.1"), "a@solvesborg.example", at=now)
    multiply(superuser, NETWORK_FREE_TRIES - 2, account=False)
    clients = [browser("192.0.2.1") for _ in range(5)]
    found = at_once(superuser, clients, [f"{n}@solvesborg.example" for n in range(5)], now)
    assert found == [422] * 2 + [429] * 3
    assert guess(browser("192.0.2.2"), BOB, at=now) == (422, None)


def test_one_subscriber_of_ipv6_is_one_network(blekinge: str, browser: Browser, superuser: Engine) -> None:
    for address in ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1", "192.0.2.1"):
        guess(browser(address), f"{address}@solvesborg.example")
    with superuser.connect() as connection:
        sizes = connection.scalars(text("select count(*) from login_failures group by network")).all()
    assert sorted(sizes) == [1, 1, 2]


def test_the_record_of_guesses_names_nobody(blekinge: str, browser: Browser, superuser: Engine) -> None:
    guess(browser("192.0.2.77"))
    with superuser.connect() as connection:
        row = connection.scalars(text("select row_to_json(f)::text from login_failures f")).one()
        bare = connection.execute(
            text("select sha256(:email), sha256(:address)"),
            {"email": ANNA.encode(), "address": b"192.0.2.77"},
        ).one()
    assert "anna" not in row
    # Keyed: whoever takes the table cannot find out by trying all addresses.
    assert not {bytes(value).hex() for value in bare} & set(row.split("\\\\x"))
    assert all(bytes(value).hex() not in row for value in bare)
