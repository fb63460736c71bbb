"""Writing a report: what is warned for before it is sent, masking it with one press, and sending it all the same."""

import html
import re
import uuid
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from pydantic import AfterValidator
from sqlalchemy import Engine, text

from backend.core import clock
from backend.core.screening import Hit
from backend.deviations import forms, warnings
from backend.deviations.models import Outcome
from tests.people import ANNA, ANNAS_UNIT, BOBS_UNIT, COORDINATOR, report_form

Of = Callable[..., TestClient]
STORY = "Dottern Eva Lind ringde avdelningen från 070-174 06 05 kl 18.30."
CASE = re.compile(r"/deviations/BLE-\d{4}-[0-9A-Z]{6}")


def typed(**changed: str) -> dict[str, str]:
    """What the form of our own page sends."""
    return {
        "receiver_unit": BOBS_UNIT,
        "sender_unit": ANNAS_UNIT,
        "category": "medication.list",
        "description": STORY,
        "target_group": "older",
        "severity": "",
        "occurred_on": clock.today().isoformat(),
        "submission": str(uuid.uuid4()),
        "look_first": "yes",
        **changed,
    }


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page, as a browser sends them on: line breaks as two signs."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: "\r\n".join(html.unescape(value).splitlines()) for name, value in found}


def marked(page: str) -> list[str]:
    return [html.unescape(words) for words in re.findall(r"<mark>([^<]*)</mark>", page)]


def masks(page: str) -> list[str]:
    return re.findall(r'name="mask" value="([^"]+)" formaction="/deviations/check"', page)


def told(page: str) -> list[str]:
    return [html.unescape(words) for words in re.findall(r'<dd class="prose">([^<]*)</dd>', page)]


def filed(superuser: Engine) -> list[str]:
    with superuser.connect() as connection:
        return list(connection.scalars(text("select description from deviations order by id")))


@pytest.mark.usefixtures("blekinge")
class TestLookingFirst:
    def test_the_form_sends_and_offers_to_look_first(self, client_of: Of) -> None:
        page = client_of(ANNA).get("/deviations/new").text
        assert re.search(r'<form id="report" class="form" action="/deviations" method="post"', page)
        assert hidden(page)["look_first"] == "yes"
        assert 'formaction="/deviations/check"' in page

    def test_a_report_without_anything_to_warn_for_is_sent_by_the_first_press(self, client_of: Of) -> None:
        answer = client_of(ANNA).post("/deviations", data=typed(description="Listan saknades vid hemgång."))
        assert answer.status_code == 303
        assert CASE.fullmatch(answer.headers["location"])

    def test_the_first_press_shows_what_may_point_out_a_person_where_it_stands(
        self, client_of: Of, superuser: Engine
    ) -> None:
        page = client_of(ANNA).post(
            "/deviations", data=typed(suggestion="Ring fru Berg.\r\nHon bor på Storgatan 12B.")
        )
        assert page.status_code == 200
        assert marked(page.text) == ["Eva Lind", "070-174 06 05", "Berg", "Storgatan 12B"]
        assert re.findall(r"<strong>(Liknar [^<]+)</strong> <span[^>]+>([^<]+)", page.text) == [
            ("Liknar ett namn", "i Vad hände"),
            ("Liknar ett telefonnummer", "i Vad hände"),
            ("Liknar ett namn", "i Förslag"),
            ("Liknar en adress", "i Förslag"),
        ]
        assert "Dottern <mark>Eva Lind</mark> ringde avdelningen från 070-174 06 05 kl" in page.text
        assert filed(superuser) == []

    def test_the_second_press_sends_it_as_it_stands(self, client_of: Of, superuser: Engine) -> None:
        anna = client_of(ANNA)
        seen = hidden(anna.post("/deviations", data=typed()).text)
        assert "look_first" not in seen
        assert anna.post("/deviations", data=seen).status_code == 303
        assert filed(superuser) == [STORY]

    def test_whoever_does_not_ask_to_look_first_files_at_once(self, client_of: Of, superuser: Engine) -> None:
        plain = typed()
        del plain["look_first"]
        assert client_of(ANNA).post("/deviations", data=plain).status_code == 303
        assert filed(superuser) == [STORY]

    def test_one_press_masks_one_passage_and_shows_the_rest(self, client_of: Of, superuser: Engine) -> None:
        anna = client_of(ANNA)
        first = anna.post("/deviations", data=typed()).text
        assert masks(first) == ["description.0:8-16", "description.0:41-54", "all"]
        second = anna.post("/deviations/check", data={**hidden(first), "mask": masks(first)[0]}).text
        masked = "Dottern [maskat] ringde avdelningen från 070-174 06 05 kl 18.30."
        assert marked(second) == ["070-174 06 05"]
        assert masked in told(second)
        assert anna.post("/deviations", data=hidden(second)).status_code == 303
        assert filed(superuser) == [masked]

    def test_one_press_masks_all_in_every_field(self, client_of: Of, superuser: Engine) -> None:
        anna = client_of(ANNA)
        two = typed(suggestion="Ring fru Berg.\r\nHon bor på\r\nStorgatan 12B.", sender_reference="Karin A")
        page = anna.post(
            "/deviations/check", data={**hidden(anna.post("/deviations", data=two).text), "mask": "all"}
        ).text
        assert marked(page) == masks(page) == []
        assert "Det är maskat. Läs igenom och skicka." in page
        sent = hidden(page)
        assert (sent["suggestion"], sent["sender_reference"]) == (
            "Ring fru [maskat].\r\nHon bor på\r\n[maskat].",
            "[maskat]",
        )
        assert anna.post("/deviations", data=sent).status_code == 303
        assert filed(superuser) == ["Dottern [maskat] ringde avdelningen från [maskat] kl 18.30."]

    def test_what_was_masked_is_masked_in_the_draft_too(self, client_of: Of) -> None:
        anna = client_of(ANNA)
        kept = typed()
        anna.post("/deviations", data=kept)
        anna.post("/deviations/check", data={**kept, "mask": "all"})
        page = anna.get("/deviations/new", params={"draft": kept["submission"]}).text
        assert "Dottern [maskat] ringde" in page
        assert "Eva Lind" not in page

    @pytest.mark.parametrize(
        "key", ["description.0:0-5", "category.0:0-5", "description.9:8-16", "nonsense", ""]
    )
    def test_a_key_that_names_no_passage_masks_nothing(self, client_of: Of, key: str) -> None:
        page = client_of(ANNA).post("/deviations/check", data={**typed(), "mask": key})
        assert page.status_code == 200
        assert STORY in told(page.text)

    def test_what_is_too_short_once_it_is_masked_is_said_by_its_field(self, client_of: Of) -> None:
        page = client_of(ANNA).post(
            "/deviations/check", data={**typed(description="Karin Berg"), "mask": "all"}
        )
        assert page.status_code == 422
        assert "Skriv minst 10 tecken." in page.text
        assert ">\n[maskat]</textarea>" in page.text

    def test_words_are_shown_as_words_and_never_as_markup(self, client_of: Of) -> None:
        page = client_of(ANNA).post(
            "/deviations", data=typed(description='Karin <script>alert(1)</script> "Eva Ek"')
        )
        assert marked(page.text) == ["Karin", "Eva Ek"]
        assert "<script>alert" not in page.text

    @pytest.mark.parametrize("address", ["/deviations", "/deviations/check"])
    def test_a_role_that_may_not_file_is_told_so(self, client_of: Of, address: str) -> None:
        assert client_of(COORDINATOR).post(address, data=typed()).status_code == 403

    @pytest.mark.parametrize("address", ["/deviations", "/deviations/check"])
    def test_only_posting_is_possible(self, client_of: Of, address: str) -> None:
        assert client_of(ANNA).put(address, data=typed()).status_code == 405

    def test_htmx_gets_the_whole_page_as_no_block_is_named_so(self, client_of: Of) -> None:
        answer = client_of(ANNA).post(
            "/deviations", data=typed(), headers={"HX-Request": "true", "HX-Target": "main#main"}
        )
        assert marked(answer.text) == ["Eva Lind", "070-174 06 05"]

    def test_no_log_line_holds_what_was_found(
        self, client_of: Of, capsys: pytest.CaptureFixture[str]
    ) -> None:
        anna = client_of(ANNA)
        page = anna.post("/deviations", data=typed()).text
        anna.post("/deviations/check", data={**hidden(page), "mask": "all"})
        said = "".join(capsys.readouterr())
        assert [word for word in ("Eva", "Lind", "174 06", "maskat") if word in said] == []


