"""What a branch, or a colleague, might try at the words of cases and at what people keep for themselves."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from tests.isolation.trying import Row, Try, alone, inserts, only

if TYPE_CHECKING:  # it points here
    from tests.isolation.attack import World


def tries(connection: Connection, world: "World") -> Iterator[Try]:
    yield from _words(connection, world)
    yield from _kept(connection, world)


def _words(connection: Connection, world: "World") -> Iterator[Try]:
    a, b = world.branches["A"], world.branches["B"]
    ab, cb = world.case("A", "B"), world.case("C", "B")
    own, theirs = world.of("case_words", ab, "A"), world.of("case_words", ab, "B")
    new = {"word": "nytt"}

    def adds(row: Row, **changed: Any) -> Callable[[], bool]:
        return lambda: inserts(connection, "case_words", row, **{**new, **changed})

    def lone(row: Row, statement: str, **values: Any) -> Callable[[], bool]:
        keep = "(deviation_id, branch_id, word) = (:case, :branch, :word)"
        which = {"case": row["deviation_id"], "branch": row["branch_id"], "word": row["word"]}
        return lambda: alone(connection, "case_words", keep, statement, **which, **values)

    mend, throw = "update case_words set unit_id = null", "delete from case_words"
    yield from (
        Try("A indexes its case", (a,), True, adds(own)),
        Try("A indexes in B's words", (a,), False, adds(theirs)),
        Try("A indexes C's case", (a,), False, adds(own, deviation_id=cb["id"])),
        Try("A mends its word", (a,), True, lone(own, mend)),
        Try(
            "A makes B's word its own",
            (a,),
            False,
            lone(theirs, "update case_words set branch_id = :to", to=a),
        ),
        Try("A gives its word to B", (a,), False, lone(own, "update case_words set branch_id = :to", to=b)),
        Try(
            "A hangs its word on C's case",
            (a,),
            False,
            lone(own, "update case_words set deviation_id = :to", to=cb["id"]),
        ),
        Try("A unindexes its case", (a,), True, lone(own, throw)),
        Try("A unindexes B", (a,), False, lone(theirs, throw)),
    )


def _kept(connection: Connection, world: "World") -> Iterator[Try]:
    """What somebody keeps for themselves: nobody else's, also in the same branch."""
    mats = world.people["mats"]
    fresh: dict[str, Row] = {
        "searches": {},
        "saved_views": {"id": 900001, "name": "Ny"},
        "batches": {"id": "00000000-0000-4000-8000-000000000002"},
    }
    for table, new in fresh.items():
        row = world.rows[table][0]
        owner, branch = row["person_id"], row["branch_id"]

        def keeps(table: str = table, row: Row = row, new: Row = new) -> bool:
            only(connection, table, "false")
            return inserts(connection, table, row, **new)

        def handed(table: str = table) -> bool:
            return alone(connection, table, "true", f"update {table} set person_id = :to", to=mats)

        yield from (
            Try(f"the owner keeps {table}", (branch,), True, keeps, owner),
            Try(f"a colleague keeps {table} in another's name", (branch,), False, keeps, mats),
            Try(f"the owner keeps {table} elsewhere", (world.branches["C"],), False, keeps, owner),
            Try(f"the owner hands {table} over", (branch,), False, handed, owner),
        )
