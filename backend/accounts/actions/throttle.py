"""Slowing down whoever guesses. Each try is counted before it is heard, in a transaction of its own: guesses sent
side by side, or a request that fails, cannot slip past the count.
"""

import hashlib
import hmac
import ipaddress
import math
from datetime import timedelta

from sqlalchemy import delete, func, insert, or_, select, text
from sqlalchemy.orm import Session

from backend.accounts.models import LoginFailure
from backend.core import clock
from backend.core.db import witness
from backend.core.errors import TooManyTriesError
from backend.settings import settings

WINDOW = timedelta(minutes=15)
FREE_TRIES = 5
NETWORK_FREE_TRIES = 60
LONGEST_WAIT = 60
KEPT = timedelta(days=1)


def count_try(what: str, address: str) -> None:
    """One more try at `what` (an account, a question about one) from an address.

    Five are free; each after that doubles the wait, up to a minute. A network has more, as it is shared.
    Raises TooManyTriesError while the wait lasts, and does not count what it does not hear.
    """
    account, network = keyed(what), keyed(_network(address))
    with witness() as count:
        _slow_down(count, account, network)
        count.execute(insert(LoginFailure).values(account=account, network=network, at=clock.now()))


def forgive(db: Session, what: str) -> None:
    """The right one came. What is older than a day is of no use to anyone, and goes too.

    In the request's own transaction: two connections at once for each login could use up the pool, and stand still.
    """
    db.execute(
        delete(LoginFailure).where(
            or_(LoginFailure.account == keyed(what), LoginFailure.at < clock.now() - KEPT)
        )
    )


def prune(db: Session) -> int:
    """Where nobody gets in, nobody is forgiven, and what is old would stay. Gives how many tries were forgotten."""
    old = delete(LoginFailure).where(LoginFailure.at < clock.now() - KEPT)
    return len(db.scalars(old.returning(LoginFailure.id)).all())


def _slow_down(db: Session, account: bytes, network: bytes) -> None:
    for lock in (account, network):
        db.execute(text("select pg_advisory_xact_lock(:key)"), {"key": int.from_bytes(lock[:7])})
    now = clock.now()
    for column, key, free in (
        (LoginFailure.account, account, FREE_TRIES),
        (LoginFailure.network, network, NETWORK_FREE_TRIES),
    ):
        tries, latest = db.execute(
            select(func.count(), func.max(LoginFailure.at)).where(
                column == key, LoginFailure.at > now - WINDOW
            )
        ).one()
        if tries >= free:
            wait = min(2 ** (tries - free), LONGEST_WAIT)
            left = wait - (now - latest).total_seconds()
            if left > 0:
                raise TooManyTriesError(math.ceil(left))


def keyed(value: str) -> bytes:
    """A hash that only this installation can make, so that the log of guesses names nobody."""
    return hmac.digest(secret(), value.encode(), hashlib.sha256)


def secret() -> bytes:
    """What production demands thirty-two signs of; the demo has nothing to hide."""
    return settings().secret_key.encode() or b"demo"


def _network(address: str) -> str:
    """The network an address belongs to: one subscriber has a whole /64 of IPv6."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False))
