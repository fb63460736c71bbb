"""The database that migrations make is the one that the models describe, at every step up and down."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from backend.core import migrate
from backend.deviations.forms import CommentForm, ConfirmRedirectForm, MaskForm, NoteForm, QuestionForm
from tests.conftest import admin_url
from tests.deviations.verbs import TO_KARLSKRONA, act
from tests.people import ANNA, BOB, MATS, filed

ROOT = Path(__file__).resolve().parents[1]

# What a table is. Constraints as PostgreSQL itself writes them, so that a CHECK is compared by what it says.
TABLES = {
    "columns": (
        "select table_name, column_name, format_type(atttypid, atttypmod), is_nullable, column_default, is_identity"
        " from information_schema.columns join pg_attribute on attrelid = table_name::regclass"
        " and attname = column_name where table_schema = 'public'"
    ),
    "constraints": (
        "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint"
        " where connamespace = 'public'::regnamespace"
    ),
    "indexes": "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public'",
}
# What stands around it.
WALLS = {
    "policies": "select * from pg_policies where schemaname = 'public'",
    "security": (
        "select relname, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner), relacl::text from pg_class"
        " where relnamespace = 'public'::regnamespace"
    ),
    "column rights": (
        "select attrelid::regclass::text, attname, attacl::text from pg_attribute join pg_class on oid = attrelid"
        " where relnamespace = 'public'::regnamespace and attacl is not null"
    ),
    "triggers": (
        "select tgrelid::regclass::text, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal"
    ),
    "functions": "select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace",
}
Portrait = dict[str, list[str]]


def portrait(connection: Connection, queries: dict[str, str]) -> Portrait:
    return {
        what: sorted(
            line
            for line in (str(tuple(row)) for row in connection.execute(text(query)))
            if "alembic_version" not in line or queries is not TABLES
        )
        for what, query in queries.items()
    }


@pytest.fixture
def bare() -> Iterator[Engine]:
    """A database with nothing in it, not even our tables, as its superuser."""
    name = f"samsvar_bare_{secrets.token_hex(6)}"
    maintenance = create_engine(admin_url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with maintenance.connect() as connection:
        connection.execute(text(f"create database {name}"))
    engine = create_engine(admin_url(name), poolclass=NullPool)
    yield engine
    engine.dispose()
    with maintenance.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    maintenance.dispose()


def address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def revisions() -> list[Script]:
    """From the first to the last."""
    return list(ScriptDirectory(str(ROOT / "alembic")).walk_revisions())[::-1]


def test_the_migrations_make_what_the_models_describe(database: str, superuser: Engine, bare: Engine) -> None:
    models = migrate.metadata()
    assert len(models.tables) >= 25
    with superuser.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, models) == []
        migrated = portrait(connection, TABLES)
    models.create_all(bare)
    with bare.connect() as connection:
        described = portrait(connection, TABLES)
    assert migrated == described
    checks = [line for line in described["constraints"] if "CHECK" in line]
    assert len(checks) >= 10  # which the comparison of Alembic would not see


def test_every_revision_goes_down_and_up_from_a_filled_database(history: str, superuser: Engine) -> None:
    with superuser.connect() as connection:
        before = portrait(connection, TABLES | WALLS)
        assert connection.execute(text("select count(*) > 100 from deviations")).scalar_one()
    steps = revisions()
    for step in reversed(steps):
        with superuser.connect() as connection:
            assert migrate.current(connection) == step.revision
        migrate.downgrade(address(superuser), str(step.down_revision or "base"))
    with superuser.connect() as connection:
        left = connection.scalars(
            text(
                "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')"
            )
        ).all()
        assert left == ["alembic_version"]
        assert portrait(connection, WALLS)["functions"] == []
    for step in steps:
        assert migrate.upgrade(address(superuser), to=step.revision) == step.revision
    with superuser.connect() as connection:
        assert portrait(connection, TABLES | WALLS) == before


def test_masks_of_before_learn_who_had_been_given_what(blekinge: str, superuser: Engine) -> None:
    """The same as a mask that is made now says of itself: in a report, on a leg, in a note, and as the sender left."""
    number = filed(ANNA, description="Greta Svensson kom hem utan lista.")
    act("question", number, BOB, QuestionForm(text="Är Greta Svensson med?"))
    act("reply", number, ANNA, QuestionForm(text="Ja."))
    act("note", number, BOB, NoteForm(text="Greta Svensson ringde."))
    act("redirect", number, BOB, TO_KARLSKRONA)
    act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))
    act("mask", number, MATS, MaskForm(field="description", start=0, end=14))
    left = filed(ANNA, description="Greta Svensson kom hem utan lista.")
    act("withdraw", left, ANNA, CommentForm(comment="Greta Svensson bor inte här."))
    act("mask", left, MATS, MaskForm(field="description", start=0, end=14))
    said = text(
        "select field, array(select hsa_id from branches where id = any(given_to) order by 1) from masks order by id"
    )
    with superuser.connect() as connection:
        before = connection.execute(said).all()
        care, region, third = "SE2120000852-V000", "SE2321000081-B000", "SE2120000829-V000"
        assert [row[1] for row in before] == [
            [third, care, region],
            [care, region],
            [region],
            [care, region],
            [care],
        ]
    migrate.downgrade(address(superuser), "0011")
    migrate.upgrade(address(superuser))
    with superuser.connect() as connection:
        assert connection.execute(said).all() == before


def test_the_history_of_revisions_is_one_line() -> None:
    steps = revisions()
    assert [step.down_revision for step in steps] == [None, *(step.revision for step in steps[:-1])]
    assert steps[-1].revision == migrate.head()


@pytest.fixture
def migrating() -> Iterator[Callable[[Engine], "subprocess.Popen[str]"]]:
    """Begin `samsvar migrate` on a database, in a process of its own."""
    begun: list[subprocess.Popen[str]] = []

    def begin(engine: Engine) -> "subprocess.Popen[str]":
        env = {**os.environ, "DATABASE_URL": address(engine), "SAMSVAR_ENV": "test"}
        process = subprocess.Popen(
            [sys.executable, "-m", "backend", "migrate"],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_two_that_migrate_at_once_wait_for_each_other_and_a_third_changes_nothing(
    bare: Engine, migrating: Callable[[Engine], "subprocess.Popen[str]"]
) -> None:
    said = f"Databasen är på version {migrate.head()}.\n"
    with bare.connect() as holder:
        holder.execute(text(f"select pg_advisory_lock({migrate.LOCK})"))
        both = [migrating(bare), migrating(bare)]
        _until_waiting(bare, 2)
        assert [process.poll() for process in both] == [None, None]
    assert [(process.communicate(timeout=60)[0], process.returncode) for process in both] == [(said, 0)] * 2
    with bare.begin() as connection:
        connection.execute(text("insert into counties (code, name) values ('BLE', 'Blekinge')"))
        before = portrait(connection, TABLES | WALLS)
    third = migrating(bare)
    assert (third.communicate(timeout=60)[0], third.returncode) == (said, 0)
    with bare.connect() as connection:
        assert portrait(connection, TABLES | WALLS) == before
        assert connection.scalars(text("select code from counties")).all() == ["BLE"]


def _until_waiting(engine: Engine, expected: int) -> None:
    waiting = text(
        "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with engine.connect() as connection:
            if connection.scalar(waiting) == expected:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits")
