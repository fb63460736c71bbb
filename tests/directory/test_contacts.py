"""The list for the day when the systems are down: on a page, and as a file."""

import io
import time
from collections.abc import Callable
from datetime import UTC, datetime

from fastapi.testclient import TestClient
from pypdf import PdfReader
from sqlalchemy import Engine, text

from backend.core import clock
from tests.directory.offices import HOME
from tests.directory.test_pages import main
from tests.people import ANNA, COORDINATOR

Browsers = Callable[..., TestClient]
NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
HOSTILE = '#panic("x") $x$ ] <b> 😀'


def named(superuser: Engine) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text("update units set telephone = '0456-81 60 00', name = :n where hsa_id = :h"),
            {"h": HOME, "n": HOSTILE},
        )


def test_everybody_signed_in_reads_units_with_telephone_and_way_in_and_the_day(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    named(superuser)
    with clock.at(NOW):
        for who in (ANNA, COORDINATOR):
            page = main(client_of(who).get("/directory/contacts").text)
            assert "Gäller tisdag 3 mars 2026." in page
            assert "0456-81 60 00" in page
            assert "MAS Sölvesborg (väg in)" in page
            assert "&lt;b&gt;" in page
            assert page.count('role="rowheader"') == 85
            assert "<script" not in page


def test_the_file_says_the_same_is_tagged_and_repeats(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    named(superuser)
    with clock.at(NOW):
        client = client_of(ANNA)
        client.get("/directory/contacts.pdf")
        began = time.monotonic()
        answer = client.get("/directory/contacts.pdf")
        took = time.monotonic() - began
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="kontaktlista-2026-03-03.pdf"'
    made = answer.content
    for sign in (b"<pdfaid:part>2", b"<pdfaid:conformance>A", b"<pdfuaid:part>1", b"/StructTreeRoot", b"/TH"):
        assert made.count(sign) >= 1, sign
    words = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages).split())
    wanted = (
        "Gäller tisdag 3 mars 2026",
        "MAS Sölvesborg (väg in)",
        "0456-81 60 00",
        '#panic("x") $x$ ] <b> [U+1F600]',
    )
    assert [one in words for one in wanted] == [True] * 4
    with clock.at(NOW.replace(hour=15)):
        assert client_of(COORDINATOR).get("/directory/contacts.pdf").content == made
    assert took < 2
