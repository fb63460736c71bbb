"""What a branch, or a colleague, might try at the words of cases and at what people keep for themselves."""

from typing import Any

from sqlalchemy import Connection, text

from tests.isolation.attack import Row, Try, World, allowed, inserts


def words(connection: Connection, world: World, ab: Row, cb: Row) -> list[Try]:
    a, b = world.branches["A"], world.branches["B"]
    own, theirs = (
        next(
            row
            for row in world.rows["case_words"]
            if (row["deviation_id"], row["branch_id"]) == (ab["id"], of)
        )
        for of in (a, b)
    )
    new = {"word": "nytt"}

    def alone(row: Row, statement: str, **values: Any) -> bool:
        """Try it with that word alone: two rows that become the same would be refused for that."""
        role = connection.scalar(text("select current_user"))
        connection.execute(text("set local role none"))
        connection.execute(
            text("delete from case_words where (deviation_id, branch_id, word) <> (:case, :branch, :word)"),
            {"case": row["deviation_id"], "branch": row["branch_id"], "word": row["word"]},
        )
        connection.execute(text(f"set local role {role}"))
        return allowed(connection, statement, **values)

    return [
        ("A indexes its case", a, None, True, lambda: inserts(connection, "case_words", own, **new)),
        ("A indexes in B's words", a, None, False, lambda: inserts(connection, "case_words", theirs, **new)),
        ("A indexes C's case", a, None, False, lambda: inserts(connection, "case_words", own, **new, deviation_id=cb["id"])),
        ("A mends all words it reaches", a, None, True, lambda: allowed(connection, "update case_words set unit_id = null")),
        ("A mends B's word", a, None, False, lambda: alone(theirs, "update case_words set unit_id = null")),
        ("A gives its word to B", a, None, False, lambda: alone(own, "update case_words set branch_id = :to", to=b)),
        ("A hangs its word on C's case", a, None, False, lambda: alone(own, "update case_words set deviation_id = :to", to=cb["id"])),
        ("A unindexes its case", a, None, True, lambda: alone(own, "delete from case_words")),
        ("A unindexes B", a, None, False, lambda: alone(theirs, "delete from case_words")),
    ]  # fmt: skip


def kept(connection: Connection, world: World) -> list[Try]:
    """What somebody keeps for themselves: nobody else's, also in the same branch."""
    mats = world.people["mats"]
    fresh: dict[str, Row] = {
        "searches": {"branch_id": world.branches["B"]},
        "saved_views": {"id": 900001, "name": "Ny"},
        "batches": {"id": "00000000-0000-4000-8000-000000000002"},
    }
    tries: list[Try] = []
    for table, new in fresh.items():
        row = world.rows[table][0]
        owner, branch = row["person_id"], row["branch_id"]
        own = new if table != "searches" else {}

        def keeps(table: str = table, row: Row = row, **changed: Any) -> bool:
            connection.execute(text(f"delete from {table}"))
            return inserts(connection, table, row, **changed)

        def handed(table: str = table) -> bool:
            return allowed(connection, f"update {table} set person_id = :to", to=mats)

        tries += [
            (f"the owner keeps {table}", branch, owner, True, lambda keeps=keeps, own=own: keeps(**own)),
            (f"a colleague keeps {table} in another's name", branch, mats, False, lambda keeps=keeps, own=own: keeps(**own)),
            (f"the owner keeps {table} in another branch", world.branches["C"], owner, False, lambda keeps=keeps, own=own: keeps(**own)),
            (f"the owner hands {table} over", branch, owner, False, handed),
        ]  # fmt: skip
    return tries
