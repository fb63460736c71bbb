"""A past case as an older system would write it, and a file of some."""

import csv
from pathlib import Path

from backend.exchange import COUNTIES
from backend.exchange.forms.deviations import COLUMNS

BLEKINGE = COUNTIES / "blekinge"
OF_2023, OF_2024 = BLEKINGE / "deviations-2023.csv", BLEKINGE / "deviations-2024.csv"
FAULTY = BLEKINGE / "deviations-with-faults.csv"

Cells = dict[str, str]

CLOSED: Cells = {
    "source_reference": "GAMMAL-1",
    "event_kind": "adverse_event",
    "occurred_on": "2024-01-02",
    "sent_at": "2024-01-03T10:00:00+01:00",
    "sender_unit": "SE2120000852-V010",
    "receiver_unit": "SE2321000081-S011",
    "category": "medication.list",
    "steering_document": "utskrivning",
    "target_group": "older",
    "severity": "3",
    "probability": "2",
    "description": "Läkemedelslistan saknades.",
    "immediate_action": "Ringde avdelningen.",
    "acknowledged_at": "2024-01-04T08:00:00+01:00",
    "answered_at": "2024-02-01T09:30:00+01:00",
    "outcome": "partly",
    "cause_area": "procedures",
    "cause": "Rutinen var inte känd.",
    "action": "Rutinen gås igenom.",
    "follow_up": "Stickprov i mars.",
    "closed_at": "2024-02-05T16:00:00+01:00",
}
ANSWER = dict.fromkeys(
    ("answered_at", "outcome", "cause_area", "cause", "action", "follow_up", "closed_at"), ""
)
UNANSWERED = CLOSED | ANSWER
SENT = UNANSWERED | {"acknowledged_at": ""}


class Writer:
    """Writes rows to a file, each unlike `CLOSED` only where the test says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *rows: Cells) -> Path:
        file = self.folder / "history.csv"
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return file
