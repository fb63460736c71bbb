"""What mail servers of several makes send back, made-up letters in their shapes, and what hostile ones send."""

import time

import pytest

from backend.core.delivery_reports import LONGEST, MOST_ADDRESSES, failures

HOST = "samsvar.example.se"
ANNA = "anna@kommun.example"


def letter(*parts: str, kind: str = "report-type=delivery-status; ", head: str = "") -> bytes:
    body = "".join(f"--b0\r\n{part}\r\n" for part in parts)
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: samsvar@{HOST}\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        f'{head}Content-Type: multipart/report; {kind}boundary="b0"\r\n\r\n{body}--b0--\r\n'
    ).encode()


WORDS = "Content-Type: text/plain; charset=utf-8\r\n\r\nTyvärr: anna@kommun.example finns inte. 5.1.1"


def status(*blocks: str, kind: str = "message/delivery-status") -> str:
    first = "Reporting-MTA: dns; mx.example\r\nArrival-Date: Mon, 2 Mar 2026 09:00:00 +0100"
    return f"Content-Type: {kind}\r\n\r\n" + "\r\n\r\n".join((first, *blocks)) + "\r\n"


def block(address: str, code: str = "5.1.1", action: str = "failed", field: str = "Final-Recipient") -> str:
    return (
        f"{field}: rfc822; {address}\r\nAction: {action}\r\nStatus: {code}\r\nDiagnostic-Code: smtp; 550 No"
    )


def quoted(message_id: str, kind: str = "message/rfc822") -> str:
    return f"Content-Type: {kind}\r\n\r\nFrom: samsvar@{HOST}\r\nMessage-ID: {message_id}\r\nSubject: x\r\n\r\nHej"


OURS = f"<arrival.17@{HOST}>"
POSTFIX = letter(WORDS, status(block(ANNA)), quoted(OURS))
EXIM = letter(WORDS, status(block(ANNA, "5.0.0")), quoted(OURS, "text/rfc822-headers"))
EXCHANGE = letter(
    "Content-Type: multipart/alternative; boundary=b1\r\n\r\n--b1\r\nContent-Type: text/html\r\n\r\n<b>nej</b>\r\n--b1--",
    status(
        "Original-Recipient: rfc822;Anna@Kommun.example\r\nFinal-Recipient: rfc822;Anna@Kommun.example\r\n"
        "Action: failed\r\nStatus: 5.1.10\r\nDiagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound;\r\n"
        "X-Display-Name: Anna"
    ),
    quoted(OURS),
)
SENDMAIL = letter(
    WORDS,
    status(f"Final-Recipient: RFC822; <{ANNA}>\r\nAction: failed\r\nStatus: 5.7.1 (delivery not authorized)"),
    quoted(OURS, "text/rfc822-headers"),
)
GMAIL = letter(WORDS, status(block(ANNA, "5.2.2")), kind='report-type="delivery-status"; ')
DOMINO = letter(WORDS, status(f"Final-Recipient: {ANNA}\r\nAction: failed\r\nStatus: 5.1.1"), kind="")
WITH_BLANKS = letter(WORDS, status(f"\r\n{block(ANNA)}\r\n\r\n"), quoted(OURS))
UTF8 = letter(WORDS, status(block(ANNA), kind="message/global-delivery-status"), quoted(OURS))
ORIGINAL_ONLY = letter(WORDS, status(block(ANNA, field="Original-Recipient")), quoted(OURS))
FOLDED = letter(WORDS, status(f"Final-Recipient: rfc822;\r\n {ANNA}\r\nAction:\r\n failed\r\nStatus: 5.1.1"))
BARE_NEWLINES = POSTFIX.replace(b"\r\n", b"\n")
BASE64 = letter(
    WORDS,
    "Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "UmVwb3J0aW5nLU1UQTogZG5zOyBteAoKRmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGFubmFAa29t\r\n"
    "bXVuLmV4YW1wbGUKQWN0aW9uOiBmYWlsZWQKU3RhdHVzOiA1LjEuMQo=\r\n",
)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param(POSTFIX, "5.1.1", id="postfix"),
        pytest.param(EXIM, "5.0.0", id="exim"),
        pytest.param(EXCHANGE, "5.1.10", id="exchange"),
        pytest.param(SENDMAIL, "5.7.1", id="sendmail"),
        pytest.param(GMAIL, "5.2.2", id="gmail"),
        pytest.param(DOMINO, "5.1.1", id="no-types"),
        pytest.param(WITH_BLANKS, "5.1.1", id="blank-lines"),
        pytest.param(UTF8, "5.1.1", id="internationalised"),
        pytest.param(ORIGINAL_ONLY, "5.1.1", id="original-recipient-only"),
        pytest.param(FOLDED, "5.1.1", id="folded"),
        pytest.param(BARE_NEWLINES, "5.1.1", id="bare-newlines"),
        pytest.param(BASE64, "5.1.1", id="base64"),
    ],
)
def test_the_address_and_its_status_are_read(raw: bytes, code: str) -> None:
    assert failures(raw, host=HOST) == [(ANNA, code)]


