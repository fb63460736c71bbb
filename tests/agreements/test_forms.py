"""What a coordinator may type, and what each mistake is told."""

import pytest

from backend.agreements import closing, forms, marks
from backend.core import clock
from backend.core.errors import InvalidError
from backend.core.web.reading import check
from backend.deviations import clocks
from backend.deviations.agreed import LABELS
from tests.agreements.test_agreements import typed_form
from tests.agreements.versions import at

NOW = at("2026-03-02T09:00")


def test_the_form_holds_each_clock_and_each_limit_of_a_mark() -> None:
    assert set(forms.CLOCKS) == set(clocks.SPANS) == set(LABELS)
    assert set(forms.RAISED) == clocks.RECEIVING
    for when, (least, most) in marks.LIMITS.items():
        for n in (least, most):
            assert clocks.Mark(when, n).n == n  # type: ignore[arg-type]
        for n in (least - 1, most + 1):
            with pytest.raises(ValueError, match="no mark"):
                clocks.Mark(when, n)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "read", "unread"),
    [
        ("dag 3, dag 5", [("day", 3), ("day", 5)], []),
        ("50 %, 80% och 100 procent", [("percent", 50), ("percent", 80), ("percent", 100)], []),
        ("5 dagar efter; +10; 1 dag efter", [("after", 1), ("after", 5), ("after", 10)], []),
        ("5 arbetsdagar efter, Arbetsdag 2, arbetsdag 2", [("day", 2), ("after", 5)], []),
        ("50 %, dag 3, 5 efter", [("day", 3), ("percent", 50), ("after", 5)], []),
        ("  ", [], []),
        ("ibland, 101 %, dag 0, 251 dagar efter", [], ["ibland", "101 %", "dag 0", "251 dagar efter"]),
    ],
)
def test_reminders_are_read_as_people_write_them(
    typed: str, read: list[marks.Mark], unread: list[str]
) -> None:
    assert marks.read(typed) == (read, unread)
    assert marks.read(marks.written(read)) == (read, [])


@pytest.mark.parametrize(
    ("changed", "field", "told"),
    [
        ({"answer_n": 0}, "answer_n", "Talet får inte vara mindre än 1."),
        ({"answer_n": 366}, "answer_n", "Talet får inte vara större än 365."),
        ({"answer_n": "snart"}, "answer_n", "Skriv ett heltal."),
        ({"answer_unit": "hours"}, "answer_unit", "Välj ett av alternativen."),
        ({"risk_threshold": 17}, "risk_threshold", "Talet får inte vara större än 16."),
        ({"verdict_severity_2_n": -1}, "verdict_severity_2_n", "Talet får inte vara mindre än 1."),
        (
            {"valid_from": "2026-03-01"},
            "valid_from",
            "Välj i dag eller en dag inom två år. Det som redan har skickats ändras aldrig i efterhand.",
        ),
        (
            {"valid_from": "2029-01-01"},
            "valid_from",
            "Välj i dag eller en dag inom två år. Det som redan har skickats ändras aldrig i efterhand.",
        ),
        ({"valid_from": "i morgon"}, "valid_from", "Skriv datumet som 2026-11-22."),
        (
            {"reminders_answer": "ibland"},
            "reminders_answer",
            "”ibland” går inte att läsa. Skriv till exempel dag 3, 50 % eller 5 dagar efter.",
        ),
        (
            {"reminders_answer": "dag 11"},
            "reminders_answer",
            "Tiden är 10 dagar. Skriv ”dagar efter” för det som kommer senare.",
        ),
        (
            {"reminders_answer": "dag 1, dag 2, dag 3, dag 4, dag 5, dag 6, dag 7"},
            "reminders_answer",
            "Välj högst 6 påminnelser.",
        ),
        (
            {"reminders_verdict": "5 dagar efter"},
            "reminders_verdict",
            "När tiden är slut går ärendet vidare av sig självt, så ingen påminns efter det.",
        ),
        (
            {"escalation_manager": 10, "escalation_safety": 10},
            "escalation_safety",
            "Välj fler dagar än steget före, 10.",
        ),
        (
            {"escalation_manager": 10, "escalation_head": 5},
            "escalation_head",
            "Välj fler dagar än steget före, 10.",
        ),
        ({"closed": "2026-06-19"}, "day", "Fredag 19 juni 2026 är redan ledig i hela landet."),
        ({"open": "2026-06-18"}, "day", "Torsdag 18 juni 2026 är redan en arbetsdag."),
        (
            {"closed": "2029-01-02"},
            "day",
            "Tisdag 2 januari 2029 ligger för långt fram. Välj en dag inom två år.",
        ),
        ({"closed": "midsommar"}, "day", "Skriv datumet som 2026-11-22."),
    ],
)
def test_a_mistake_is_told_at_its_field(changed: dict[str, object], field: str, told: str) -> None:
    with clock.at(NOW), pytest.raises(InvalidError) as raised:
        forms.terms(check(forms.AgreementForm, typed_form(**changed)))
    assert [(fault.field, fault.text) for fault in raised.value.faults] == [(field, told)]


def test_what_is_stored_is_what_the_clocks_read() -> None:
    with clock.at(NOW):
        form = check(
            forms.AgreementForm,
            typed_form(
                answer_severity_4_n=5,
                answer_severity_4_unit="working",
                acknowledge_severity_4_n=1,
                reminders_answer="50 %, 5 dagar efter",
                escalation_safety=7,
                closed="2025-12-23 2026-05-15",
                open="2026-06-19",
            ),
        )
        stored = forms.terms(form)
    terms, calendar = clocks.terms_from(stored)
    assert terms.span("answer", 4) == clocks.Span(5, "working")
    assert terms.span("answer", 3) == clocks.Span(10, "working")
    assert terms.span("acknowledge", 4) == clocks.Span(1, "working")
    assert terms.reminders["answer"] == (clocks.Mark("percent", 50), clocks.Mark("after", 5))
    assert terms.reminders["acknowledge"] == ()
    assert terms.escalation == (clocks.Escalation("safety", 7),)
    assert closing.text(calendar.added) == "2026-05-15"  # a day that has been is of no use to what comes
    assert closing.text(calendar.removed) == "2026-06-19"
