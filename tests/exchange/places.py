"""Units of Blekinge that the tests name, where a unit hangs, and where a person may act."""

from backend.core import db
from backend.directory import queries as directory
from backend.exchange import COUNTIES
from tests.exchange.conftest import Rows

BLEKINGE = COUNTIES / "blekinge"
ROOT, DIVISION, CLINIC, WARD = (f"SE2321000081-{unit}" for unit in ("B000", "S000", "S010", "S011"))
PRIMARY_CARE = "SE2321000081-N000"
SOLVESBORG, HOME_NURSING, INTAKE = "SE2120000852-V000", "SE2120000852-V010", "SE2120000852-F000"


def path(rows: Rows, hsa_id: str) -> list[object]:
    """The way from the root to a unit, as HSA-ids."""
    query = """select u.hsa_id from units me cross join unnest(me.path) with ordinality as step(id, n)
        join units u on u.id = step.id where me.hsa_id = :unit order by n"""
    return [row[0] for row in rows(query, unit=hsa_id)]


def places(email: str) -> list[str]:
    """Where a person may act, and as what."""
    with db.unit_of_work(db.NOBODY) as session:
        person = directory.person_by_email(session, email)
        if person is None:
            return []
        return [f"{p.key} {role}" for p in directory.places(session, person.id) for role in p.roles]
