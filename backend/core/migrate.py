"""Bringing a database to the newest form: its roles, its tables, its policies."""

import importlib
import pkgutil

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, text
from sqlalchemy.pool import NullPool

import backend
from backend.core.db import Base
from backend.settings import ROOT

# owner: owns the tables, and is nobody's login. app: pages and jobs. counter: what can be counted, no text.
# operator: import and mending. web: what web and workers log in as; it may become app and counter, nothing more.
ROLES = ("owner", "app", "counter", "operator")
LOGIN = "samsvar_web"
LOCK = 7_026_783


def metadata() -> MetaData:
    """Every table of every room."""
    for module in pkgutil.iter_modules(backend.__path__):
        if module.ispkg and module.name != "core":
            name = f"backend.{module.name}.models"
            if importlib.util.find_spec(name):
                importlib.import_module(name)
    importlib.import_module("backend.core.bounces")
    importlib.import_module("backend.core.jobs")
    importlib.import_module("backend.core.mail")
    return Base.metadata


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "alembic").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _make_roles(connection: Connection, web_password: str) -> None:
    there = set(connection.scalars(text("select rolname from pg_roles where rolname like 'samsvar%'")))
    for role in ROLES:
        if f"samsvar_{role}" not in there:
            connection.execute(text(f"create role samsvar_{role} nologin noinherit nosuperuser nobypassrls"))
    if LOGIN not in there:
        connection.execute(text(f"create role {LOGIN} login noinherit nosuperuser nobypassrls"))
    if web_password:
        # DDL takes no parameters; format(%L) quotes as the server itself would.
        statement = connection.scalar(
            text("select format('alter role samsvar_web password %L', cast(:p as text))"), {"p": web_password}
        )
        connection.exec_driver_sql(str(statement).replace("%", "%%"))
    connection.execute(text(f"grant samsvar_app, samsvar_counter to {LOGIN}"))
    connection.execute(
        text("grant samsvar_owner, samsvar_app, samsvar_counter, samsvar_operator to current_user")
    )
    connection.execute(text("grant create, usage on schema public to samsvar_owner"))
    connection.execute(text("grant usage on schema public to samsvar_app, samsvar_counter, samsvar_operator"))


def upgrade(admin_url: str, *, web_password: str = "", to: str = "head") -> str:
    """Migrate to `to` (a revision, or `head`); returns the revision reached. Two at once wait for each other."""
    engine = create_engine(admin_url, poolclass=NullPool)
    with engine.begin() as connection:
        # Roles belong to the whole server: copies beside each other must not make them at the same moment.
        connection.execute(text(f"select pg_advisory_xact_lock({LOCK})"))
        _make_roles(connection, web_password)
    with engine.begin() as connection:
        connection.execute(text(f"select pg_advisory_xact_lock({LOCK})"))
        connection.execute(text("set local role samsvar_owner"))
        # Looking is cheaper than loading every model to find that there is nothing to do.
        if current(connection) != (head() if to == "head" else to):
            command.upgrade(_config(connection), to)
        return current(connection) or ""


def downgrade(admin_url: str, to: str) -> None:
    with create_engine(admin_url, poolclass=NullPool).begin() as connection:
        connection.execute(text("set local role samsvar_owner"))
        command.downgrade(_config(connection), to)


def current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    return ScriptDirectory(str(ROOT / "alembic")).get_current_head()


def is_at_head(engine: Engine) -> bool:
    with engine.connect() as connection:
        connection.execute(text("set local role samsvar_app"))
        return current(connection) == head()
