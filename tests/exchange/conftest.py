"""Imports run as an operator runs them: as a login that may become the operator, one unit of work each."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.core import db
from backend.exchange import COUNTIES, actions
from backend.exchange.outcome import Outcome
from tests.conftest import admin_url
from tests.exchange.files import Files
from tests.exchange.history import Writer

Import = Callable[..., Outcome]
Looks = Callable[[], dict[str, list[tuple[str, str]]]]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """The files of Blekinge, to change before they are read in."""
    return Files(COUNTIES / "blekinge", tmp_path / "files")


@pytest.fixture
def operator(request: pytest.FixtureRequest) -> None:
    """The rest of the test reaches its database as the command line does."""
    name = next(n for n in ("history", "blekinge", "database") if n in request.fixturenames)
    db.use(admin_url(request.getfixturevalue(name)))


@pytest.fixture
def import_directory(operator: None) -> Import:
    def run(folder: Path, county: str = "BLE", *, dry_run: bool = False) -> Outcome:
        with db.unit_of_work(db.OPERATOR) as session:
            return actions.import_directory(session, folder, county, dry_run=dry_run)

    return run


@pytest.fixture
def import_deviations(operator: None) -> Import:
    def run(file: Path, county: str = "BLE", *, dry_run: bool = False) -> Outcome:
        with db.unit_of_work(db.OPERATOR) as session:
            return actions.import_deviations(session, file, county, dry_run=dry_run)

    return run


@pytest.fixture
def every_row(superuser: Engine) -> Looks:
    """Each row of each table with the transaction that wrote it: equal only where no row was written, not even
    with the values it had.
    """

    def look() -> dict[str, list[tuple[str, str]]]:
        with superuser.connect() as connection:
            tables = connection.scalars(
                text("select tablename from pg_tables where schemaname = 'public'")
            ).all()
            return {
                table: sorted(
                    (row[0], row[1])
                    for row in connection.execute(text(f"select xmin::text, t::text from {table} t"))
                )
                for table in tables
            }

    return look


@pytest.fixture
def history_of(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


Rows = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def rows(superuser: Engine) -> Rows:
    """What is really there, past the walls."""

    def look(query: str, **values: object) -> list[tuple[object, ...]]:
        with superuser.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    return look
