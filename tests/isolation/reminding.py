"""What a branch might try at the ledger of reminders and at what the people of another are to be told."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from tests.isolation.trying import Row, Try, alone, inserts

if TYPE_CHECKING:  # it points here
    from tests.isolation.attack import World


def tries(connection: Connection, world: "World") -> Iterator[Try]:
    a, b, c, k = (world.branches[name] for name in "ABCK")
    cases = {row["id"]: row for row in world.rows["deviations"]}
    foreign = world.case("C", "B")["id"]

    def held_by(table: str) -> Row:
        """A row of B's about a case that A has sent it."""
        return next(
            row
            for row in world.rows[table]
            if row["branch_id"] == b and cases[row["deviation_id"]]["sender_branch_id"] == a
        )

    step, notice = held_by("reminders"), held_by("notices")

    def adds(table: str, row: Row, **changed: Any) -> Callable[[], bool]:
        new = {"id": 900001, **({"step": "new"} if table == "reminders" else {"key": "new"})}
        return lambda: inserts(connection, table, row, **{**new, **changed})

    def lone(statement: str) -> Callable[[], bool]:
        return lambda: alone(connection, "notices", "id = :id", statement, id=notice["id"])

    moved = world.case("A", "C", legs=2)["id"]
    slip = {"deviation_id": moved, "reminder_id": None, "kind": "masked"}
    yield from (
        Try("B writes a step of a case it holds", (b,), True, adds("reminders", step)),
        Try("A writes a step in B's name", (a,), False, adds("reminders", step)),
        Try(
            "A writes a step of C's case",
            (a,),
            False,
            adds("reminders", step, branch_id=a, deviation_id=foreign),
        ),
        Try("B owes its people a notice", (b,), True, adds("notices", notice)),
        Try(
            "B owes a notice of no case",
            (b,),
            True,
            adds("notices", notice, deviation_id=None, reminder_id=None),
        ),
        Try("A owes B's people a notice", (a,), False, adds("notices", notice)),
        Try(
            "A owes a notice of C's case",
            (a,),
            False,
            adds("notices", notice, branch_id=a, deviation_id=foreign),
        ),
        Try(
            "B is told of a mask on a case that has left it",
            (b,),
            True,
            adds("notices", notice, **slip),
            sealed="all",
        ),
        Try("B's handlers are told of it", (b,), False, adds("notices", notice, **slip)),
        Try(
            "B is told of more",
            (b,),
            False,
            adds("notices", notice, **{**slip, "kind": "answered"}),
            sealed="all",
        ),
        Try(
            "K is told of a mask on a case it never had",
            (k,),
            False,
            adds("notices", notice, **slip, branch_id=k),
            sealed="all",
        ),
        Try("B ends its notice", (b,), True, lone("update notices set outcome = 'sent'")),
        Try("A ends B's notice", (a,), False, lone("update notices set outcome = 'sent'")),
        Try("C ends B's notice", (c,), False, lone("update notices set outcome = 'sent'")),
        Try("B makes its notice another's", (b,), False, lone("update notices set branch_id = 1")),
    )
