"""What has been rung for, seen in the broker that all tests of a run share."""

import json
import os
import secrets
import time

import redis

from backend.core import bell


def rung(kind: str) -> int:
    """How often the broker was rung for a kind, once the bell has gone through all it was asked."""
    fence = f"test.{secrets.token_hex(6)}"
    bell.ring(fence)
    url = os.environ["REDIS_URL"].replace("redis+socket://", "unix://", 1)
    with redis.Redis.from_url(url) as broker:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            names = [json.loads(message)["headers"]["task"] for message in broker.lrange("celery", 0, -1)]
            if fence in names:
                return names.count(kind)
            time.sleep(0.02)
    raise AssertionError("the bell was not rung")
