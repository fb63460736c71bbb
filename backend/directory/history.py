"""What a unit was before a change and is after it, kept so that a reorganisation can be followed backwards."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.core import clock
from backend.directory.models import Unit, UnitChange, UnitChangeKind

Facts = dict[str, Any]


def facts(units: Iterable[Unit], others: Iterable[Unit] = ()) -> dict[int, Facts]:
    """What each unit is, by its id. The units it points at are told by name, as names were then; those that are not
    among `units` stand in `others`.
    """
    units = list(units)
    names = {unit.id: unit.name for unit in [*units, *others]}
    return {
        unit.id: {
            "name": unit.name,
            "kind": unit.kind,
            "care_level": unit.care_level,
            "telephone": unit.telephone,
            "intake": unit.intake,
            "parent": names.get(unit.parent_id or 0),
            "commissioned_by": unit.commissioned_by_id,
            "successor": names.get(unit.successor_id or 0),
            "ended_on": unit.ended_on.isoformat() if unit.ended_on else None,
        }
        for unit in units
    }


def keep(
    db: Session,
    unit_id: int,
    what: UnitChangeKind,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    person_id: int | None = None,
) -> None:
    """Write down what differs; `person_id` is None where no person did it, but a file."""
    different = [name for name in after if before.get(name) != after[name]]
    db.execute(
        insert(UnitChange).values(
            unit_id=unit_id,
            at=clock.now(),
            person_id=person_id,
            what=what,
            before={name: before[name] for name in different if name in before},
            after={name: after[name] for name in different},
        )
    )
