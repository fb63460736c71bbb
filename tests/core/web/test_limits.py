"""How much may be sent: counted as it comes, whatever the sender says of it."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from backend.core.web.middleware import BODY_LIMIT

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PIECE = b"a" * 65_536


def pieces(size: int) -> Iterator[bytes]:
    """A form of that many bytes, sent in pieces and without a Content-Length."""
    yield b"email="
    left = size - len(b"email=")
    while left > 0:
        yield PIECE[:left]
        left -= len(PIECE)


@pytest.mark.parametrize(
    ("size", "status"), [(BODY_LIMIT, 422), (BODY_LIMIT + 1, 413), (5 * BODY_LIMIT, 413)]
)
def test_the_bytes_that_come_are_counted(anonymous: TestClient, size: int, status: int) -> None:
    whole = b"".join(pieces(size))
    assert len(whole) == size
    assert anonymous.post("/login", content=whole, headers=FORM).status_code == status
    streamed = anonymous.post("/login", content=pieces(size), headers=FORM)
    assert "Content-Length" not in streamed.request.headers
    assert streamed.status_code == status


def test_a_false_content_length_changes_nothing(anonymous: TestClient) -> None:
    answer = anonymous.post(
        "/login", content=pieces(BODY_LIMIT + 1), headers={**FORM, "Content-Length": "10"}
    )
    assert answer.status_code == 413


def test_too_much_is_said_in_swedish(anonymous: TestClient) -> None:
    answer = anonymous.post("/login", content=pieces(BODY_LIMIT + 1), headers=FORM)
    assert "Det du skickade är för stort. Korta texten." in answer.text


@pytest.mark.parametrize(
    "form",
    [
        {"data": {f"field{n}": "x" for n in range(201)}},
        {"files": {"email": ("name.txt", b"text")}},
        {"content": b"?", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    ],
    ids=["too many fields", "a file", "not a form"],
)
def test_a_form_that_is_none_of_ours_is_refused(anonymous: TestClient, form: dict[str, object]) -> None:
    answer = anonymous.post("/login", **form)  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert "Gå tillbaka och försök igen." in answer.text
