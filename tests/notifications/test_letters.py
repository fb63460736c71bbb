"""What a letter says, and what it does not."""

from datetime import date, datetime

import pytest

from backend.core.clock import STOCKHOLM
from backend.notifications.letters import KINDS, RAISED, Line, write
from backend.settings import settings

MORNING = datetime(2026, 3, 2, 8, 15, tzinfo=STOCKHOLM)
FOOT = "Mejlet innehåller inget ur ärendet. Det går inte att svara på."


def line(kind: str, number: str, due_on: date | None = date(2026, 3, 9), **more: str) -> Line:
    return Line(
        kind,
        more.get("role", "handler"),
        more.get("unit", "Avdelning 43"),
        f"/deviations/{number}",
        number,
        due_on,
    )


def test_a_letter_greets_counts_and_lists_by_unit_the_most_urgent_first() -> None:
    letter = write(
        [
            line("answer", "BLE-2026-BBBBBB", date(2026, 3, 4)),
            line("acknowledge", "BLE-2026-AAAAAA", date(2026, 2, 27)),
            line("verdict", "BLE-2026-CCCCCC", role="reporter", unit="Avdelning 12"),
        ],
        MORNING,
    )
    site = settings().base_url
    assert letter.subject == "Samsvar: tre ärenden väntar på er"
    assert letter.body == (
        "God morgon! Tre ärenden väntar på er i dag: ett att kvittera, ett att besvara och ett svar att läsa.\n\n"
        "Avdelning 12\n"
        "- BLE-2026-CCCCCC: läs svaret och säg om det räcker, senast måndag 9 mars 2026 (om 7 dagar)\n"
        f"  {site}/deviations/BLE-2026-CCCCCC\n\n"
        "Avdelning 43\n"
        "- BLE-2026-AAAAAA: kvittera, skulle varit klart fredag 27 februari 2026 (i fredags)\n"
        f"  {site}/deviations/BLE-2026-AAAAAA\n"
        "- BLE-2026-BBBBBB: svara, eller skriv när svaret kommer, senast onsdag 4 mars 2026 (om 2 dagar)\n"
        f"  {site}/deviations/BLE-2026-BBBBBB\n\n"
        f"{FOOT}\n"
    )


def test_whoever_is_reminded_of_a_case_twice_over_reads_it_once() -> None:
    both = [
        line("answer", "BLE-2026-AAAAAA", date(2026, 4, 1)),
        line("acknowledge", "BLE-2026-AAAAAA"),
        line("acknowledge", "BLE-2026-AAAAAA", role="manager"),
    ]
    assert write(both, MORNING) == write([both[1]], MORNING)


def test_what_is_raised_stands_last_and_says_why_it_comes() -> None:
    body = write(
        [line("answer", "BLE-2026-AAAAAA", role="manager"), line("answer", "BLE-2026-BBBBBB")], MORNING
    ).body
    own, raised = body.index("Avdelning 43\n"), body.index("Avdelning 43 – till dig som chef")
    assert own < raised


def test_what_is_due_on_no_day_names_none() -> None:
    body = write([line("reply", "BLE-2026-AAAAAA", None)], MORNING).body
    assert "\n\nBLE-2026-AAAAAA\n\nÖppna ärendet: " in body


def test_a_report_that_is_not_sent_is_no_case() -> None:
    draft = Line("draft_ends", "reporter", "", "/", due_on=date(2026, 3, 9))
    assert write([draft], MORNING).subject == "Ditt utkast i Samsvar tas snart bort"
    both = write([draft, line("acknowledge", "BLE-2026-AAAAAA")], MORNING)
    assert both.subject == "Samsvar: två saker väntar på er"


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("role", ["handler", *sorted(RAISED)])
def test_every_kind_can_be_told_alone_and_among_others(kind: str, role: str) -> None:
    for lines in (
        [line(kind, "BLE-2026-AAAAAA", role=role)],
        [line(kind, "BLE-2026-AAAAAA", role=role), line("answer", "BLE-2026-BBBBBB")],
    ):
        letter = write(lines, MORNING)
        assert "{" not in letter.subject + letter.body
        assert letter.body.endswith(f"{FOOT}\n")
