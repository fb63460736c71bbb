"""One template, the page or one block of it: the block whose name `HX-Target` gives, if the page has it."""

import re
from collections.abc import Callable

from fastapi.testclient import TestClient

from tests.people import ANNA, filed

ASKED = {"HX-Request": "true"}


TARGETS = [
    ({}, True),
    ({**ASKED, "HX-Target": "form#cases"}, False),
    ({**ASKED, "HX-Target": "section#cases"}, False),
    ({**ASKED, "HX-Target": "#cases"}, False),
    ({**ASKED, "HX-Target": "cases"}, False),
    ({**ASKED}, True),
    ({**ASKED, "HX-Target": ""}, True),
    ({**ASKED, "HX-Target": "form#"}, True),
    ({**ASKED, "HX-Target": "body#nowhere"}, True),
    ({**ASKED, "HX-Target": "form#super"}, True),
    # Only htmx asks for blocks.
    ({"HX-Target": "form#cases"}, True),
    ({"HX-Request": "false", "HX-Target": "form#cases"}, True),
    # A boosted link and the back button show whole pages.
    ({**ASKED, "HX-Target": "form#cases", "HX-Boosted": "true"}, True),
    ({**ASKED, "HX-Target": "form#cases", "HX-History-Restore-Request": "true"}, True),
]


def test_the_block_is_sent_where_the_target_names_one_and_the_page_otherwise(
    blekinge: str, client_of: Callable[..., TestClient]
) -> None:
    anna = client_of(ANNA)
    for headers, whole in TARGETS:
        answer = anna.get("/deviations", headers=headers)
        assert (headers, answer.status_code) == (headers, 200)
        assert (headers, "<html" in answer.text, "</main>" in answer.text) == (headers, whole, whole)
        assert len(re.findall(r'id="cases"', answer.text)) == 1
        assert answer.headers["Vary"] == "HX-Request, HX-Target"


def test_a_block_is_a_part_of_its_page_word_for_word(
    blekinge: str, client_of: Callable[..., TestClient]
) -> None:
    numbers = {filed(), filed()}
    anna = client_of(ANNA)
    page, block = anna.get("/deviations"), anna.get("/deviations", headers={**ASKED, "HX-Target": "x#cases"})
    assert block.text.strip() in page.text
    assert set(re.findall(r"BLE-\d{4}-\w{6}", block.text)) == numbers
