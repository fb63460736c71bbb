"""What an import did, or would not do."""

from collections import Counter
from dataclasses import dataclass, field

from backend.core.text import gettext as _
from backend.directory.actions import Fate

KINDS = {
    "counties": lambda: _("Län"),
    "organisations": lambda: _("Organisationer"),
    "branches": lambda: _("Verksamhetsgrenar"),
    "units": lambda: _("Enheter"),
    "categories": lambda: _("Kategorier"),
    "steering_documents": lambda: _("Överenskommelser och rutiner"),
    "groups": lambda: _("Grupper"),
    "people": lambda: _("Personer"),
    "assignments": lambda: _("Uppdrag"),
    "agreements": lambda: _("Länsöverenskommelser"),
    "deviations": lambda: _("Ärenden"),
}
"""The kinds of things that are counted, as the screen says them."""


@dataclass(frozen=True)
class RowFault:
    """One thing wrong in a file, in a Swedish sentence that says what to do.

    `row` 1 is the first after the header; None where it is the whole file, as `column` where it is the whole row.
    `reason` never quotes a cell of a deviation: what is wrong there may be that it names a patient.
    """

    file: str
    row: int | None
    column: str | None
    reason: str
    reference: str | None = None


@dataclass
class Outcome:
    """By kind, how many were `added`, `changed`, `ended`, and left `unchanged`; or every fault, and then nothing
    was written.
    """

    counts: dict[str, Counter[Fate]] = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults

    @property
    def touched(self) -> int:
        """How many things are no longer as they were."""
        return sum(count.total() - count["unchanged"] for count in self.counts.values())
