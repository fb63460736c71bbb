"""The same words wherever they stand, however they are spelled, and nothing of other words."""

import time

import pytest

from backend.deviations.hiding import hide, hide_deep, wherever


@pytest.mark.parametrize(
    ("slip", "text", "left"),
    [
        ("Karin Lundin", "Karin Lundin, karin lundin och KARIN LUNDIN.", "▒▒▒, ▒▒▒ och ▒▒▒."),
        ("Karin Lundin", "Karin\nLundin, Karin \t Lundin, Karin\u00a0Lundin", "▒▒▒, ▒▒▒, ▒▒▒"),
        ("Karin   Lundin", "karin lundin", "▒▒▒"),
        ("Karin Lundin", "Karin Lundins dotter, KARIN LUNDINS son", "▒▒▒s dotter, ▒▒▒S son"),
        ("Karin Lundin", "Karin Lundinius och Skarin Lundin", "Karin Lundinius och Skarin Lundin"),
        ("Åsa Öberg", "ÅSA ÖBERG och åsa öberg", "▒▒▒ och ▒▒▒"),
        ("Eva", "Eva vid Evakuering. Evas son, EVA, evalvera", "▒▒▒ vid Evakuering. ▒▒▒s son, ▒▒▒, evalvera"),
        ("Dag", "Dag ringde i dag. DAG!", "▒▒▒ ringde i dag. ▒▒▒!"),
        ("eva", "eva, Eva, evakuering", "▒▒▒, ▒▒▒, evakuering"),
        ("A", "Avdelning A", "Avdelning A"),
        ("070-123 45 67", "Ring070-123 45 67.", "Ring▒▒▒."),
        ("rum 12", "rum 12, rum 123, lekrum 12", "▒▒▒, ▒▒▒3, lekrum 12"),
        ("a.c+x(", "a.c+x( abc+x(", "▒▒▒ abc+x("),
        ("(Berg)", "x(Berg)y", "x▒▒▒y"),
    ],
)  # fmt: skip
def test_what_is_hidden_and_what_is_left(slip: str, text: str, left: str) -> None:
    assert hide(text, wherever(slip)) == left


def test_what_was_pointed_at_is_hidden_there_whatever_it_is() -> None:
    assert hide("Annars A", wherever("A"), (7, 8)) == "Annars ▒▒▒"
    assert hide("Evakuering av Eva", wherever("Eva"), (0, 3)) == "▒▒▒kuering av ▒▒▒"


def test_what_is_stored_as_a_form_is_hidden_in_all_of_it() -> None:
    stored = {
        "cause": ["eva berg fick fel"],
        "due": None,
        "actions": [{"text": "Ring Eva\nBerg"}, 3],
        "as_was": "x A",
    }
    assert hide_deep(stored, wherever("Eva Berg"), {"x A": "x ▒▒▒"}) == {
        "cause": ["▒▒▒ fick fel"],
        "due": None,
        "actions": [{"text": "Ring ▒▒▒"}, 3],
        "as_was": "x ▒▒▒",
    }


def test_codes_and_dates_of_a_sealed_copy_are_no_text() -> None:
    copy = {
        "at": "2026-03-02T09:00:00+01:00",
        "on": "2026-03-02",
        "kind": "risk",
        "text": "risk 2026",
        "was": "risken",
    }
    for slip, text in (("2026", "risk ▒▒▒"), ("risk", "▒▒▒ 2026")):
        assert hide_deep(copy, wherever(slip), {}, codes=True) == {**copy, "text": text}
    assert hide_deep(copy, wherever("risken"), {"risken": "▒▒▒"}, codes=True)["was"] == "▒▒▒"


def test_no_text_makes_it_slow() -> None:
    hostile = ("Karin" + " " * 50 + "x") * 2000 + "(" * 5000
    began = time.perf_counter()
    assert hide(hostile, wherever("Karin " * 20 + "Lundin")) == hostile
    assert hide(hostile, wherever("((((((((((")) != hostile
    assert time.perf_counter() - began < 1
