"""How the attack tries things: in a role, for some branches, everything undone at once."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

Row = dict[str, Any]


@dataclass(frozen=True)
class Try:
    """One write, by whom, and whether it must go through."""

    what: str
    branches: tuple[int, ...]
    goes_through: bool
    attempt: Callable[[], bool]
    person: int | None = None
    sealed: str = ""


@contextmanager
def acting(
    connection: Connection, role: str, *branches: int | None, person: int | None = None, sealed: str = ""
) -> Iterator[None]:
    """A stretch of the transaction in that role, everything in it undone afterwards."""
    nested = connection.begin_nested()
    connection.execute(
        text(
            "select set_config('role', :role, true), set_config('app.branches', :branches, true),"
            " set_config('app.person', :person, true), set_config('app.sealed', :sealed, true)"
        ),
        {
            "role": f"samsvar_{role}",
            "branches": "{" + ",".join(map(str, branches)) + "}" if any(branches) else "",
            "person": str(person) if person else "",
            "sealed": sealed,
        },
    )
    try:
        yield
    finally:
        nested.rollback()


def allowed(connection: Connection, statement: str, **values: Any) -> bool:
    """Whether the statement goes through, and for an update whether it reaches any row. Undone at once."""
    nested = connection.begin_nested()
    try:
        result = connection.execute(text(statement), values)
        return result.returns_rows or result.rowcount > 0
    except DBAPIError:
        return False
    finally:
        nested.rollback()


def inserts(connection: Connection, table: str, row: Row, **changed: Any) -> bool:
    new = {key: value for key, value in {**row, **changed}.items() if key != "_key"}
    return allowed(
        connection,
        f"insert into {table} select * from jsonb_populate_record(null::{table}, cast(:row as jsonb))",
        row=json.dumps(new),
    )


def alone(connection: Connection, table: str, keep: str, statement: str, **values: Any) -> bool:
    """Try the statement, which has no WHERE, where the table holds only the rows that `keep` tells.

    A WHERE reads columns, and so brings in the policy for reading, which would hide that the one for writing is open.
    """
    only(connection, table, keep, **values)
    return allowed(connection, statement, **values)


def only(connection: Connection, table: str, keep: str, **values: Any) -> None:
    """Take all other rows out of the table, past every wall, until what is being acted is undone."""
    role = connection.scalar(text("select current_user"))
    connection.execute(text("set local role none"))
    connection.execute(text("set local session_replication_role = replica"))  # no foreign keys meanwhile
    connection.execute(text(f"delete from {table} where ({keep}) is not true"), values)
    connection.execute(text("set local session_replication_role = origin"))
    connection.execute(text(f"set local role {role}"))
