"""Browsers that stand at an address."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient


@pytest.fixture
def browser(app: object) -> Callable[..., TestClient]:
    """`browser("192.0.2.7")`: one that nobody has logged in with, at that address."""

    def at(address: str = "192.0.2.1") -> TestClient:
        return TestClient(
            app,  # type: ignore[arg-type]
            follow_redirects=False,
            headers={"Sec-Fetch-Site": "same-origin"},
            client=(address, 50000),
        )

    return at
