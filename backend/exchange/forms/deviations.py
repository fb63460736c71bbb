"""The history of an older system: one row, one case as it ended there."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from backend.core import clock, screening
from backend.core.text import gettext as _
from backend.deviations.models import CauseArea, EventKind, Outcome, State
from backend.directory.models import TARGET_GROUPS
from backend.exchange.tables import Line, Table

COLUMNS = (
    "source_reference",
    "event_kind",
    "occurred_on",
    "sent_at",
    "sender_unit",
    "receiver_unit",
    "category",
    "steering_document",
    "target_group",
    "severity",
    "probability",
    "description",
    "immediate_action",
    "acknowledged_at",
    "answered_at",
    "outcome",
    "cause_area",
    "cause",
    "action",
    "follow_up",
    "closed_at",
)
# The reference first: it names the row in every later fault, and must itself name nobody.
TEXTS = ("source_reference", "description", "immediate_action", "cause", "action", "follow_up")
TIMES = ("sent_at", "acknowledged_at", "answered_at", "closed_at")
ANSWER = ("outcome", "cause_area", "cause", "action", "follow_up")


@dataclass(frozen=True)
class Known:
    """What a row may refer to: all that the county has or has had, since history may speak of what is ended.

    Units by HSA-id, as id and branch; the others by code.
    """

    units: Mapping[str, tuple[int, int]]
    categories: Mapping[str, int]
    steering_documents: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PastCase:
    """A case of the older system, all of it checked. Times in UTC."""

    row: int
    source_reference: str
    event_kind: str
    occurred_on: date
    sent_at: datetime
    sender_unit: str
    receiver_unit: str
    category: str
    steering_document: str
    target_group: str
    severity: int | None
    probability: int | None
    description: str
    immediate_action: str
    acknowledged_at: datetime | None
    answered_at: datetime | None
    outcome: str
    cause_area: str
    cause: str
    action: str
    follow_up: str
    closed_at: datetime | None

    @property
    def digest(self) -> str:
        """The same content gives the same digest, from CSV or XLSX, in whatever zone its times are written."""
        content = [getattr(self, column) for column in COLUMNS]
        return hashlib.sha256(json.dumps(content, default=str, ensure_ascii=False).encode()).hexdigest()

    @property
    def state(self) -> State:
        """The furthest that the case came."""
        if self.closed_at:
            return State.CLOSED
        if self.answered_at:
            return State.ANSWERED
        return State.ACKNOWLEDGED if self.acknowledged_at else State.SENT

    @property
    def accepted_at(self) -> datetime | None:
        """What was closed with an answer was content with it."""
        return self.closed_at if self.answered_at else None

    @property
    def received_at(self) -> datetime | None:
        """An answer implies that the case was received, where the older system did not say when."""
        return self.acknowledged_at or self.answered_at


def past_cases(table: Table, known: Known) -> list[PastCase]:
    """The rows without a fault; what is wrong with the others is added to the table's faults."""
    cases = []
    seen: dict[str, int] = {}
    for line in table.lines:
        before = len(table.faults)
        case = _past_case(line, known, seen)
        if case is not None and len(table.faults) == before:
            cases.append(case)
    return cases


def _past_case(line: Line, known: Known, seen: dict[str, int]) -> PastCase | None:
    _screen(line)
    reference = line.text("source_reference")
    if (first := seen.setdefault(reference, line.number)) != line.number and reference:
        line.fault(
            "source_reference",
            _("Referensen står också på rad {row}. Varje ärende får stå en gång.").format(row=first),
        )
    line.one_of("event_kind", tuple(EventKind))
    line.one_of("target_group", TARGET_GROUPS)
    line.text("description")
    _check_code(
        line,
        "category",
        known.categories,
        _("Kategorin finns inte i länet. Använd en kod ur categories.csv."),
    )
    _check_parties(line, known)
    if line["steering_document"]:
        unknown = _(
            "Överenskommelsen finns inte i länet. Använd en kod ur steering_documents.csv, eller lämna tomt."
        )
        _check_code(line, "steering_document", known.steering_documents, unknown)
    severity, probability = line.whole("severity", 1, 4), line.whole("probability", 1, 4)
    times = _times(line)
    occurred_on = _occurred_on(line, times["sent_at"])
    _check_answer(line)
    sent_at = times["sent_at"]
    if occurred_on is None or sent_at is None:
        return None
    plain = {name: line[name] for name in COLUMNS if name not in _TYPED}
    return PastCase(
        row=line.number,
        occurred_on=occurred_on,
        sent_at=sent_at,
        severity=severity,
        probability=probability,
        acknowledged_at=times["acknowledged_at"],
        answered_at=times["answered_at"],
        closed_at=times["closed_at"],
        **plain,
    )


_TYPED = {"occurred_on", "severity", "probability", *TIMES}


def _screen(line: Line) -> None:
    """Note every text with a personnummer, by place; and let the row be known by its reference."""
    for column in TEXTS:
        for hit in screening.certain(line[column]):
            reason = _(
                "Texten innehåller ett {kind} (tecken {start}–{end}). Ta bort det och skriv er egen referens i stället."
            )
            line.fault(column, reason.format(kind=hit.kind, start=hit.start + 1, end=hit.end))
        if column == "source_reference" and not screening.certain(line[column]):
            line.reference = line[column] or None


def _check_code(line: Line, column: str, known: Mapping[str, object], unknown: str) -> None:
    if line.text(column) not in known:
        line.fault(column, unknown)


def _check_parties(line: Line, known: Known) -> None:
    unknown = _("Enheten finns inte i länets katalog. Rätta HSA-id, eller läs in katalogen först.")
    for column in ("sender_unit", "receiver_unit"):
        _check_code(line, column, known.units, unknown)
    sender, receiver = (known.units.get(line[column]) for column in ("sender_unit", "receiver_unit"))
    if sender is None or receiver is None:
        return
    if sender == receiver:
        line.fault("receiver_unit", _("Mottagaren är samma enhet som avsändaren. Rätta den ena."))
    elif sender[1] == receiver[1]:
        reason = _(
            "Mottagaren hör till samma verksamhet som avsändaren. Bara ärenden mellan två parter läses in."
        )
        line.fault("receiver_unit", reason)


def _times(line: Line) -> dict[str, datetime | None]:
    """Each time of the row, which may not lie before the one that comes before it."""
    line.text("sent_at")
    times: dict[str, datetime | None] = {}
    latest: datetime | None = None
    for column in TIMES:
        at = times[column] = line.moment(column)
        if at is None:
            continue
        if latest is not None and at < latest:
            line.fault(
                column,
                _(
                    "Tiden ligger före ett tidigare steg. Ordningen är skickat, kvitterat, besvarat, avslutat."
                ),
            )
        else:
            latest = at
    return times


def _occurred_on(line: Line, sent_at: datetime | None) -> date | None:
    line.text("occurred_on")
    day = line.day("occurred_on")
    if day and sent_at and day > clock.local(sent_at).date():
        line.fault("occurred_on", _("Händelsen ligger efter att ärendet skickades. Kontrollera datumen."))
    return day


def _check_answer(line: Line) -> None:
    """An answer has a time, a view and a cause; what belongs to an answer does not stand without one."""
    if line["answered_at"]:
        line.one_of("outcome", tuple(Outcome))
        line.text("cause")
    elif any(line[column] for column in ANSWER):
        line.fault(
            "answered_at", _("Svaret saknar tid. Fyll i den, eller lämna svarets alla kolumner tomma.")
        )
    if line["cause_area"]:
        line.one_of("cause_area", tuple(CauseArea))
