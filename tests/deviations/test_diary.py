"""A case on paper for the diary: repeatable, archivable, accessible, and nothing in it is read as markup."""

import dataclasses
import io
import json
import time
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from backend.deviations.diary import CasePaper, Section, paper, payload

HOSTILE = '#eval("1") #read("/etc/passwd") $x$ ] \\ *fet* = Rubrik <etikett> @hänvisning // borta\n"citat"'
PAPER = CasePaper(
    case_number="BLE-2026-7K3Q9X",
    registry_number="VON 2026/123",
    title="Läkemedelslista",
    branch="Vård och omsorg Sölvesborg",
    as_of=datetime(2026, 11, 22, 12, 5, 7, 123456, tzinfo=UTC),
    sections=(
        Section("Parterna", (("Från", "Hemsjukvården Sölvesborg"), ("Till", "Medicin avdelning 43"))),
        Section("Vad hände", (("Berättelse", HOSTILE),)),
    ),
)


def with_words(words: str) -> CasePaper:
    return dataclasses.replace(PAPER, sections=(Section("Vad hände", (("Berättelse", words),)),))


def words_in(of: CasePaper) -> str:
    return str(json.loads(payload(of))["sections"][0]["rows"][0][1])


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        (HOSTILE, HOSTILE),
        ("Åsa, café, Łódź, Ωμέγα, Москва – 5 €", "Åsa, café, Łódź, Ωμέγα, Москва – 5 €"),
        ("cafe\u0301", "café"),
        ("tack 😀", "tack [U+1F600]"),
        ("a\u202eb\u200bc\x00", "a[U+202E]b[U+200B]c[U+0000]"),
        ("rad ett\r\nrad två\tslut", "rad ett\nrad två slut"),
        ("漢字", "[U+6F22][U+5B57]"),
    ],
)
def test_every_sign_can_be_drawn_and_none_is_lost(written: str, drawn: str) -> None:
    assert words_in(with_words(written)) == drawn


def test_the_paper_says_when_it_was_made_and_its_number_in_the_register() -> None:
    said = json.loads(payload(PAPER))
    assert (said["as_of"], said["registry_number"]) == (
        "Utskrivet 22 november 2026 kl. 13.05",
        "Diarienummer VON 2026/123",
    )
    assert json.loads(payload(dataclasses.replace(PAPER, registry_number=None)))["registry_number"] is None


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError):
        payload(dataclasses.replace(PAPER, as_of=PAPER.as_of.replace(tzinfo=None)))


def test_the_same_paper_is_the_same_bytes_and_another_is_not() -> None:
    assert paper(PAPER) == paper(PAPER)
    assert paper(PAPER) != paper(with_words("Något annat."))


def test_markup_in_what_somebody_wrote_is_inert() -> None:
    """Were it read, `]` and `$` would not compile, and an unknown label or a file outside would be an error."""
    made = paper(PAPER)
    assert made.startswith(b"%PDF-")
    assert paper(with_words('#panic("read")')).startswith(b"%PDF-")


def test_it_is_tagged_and_says_which_standards_it_keeps() -> None:
    made = paper(PAPER)
    for sign in (b"<pdfaid:part>2", b"<pdfaid:conformance>A", b"<pdfuaid:part>1", b"/StructTreeRoot", b"sv"):
        assert made.count(sign) >= 1, sign


def test_it_takes_less_than_a_second() -> None:
    paper(PAPER)
    began = time.monotonic()
    paper(with_words("En lång berättelse om hemgången. " * 120))
    assert time.monotonic() - began < 1


def test_the_words_are_in_the_file_as_text() -> None:
    pages = PdfReader(io.BytesIO(paper(PAPER))).pages
    found = " ".join(" ".join(page.extract_text() for page in pages).split())
    wanted = ("BLE-2026-7K3Q9X", "VON 2026/123", "Medicin avdelning 43", '#eval("1")', "*fet*")
    assert [words in found for words in wanted] == [True] * len(wanted)
