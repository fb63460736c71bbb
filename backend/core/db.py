"""The database: one unit of work per request or job, and the scope it runs in.

Who may see is a property of the transaction. Every transaction begins by taking the database role
and naming the branches in force, so that row-level security holds even where the code forgets to
ask (see `backend/decisions/0002`). Nobody but this file commits.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, ClassVar, Literal

from fastapi import Depends
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, create_engine, event, text
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction
from sqlalchemy.types import TypeDecorator

from backend.core import embedded
from backend.settings import settings


class Moment(TypeDecorator[datetime]):
    """`timestamptz` that only takes and gives aware times, in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive time would be read in whatever zone the server is in")
        return value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {datetime: Moment}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


@dataclass(frozen=True)
class Scope:
    """What a transaction may reach: a database role, and the branches and person it acts for.

    `app` serves pages and the jobs of a branch; `counter` reads what can be counted, over all branches,
    and no text; `operator` imports and mends. `sealed` opens what is sealed for few: the copies of cases that have
    left the branch, or all, the words behind a mask too.
    """

    role: str = "app"
    branches: tuple[int, ...] = ()
    person: int | None = None
    sealed: Literal["", "copies", "all"] = ""


NOBODY = Scope()
COUNTER = Scope(role="counter")
OPERATOR = Scope(role="operator")

_SET = text(
    "select set_config('role', :role, true),"
    " set_config('app.branches', :branches, true), set_config('app.person', :person, true),"
    " set_config('app.sealed', :sealed, true)"
)


def _enter(db: Session, connection: Connection) -> None:
    scope: Scope = db.info["scope"]
    connection.execute(
        _SET,
        {
            "role": f"samsvar_{scope.role}",
            "branches": "{" + ",".join(map(str, scope.branches)) + "}" if scope.branches else "",
            "person": "" if scope.person is None else str(scope.person),
            "sealed": scope.sealed,
        },
    )


@event.listens_for(Session, "after_begin")
def _after_begin(db: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if transaction.parent is None and "scope" in db.info:
        _enter(db, connection)


def narrow(db: Session, scope: Scope) -> None:
    """Let an anonymous unit of work become someone's, once: a session is never handed on."""
    if db.info["scope"] is not NOBODY:
        raise RuntimeError("this unit of work already belongs to someone")
    _enter_as(db, scope)


@contextmanager
def reaching(db: Session, *branches: int, sealed: bool = False) -> Iterator[None]:
    """Widen the walls for one write that must reach the other party's rows: the move by which a case leaves one's
    own sight, and what hangs on a case on both its sides. What is written inside is flushed inside.
    """
    narrowly: Scope = db.info["scope"]
    db.flush()
    _enter_as(
        db,
        replace(
            narrowly, branches=(*narrowly.branches, *branches), sealed="all" if sealed else narrowly.sealed
        ),
    )
    try:
        yield
        db.flush()
    except BaseException:
        # The transaction, or its savepoint, is undone by whoever began it, and its settings with it.
        db.info["scope"] = narrowly
        raise
    _enter_as(db, narrowly)


def _enter_as(db: Session, scope: Scope) -> None:
    db.info["scope"] = scope
    _enter(db, db.connection())


@cache
def _engine_of(url: str) -> Engine:
    # hide_parameters: an error's text must not carry what somebody wrote in a case.
    return create_engine(
        url, pool_size=10, max_overflow=20, pool_pre_ping=True, pool_recycle=1800, hide_parameters=True
    )


@cache
def database_url(*, admin: bool = False) -> str:
    """Where the database is: `DATABASE_URL`, else the embedded servers of this folder. Looked up once."""
    if url := settings().database_url:
        return plain_url(url)
    servers = embedded.find(settings().state)
    if servers is None:
        raise SystemExit("Ingen databas: starta med 'make demo' eller sätt DATABASE_URL.")
    return servers.admin_url if admin else servers.database_url


def plain_url(url: str) -> str:
    """`postgres://` and `postgresql://` mean psycopg 3 here."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else url


_own: list[str] = []


def use(url: str) -> None:
    """Let this process work on another database, or as another login, than the settings say: the operator's
    commands, the seeding of the demo, and the tests.
    """
    _own[:] = [plain_url(url)]


def engine() -> Engine:
    return _engine_of(_own[0] if _own else database_url())


def after_commit(db: Session, what: Callable[[], None]) -> None:
    """Do `what` once the work is safe, and not at all if it never is."""
    db.info.setdefault("after_commit", {})[what] = None


@contextmanager
def unit_of_work(scope: Scope) -> Iterator[Session]:
    """Everything or nothing: commit at the end, then what waited for the commit."""
    with Session(engine(), info={"scope": scope}) as db:
        yield db
        db.commit()
    for what in db.info.get("after_commit", ()):
        what()


@contextmanager
def witness(scope: Scope = NOBODY) -> Iterator[Session]:
    """A short transaction of its own, for what must survive a request that is rolled back."""
    with Session(engine(), info={"scope": scope}) as db:
        yield db
        db.commit()


def _db() -> Iterator[Session]:
    with unit_of_work(NOBODY) as db:
        yield db


# `scope="function"` ends the unit of work before the answer leaves. With the default scope the person
# is told "saved" first, and a commit that then fails loses the report.
Db = Annotated[Session, Depends(_db, scope="function")]
