"""What a text is found by: Swedish without endings, the parts of compounds, numbers and marks."""

import pytest

from backend.deviations.searching import LONGEST, MOST_TERMS, PARTS, Term, terms_of, words_of
from backend.deviations.stemming import stem


@pytest.mark.parametrize(
    "forms",
    [
        "lista listan listor listorna listornas listans",
        "läkemedel läkemedlet läkemedlen läkemedels läkemedlets",
        "patient patienten patienter patienterna patientens patienternas",
        "möte mötet möten mötena mötets",
        "rum rummet rummen",
        "brev brevet breven",
        "epikris epikrisen epikriser",
        "sjuksköterska sjuksköterskan sjuksköterskor sjuksköterskorna",
        "avdelning avdelningen avdelningar avdelningarna avdelningens",
        "verksamhet verksamheten verksamheter verksamheternas verksamhets",
        "kvalitet kvaliteten kvaliteter",
        "skicka skickas skickade skickades skickat",
        "sakna saknas saknade saknades saknat",
        "meddelande meddelandet meddelanden meddelandena",
        "artikel artikeln artiklar artiklarna",
        "enhet enheten enheter enheternas",
        "möjlig möjligt möjliga",
    ],
)
def test_the_forms_of_a_word_are_one_word(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize(
    "pair", ["vård värd", "plan plats", "hem hand", "dos dosett", "sår sår", "lista list"]
)
def test_different_words_stay_different(pair: str) -> None:
    one, other = pair.split()
    assert (stem(one) == stem(other)) is (one[:3] == other[:3] and pair in ("sår sår", "lista list"))


@pytest.mark.parametrize(
    ("written", "found_by"),
    [
        (
            "Läkemedelslistan saknades.",
            ["läkemedelslistor", "lista", "listan", "läkemedel", "läkemedlen", "saknas"],
        ),
        ("vårdplanen", ["vårdplan", "plan", "vård", "vårdplaner"]),
        ("Ansvaret var oklart", ["ansvar", "ansvarets", "oklart"]),
        ("utskrivningsplaneringen", ["utskrivning", "planering", "utskrivningsplanering"]),
        ("ansvarsfördelning", ["ansvar", "fördelning"]),
        ("dörrkarmslistan", ["lista", "dörr"]),
        ("jourläkaren", ["läkare", "jour"]),
        ("hälso- och sjukvård", ["hälso", "sjukvård"]),
        ("SIP-mötet", ["sip", "möte", "sip-möte", "SIPMÖTE"]),
        ("avdelning 43", ["43", "Avdelningen"]),
        ("ref A-12/34", ["A-12/34", "a1234", "12", "34"]),
        ("2026-05-19", ["2026-05-19", "20260519", "2026"]),
        ("Idé om ordination", ["ide", "idé"]),
        ("decomposed a\u030angest", ["ångest"]),
    ],
)
def test_a_text_is_found_by(written: str, found_by: list[str]) -> None:
    held = words_of(written)
    assert [word for word in found_by if not {term.word for term in terms_of(f"{word} ")} <= held] == []


def test_a_word_stands_whole_where_the_vocabulary_has_it() -> None:
    assert words_of("behandlingen") == {"behandling"}
    assert words_of("sjuksköterskorna") == {stem("sjuksköterska")}


def test_words_that_tell_nothing_are_left_out() -> None:
    assert words_of("och det som hade med x på 1") == set()
    assert terms_of("och det som ") == []


def test_the_last_word_may_be_half_typed() -> None:
    assert terms_of("saknas läkemed") == [Term(stem("saknas")), Term("läkemed", "läkemed")]
    assert terms_of("läkemedel ") == [Term("läkemedl")]
    assert terms_of("lä") == [Term("lä")]
    assert terms_of("und") == [
        Term("und", "und")
    ]  # on the way to "undersökning", though "under" tells nothing


def test_what_is_too_long_or_too_much_is_cut() -> None:
    assert {len(word) for word in words_of("x" * 5000)} == {LONGEST}
    assert len(terms_of(" ".join(f"ord{n}" for n in range(50)))) == MOST_TERMS


def test_the_vocabulary_is_of_some_hundreds_and_in_small_letters() -> None:
    assert len(PARTS) >= 300
    assert [part for part in PARTS if part != part.lower() or len(part) < 2] == []
