"""A form on another site cannot act as the person who is logged in here."""

import itertools

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.settings import settings
from tests.core.web.doors import address, unsafe

SITES = ("same-origin", "same-site", "cross-site", "none", "")
OWN, CONFIGURED = "http://testserver", settings().base_url
FOREIGN = (
    "http://evil.example",
    "https://testserver",  # the host is ours, the way to it is not
    "http://testserver:8080",
    "http://testserver.evil.example",
    "http://eviltestserver",
    "testserver",
    "null",
    "http://[",
    "",
)
TABLE = [
    *itertools.product(SITES, (OWN, "http://evil.example", "null", None)),
    *itertools.product([None], (OWN, CONFIGURED, *FOREIGN, None)),
]


def from_our_page(site: str | None, origin: str | None) -> bool:
    """The rule: what the browser says of the site decides; only where it says nothing, the origin does."""
    return site == "same-origin" if site is not None else origin in (OWN, CONFIGURED)


@pytest.fixture
def bare(app: FastAPI) -> TestClient:
    return TestClient(app, follow_redirects=False)


def headers(site: str | None, origin: str | None) -> dict[str, str]:
    given = {"Sec-Fetch-Site": site, "Origin": origin}
    return {name: value for name, value in given.items() if value is not None}


@pytest.mark.parametrize(("site", "origin"), TABLE, ids=[f"{site}-{origin}" for site, origin in TABLE])
def test_a_form_is_taken_only_from_a_page_of_ours(
    app: FastAPI, bare: TestClient, site: str | None, origin: str | None
) -> None:
    taken = {
        (method, path): bare.request(method, address(path), headers=headers(site, origin)).status_code != 403
        for method, path in unsafe(app)
    }
    assert len(taken) >= 11
    assert taken == dict.fromkeys(taken, from_our_page(site, origin))


def test_reading_a_page_needs_no_such_proof(bare: TestClient) -> None:
    # A link in a mail, or from another site, is a way in like any other.
    for site, origin in TABLE:
        assert bare.get("/help", headers=headers(site, origin)).status_code == 200
        assert bare.head("/help", headers=headers(site, origin)).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "MADE-UP"])
def test_a_method_that_no_page_has_is_refused_too(bare: TestClient, method: str) -> None:
    for path in ("/", "/inbox", "/nowhere", "/static/app.css"):
        answer = bare.request(method, path, headers=headers("cross-site", OWN))
        assert (path, answer.status_code) == (path, 403)


def test_the_refusal_is_a_page_with_a_way_back(bare: TestClient) -> None:
    answer = bare.post("/login", headers=headers("cross-site", None))
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Begäran kom från en annan webbplats och avvisades." in answer.text
    assert 'href="/"' in answer.text
