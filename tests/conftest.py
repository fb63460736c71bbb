"""What every test stands on: real servers, a fresh database of its own, and people who can log in.

One PostgreSQL and one Valkey serve the whole run, started by the process that collects; each test gets a
database copied from a template that the real migrations and the real import have made.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

RUN = os.environ.setdefault("SAMSVAR_TEST_RUN", secrets.token_hex(4))
EXTERNAL = os.environ.get("SAMSVAR_TEST_EXTERNAL") or os.environ.get("DATABASE_URL", "")
os.environ |= {
    "SAMSVAR_ENV": "test",
    "SAMSVAR_TEST_EXTERNAL": EXTERNAL,
    "DATABASE_URL": "postgresql://unset/unset",
}

from fastapi.testclient import TestClient  # noqa: E402  settings are read when the house is entered
from sqlalchemy import Engine, create_engine, make_url, text  # noqa: E402

from backend.core import clock, db, embedded, migrate  # noqa: E402
from backend.settings import settings  # noqa: E402

_servers: list[embedded.Servers] = []
DATABASES = {"database", "blekinge", "shared_blekinge", "history"}


def _room() -> str | None:
    """Memory, where there is some to spare: each test makes and removes six hundred files, and some disks are slow at
    that (ext4 without a journal looks through all that it has removed in the last minutes). Else the usual place.
    """
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 4 * 2**30
    return str(shared) if roomy else None


def pytest_configure(config: pytest.Config) -> None:
    """The process that collects starts the servers; xdist's workers find their addresses in the environment."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    if EXTERNAL:
        os.environ["SAMSVAR_TEST_ADMIN"] = db.plain_url(EXTERNAL)
        return
    state = Path(tempfile.mkdtemp(prefix="samsvar-test-", dir=_room()))
    servers = embedded.start(state, disposable=True)
    _servers.append(servers)
    os.environ |= {
        "SAMSVAR_TEST_ADMIN": servers.admin_url,
        "SAMSVAR_TEST_STATE": str(state),
        "REDIS_URL": servers.redis_url,
    }
    settings.cache_clear()


@pytest.hookimpl(tryfirst=True)  # before -m chooses by the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if DATABASES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.database)


def pytest_unconfigure() -> None:
    for servers in _servers:
        servers.stop()
        embedded.remove(Path(os.environ["SAMSVAR_TEST_STATE"]))
        shutil.rmtree(os.environ["SAMSVAR_TEST_STATE"], ignore_errors=True)


def admin_url(database: str) -> str:
    """Where the superuser reaches a database: for making it, and for looking past the walls."""
    url = make_url(os.environ["SAMSVAR_TEST_ADMIN"]).set(database=database)
    return url.render_as_string(hide_password=False)


def web_url(database: str) -> str:
    """The same database as web and workers reach it: never as a superuser, who would see through every policy."""
    url = make_url(admin_url(database)).set(username="samsvar_web", password="test" if EXTERNAL else None)
    return url.render_as_string(hide_password=False)


@cache
def _maintenance() -> Engine:
    return create_engine(admin_url("postgres"), isolation_level="AUTOCOMMIT")


def _template(name: str, make: Callable[[str], None]) -> str:
    """The template `name`, made once in a run, whichever process comes first."""
    database = f"samsvar_{RUN}_{name}"
    with _maintenance().connect() as connection:
        connection.execute(text("select pg_advisory_lock(hashtext(:name))"), {"name": database})
        if not connection.scalar(text("select 1 from pg_database where datname = :name"), {"name": database}):
            connection.execute(text(f"create database {database}_raw"))
            make(admin_url(f"{database}_raw"))
            connection.execute(text(f"alter database {database}_raw rename to {database}"))
        connection.execute(text("select pg_advisory_unlock(hashtext(:name))"), {"name": database})
    return database


def _copied(connection_to: str, name: str) -> None:
    with _maintenance().connect() as connection:
        connection.execute(text(f"create database {name} template {connection_to} strategy file_copy"))


@cache
def empty_template() -> str:
    def make(url: str) -> None:
        migrate.upgrade(url, web_password="test" if EXTERNAL else "")

    return _template("empty", make)


def _filled(source: str, url: str, fill: Callable[[], None]) -> None:
    raw = make_url(url).database
    with _maintenance().connect() as connection:
        connection.execute(text(f"drop database {raw}"))
        connection.execute(text(f"create database {raw} template {source}"))
    db.use(url)
    fill()
    db.engine().dispose()


@cache
def blekinge_template() -> str:
    source = empty_template()

    def fill() -> None:
        from backend.exchange import COUNTIES, actions

        # Long ago, so that a test may stand at any later day and find the people at work.
        with clock.at(datetime(2022, 12, 1, tzinfo=UTC)), db.unit_of_work(db.OPERATOR) as session:
            outcome = actions.import_directory(session, COUNTIES / "blekinge", "BLE")
        assert outcome.faults == []

    return _template("blekinge", lambda url: _filled(source, url, fill))


@cache
def history_template() -> str:
    source = blekinge_template()

    def fill() -> None:
        from backend.exchange import COUNTIES, actions

        with db.unit_of_work(db.OPERATOR) as session:
            for year in (2023, 2024):
                file = COUNTIES / "blekinge" / f"deviations-{year}.csv"
                assert actions.import_deviations(session, file, "BLE").faults == []

    return _template("history", lambda url: _filled(source, url, fill))


@contextmanager
def _fresh(template: str) -> Iterator[str]:
    name = f"samsvar_{RUN}_{secrets.token_hex(6)}"
    _copied(template, name)
    db.use(web_url(name))
    # Held here: a test, or another fixture, may have moved the process on to another database since.
    engine = db.engine()
    yield name
    engine.dispose()
    with _maintenance().connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))


@pytest.fixture
def database() -> Iterator[str]:
    """A migrated database with nothing in it. Gives its name, for `admin_url` and `web_url`."""
    with _fresh(empty_template()) as name:
        yield name


@pytest.fixture
def blekinge() -> Iterator[str]:
    """A database with the directory of Blekinge."""
    with _fresh(blekinge_template()) as name:
        yield name


@pytest.fixture(scope="module")
def shared_blekinge() -> Iterator[str]:
    """One database with the directory for a whole module that only reads what it has once written."""
    with _fresh(blekinge_template()) as name:
        yield name


@pytest.fixture
def history() -> Iterator[str]:
    """A database with the directory and the cases of 2023 and 2024."""
    with _fresh(history_template()) as name:
        yield name


@pytest.fixture
def superuser(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Looks past the walls at the database of this test, to see what is really there."""
    names = [
        request.getfixturevalue(name)
        for name in ("database", "blekinge", "shared_blekinge", "history")
        if name in request.fixturenames
    ]
    engine = create_engine(admin_url(names[0]))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def app() -> object:
    from backend.main import create_app

    return create_app()


@pytest.fixture
def anonymous(app: object) -> Iterator[TestClient]:
    """A browser of someone who has not logged in."""
    with TestClient(app, follow_redirects=False, headers={"Sec-Fetch-Site": "same-origin"}) as client:  # type: ignore[arg-type]
        yield client


@pytest.fixture
def client_of(app: object) -> Iterator[Callable[..., TestClient]]:
    """`client_of("mas@solvesborg.example")`: that person's browser, logged in, in their first or the named place."""
    from tests.people import cookie_for

    def of(email: str, place: str | None = None) -> TestClient:
        name, token = cookie_for(email, place)
        return TestClient(
            app,  # type: ignore[arg-type]
            follow_redirects=False,
            headers={"Sec-Fetch-Site": "same-origin"},
            cookies={name: token},
        )

    return of