def test_one_report_may_tell_of_several_and_only_the_failed_count() -> None:
    raw = letter(
        status(
            block("delayed@kommun.example", "4.4.1", "delayed"),
            block("relayed@kommun.example", "2.0.0", "relayed"),
            block("full@kommun.example", "4.2.2"),
            block(ANNA),
            block(ANNA, "5.2.1"),
            "Final-Recipient: rfc822; odd@kommun.example\r\nAction: failed\r\nStatus: none",
        ),
        quoted(OURS),
    )
    assert failures(raw, host=HOST) == [
        ("full@kommun.example", "4.2.2"),
        (ANNA, "5.1.1"),
        ("odd@kommun.example", "5.0.0"),
    ]


NEST = (
    b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
    + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 5000
)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00\xff" * 5000, id="noise"),
        pytest.param(b"Subject: Fr\xe5nvarande\r\n\r\nJag har semester. Status: 5.1.1", id="out-of-office"),
        pytest.param(
            letter(status(block(ANNA)), kind="report-type=disposition-notification; "), id="read-receipt"
        ),
        pytest.param(letter(WORDS), id="no-status"),
        pytest.param(letter(status(block(ANNA)), quoted("<1234@spam.example>")), id="of-a-mail-not-ours"),
        pytest.param(
            letter(status(block(ANNA)), quoted(f"<x@{HOST}.spam.example>")),
            id="of-a-host-that-looks-like-ours",
        ),
        pytest.param(letter(WORDS, quoted(OURS).replace("Hej", block(ANNA))), id="only-in-the-quoted-mail"),
        pytest.param(letter(status(block("not an address"))), id="no-address"),
        pytest.param(letter(status(block("a" * 300 + "@kommun.example"))), id="endless-name"),
        pytest.param(NEST, id="nested-without-end"),
        pytest.param(b"Content-Type: multipart/report; boundary=\r\n\r\n--\r\n", id="no-boundary"),
        pytest.param(
            letter(status(block(ANNA))).replace(b"multipart/report", b"multipart/mixed"), id="not-a-report"
        ),
    ],
)
def test_what_is_no_report_of_ours_says_nothing(raw: bytes) -> None:
    assert failures(raw, host=HOST) == []


def test_a_huge_letter_is_read_as_far_as_a_report_may_reach_and_quickly() -> None:
    huge = letter(WORDS, status(block(ANNA)), quoted(OURS) + "x" * (5 * LONGEST))
    many = letter(status(*(block(f"p{n}@kommun.example") for n in range(20_000))))
    began = time.monotonic()
    assert failures(huge, host=HOST) == [(ANNA, "5.1.1")]
    assert len(failures(many, host=HOST)) == MOST_ADDRESSES
    assert failures(NEST * 3, host=HOST) == []
    assert failures(b"Final-Recipient:" + b" " * (2 * LONGEST), host=HOST) == []
    assert time.monotonic() - began < 5


def test_a_report_that_is_cut_off_anywhere_breaks_nothing() -> None:
    found = [failures(POSTFIX[:length], host=HOST) for length in range(len(POSTFIX))]
    assert {tuple(one) for one in found} <= {(), ((ANNA, "5.0.0"),), ((ANNA, "5.1.1"),)}
