"""The coordinator's form as it stands when opened, and two counties to fill it in for."""

import re
from datetime import UTC, datetime
from html import unescape

from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from tests.people import COORDINATOR

OTHER = "samordnare@annat.example"  # the coordinator of another county


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def another_county(superuser: Engine) -> None:
    """A second county with an agreement and a coordinator of its own."""
    with superuser.begin() as session:
        county = session.scalar(
            text("insert into counties (code, name) values ('KRO', 'Kronoberg') returning id")
        )
        session.execute(
            text(
                "insert into agreements (county_id, version, valid_from, terms) values (:c, 1, '2000-01-01', '{}')"
            ),
            {"c": county},
        )
        person = session.scalar(
            text("insert into people (email, title) values (:e, 'Länssamordnare, Kronoberg') returning id"),
            {"e": OTHER},
        )
        session.execute(
            text(
                "insert into assignments (person_id, role, county_id, valid_from)"
                " values (:p, 'coordinator', :c, '2020-01-01')"
            ),
            {"p": person, "c": county},
        )


def fields(page: str) -> dict[str, str]:
    """What the form of a page would send: its fields with what stands in them, and no button."""
    form = page[page.index('<form id="agreement"') :]
    found = {}
    for tag in re.findall(r"<input\b[^>]*>", form):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        if name:
            found[name[1]] = unescape(value[1]) if value else ""
    for name, body in re.findall(r'<select\b[^>]* name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name] = chosen[1] if chosen else ""
    return found


def made(browser: TestClient, **changed: str) -> str:
    """Fill in, look, save, as a person does. Gives where that leads."""
    typed = fields(browser.get("/agreements/new").text) | {"valid_from": f"{clock.today()}"} | changed
    seen = browser.post("/agreements/check", data=typed)
    assert seen.status_code == 200, errors(seen.text)
    saved = browser.post("/agreements", data=fields(seen.text))
    assert saved.status_code == 303, errors(saved.text)
    return saved.headers["location"]


def errors(page: str) -> list[str]:
    summary = page.partition('id="error-summary"')[2].partition("</ul>")[0]
    return [unescape(text_) for text_ in re.findall(r"<li>(?:<a[^>]*>)?([^<]+)", summary)]


__all__ = ["COORDINATOR", "OTHER", "another_county", "at", "errors", "fields", "made"]