class TestWarnings:
    def test_a_form_tells_its_warnings_by_field(self) -> None:
        form = report_form(description=STORY, sender_reference="Karin A", category="other")
        assert warnings.warnings_of(form) == [
            ("description", Hit(8, 16, "name")),
            ("description", Hit(41, 54, "phone")),
            ("sender_reference", Hit(0, 7, "name")),
        ]

    def test_parts_of_a_form_are_named_by_their_place(self) -> None:
        answer = forms.AnswerForm(
            outcome=Outcome.NOT_OURS,
            cause="Se åtgärd.",
            actions=[
                forms.AnswerActionForm(text="Rutinen ändras."),
                forms.AnswerActionForm(text="Karin Lind ringer.", owner="Enhetschef"),
            ],
        )
        assert warnings.warnings_of(answer) == [("actions.1.text", Hit(0, 10, "name"))]

    def test_every_value_of_a_repeated_field_is_looked_at(self) -> None:
        labels: warnings.Labels = {"actions": lambda: "Åtgärd"}
        given = {"actions": ["Rutinen ändras.", "Karin ringer."], "mask": ["actions.1:0-5"]}
        assert [(it.key, it.found, it.after) for it in warnings.passages(given, labels)] == [
            ("actions.1:0-5", "Karin", " ringer.")
        ]
        assert warnings.masked(given, labels) == {"actions": ["Rutinen ändras.", "[maskat] ringer."]}

    def test_long_texts_are_cut_between_words_around_the_passage(self) -> None:
        long = "ord " * 40
        (it,) = warnings.passages({"text": [f"{long}Karin {long}"]}, {"text": lambda: "Text"})
        assert (it.before, it.found, it.after) == ("… " + "ord " * 11, "Karin", " ord" * 11 + " …")


def test_every_text_of_a_form_refuses_a_certain_number() -> None:
    """A code need not: it is looked up, and never kept."""

    def marks(annotation: object) -> list[object]:
        own = list(getattr(annotation, "__metadata__", ()))
        return own + [mark for part in getattr(annotation, "__args__", ()) for mark in marks(part)]

    codes = {
        *("category", "sender_unit", "receiver_unit", "receiver_organisation", "steering_document"),
        *("unit", "suggested_unit", "case_number", "field", "email"),
    }
    open_texts = []
    for form in _forms(forms.Form):
        for name, field in form.model_fields.items():
            marked_so = [*field.metadata, *marks(field.annotation)]
            screens = any(
                isinstance(mark, AfterValidator) and mark.func is forms.screened for mark in marked_so
            )
            is_text = field.annotation is str or "Annotated[str" in str(field.annotation)
            if is_text and not screens and name not in codes:
                open_texts.append(f"{form.__name__}.{name}")
    assert open_texts == []


def _forms(of: type[forms.Form]) -> list[type[forms.Form]]:
    return [form for below in of.__subclasses__() for form in (below, *_forms(below))]
