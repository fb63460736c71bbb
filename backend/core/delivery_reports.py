"""Reading what mail servers send back: delivery reports (RFC 3464), and nothing else of what lands in the box.

Whoever knows the address may write to it, so a report is believed of little: it names addresses, and that is all it
can do. One that quotes a mail is about a mail of ours, or is passed over.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes, message_from_string, policy
from email.message import Message

# Reports stand before the mail that they quote, which may be of any size.
LONGEST = 1_000_000
MOST_PARTS = 200
MOST_ADDRESSES = 50

_STATUS = re.compile(r"\s*([45]\.\d{1,3}\.\d{1,3})(?!\d)")
_ADDRESS = re.compile(r"[^@\s<>,;:\"]{1,64}@[^@\s<>,;:\"]{1,190}")


def failures(raw: bytes, *, host: str) -> list[tuple[str, str]]:
    """The addresses that a report says were given up, each with its status, once. Empty for any other mail.

    `host` is what our Message-IDs end with. What is cut off, or no mail at all, is read as far as it goes.
    """
    try:
        message = message_from_bytes(raw[:LONGEST], policy=policy.compat32)
        parts = list(_parts(message))
    except (ValueError, LookupError, RecursionError):
        return []
    if not _is_report(message, parts) or not _is_ours(parts, host):
        return []
    found: dict[str, str] = {}
    for part in parts:
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            for block in _blocks(part):
                if len(found) < MOST_ADDRESSES and (failed := _failed(block)):
                    found.setdefault(*failed)
    return list(found.items())


def _parts(message: Message) -> Iterator[Message]:
    """Every part, outermost first. The standard walk recurses, which a nest of a thousand parts would break."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        yield part
        # The blocks of a delivery status are parts of it, and read as such; a quoted mail's parts are not ours.
        if part.get_content_maintype() == "multipart" and isinstance(inner := part.get_payload(), list):
            waiting += [one for one in inner if isinstance(one, Message)]


def _is_report(message: Message, parts: list[Message]) -> bool:
    # Exchange and some gateways wrap the report once more, so any part may be it.
    return any(
        part.get_content_type() == "multipart/report"
        and str(part.get_param("report-type", "delivery-status")).lower()
        in ("delivery-status", "global-delivery-status")
        for part in (message, *parts)
    )


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a delivery status, which the parser gives as parts; encoded, it gives them as one."""
    payload = part.get_payload()
    blocks = [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []
    if len(blocks) != 1 or not blocks[0].get_payload():
        return blocks
    encoded = Message()
    encoded["Content-Transfer-Encoding"] = str(part.get("Content-Transfer-Encoding", ""))
    encoded.set_payload(blocks[0].as_string().strip())
    said = encoded.get_payload(decode=True)
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else ""
    return [message_from_string(group) for group in re.split(r"\r?\n[ \t]*\r?\n", text.strip())]


def _failed(block: Message) -> tuple[str, str] | None:
    action = str(block.get("Action", "")).strip().lower()
    if action != "failed":
        return None
    status = _STATUS.match(str(block.get("Status", "")))
    for field in ("Final-Recipient", "Original-Recipient"):
        # `rfc822; anna@region.example`, sometimes in angle brackets, sometimes without the type.
        address = _ADDRESS.fullmatch(str(block.get(field, "")).rpartition(";")[2].strip(" \t\r\n<>"))
        if address:
            return address.group().lower(), status.group(1) if status else "5.0.0"
    return None


def _is_ours(parts: list[Message], host: str) -> bool:
    """Whether the mail that is quoted carries a Message-ID of ours; true where none is quoted."""
    quoted = []
    for part in parts:
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers", "message/global-headers"):
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                quoted.append(str(inner[0].get("Message-ID", "")))
            elif isinstance(inner, str):
                decoded = part.get_payload(decode=True)
                headers = message_from_bytes(decoded if isinstance(decoded, bytes) else inner.encode())
                quoted.append(str(headers.get("Message-ID", "")))
    named = [one.strip() for one in quoted if one.strip()]
    return all(one.lower().endswith(f"@{host.lower()}>") for one in named)
