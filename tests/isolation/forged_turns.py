"""Honest and forged writes of the turns: questions, proposals, sealed copies, masks, notes, invitations, flags, links."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from tests.isolation.trying import Row, Try, allowed, alone, inserts, only

if TYPE_CHECKING:  # it points here
    from tests.isolation.attack import World

# What no row of these may become: another case's, or another branch's.
STAYS = {
    "questions": "branch_id",
    "pauses": "deviation_id",
    "proposals": "branch_id",
    "sealed_copies": "branch_id",
    "masks": "branch_id",
    "masked_originals": "mask_id",
    "notes": "branch_id",
    "co_investigators": "branch_id",
    "answer_drafts": "branch_id",
    "risk_flags": "branch_id",
    "links": "branch_id",
    "events": "branch_id",
    "answer_actions": "deviation_id",
}


def tries(connection: Connection, world: "World") -> Iterator[Try]:
    a, b, c, k = (world.branches[name] for name in "ABCK")
    ab, cb, pb = world.case("A", "B"), world.case("C", "B"), world.case("P", "B")
    moved = world.case("A", "C", legs=2)
    gone = next(case for case in world.rows["deviations"] if case["state"] == "declined")
    new = {"id": 900001}

    def adds(table: str, row: Row, **changed: object) -> Callable[[], bool]:
        return lambda: inserts(connection, table, row, **changed)

    def sets(table: str, what: str, row: Row, key: str = "id") -> Callable[[], bool]:
        return lambda: allowed(connection, f"update {table} set {what} where {key} = :id", id=row[key])

    def blindly(statement: str) -> Callable[[], bool]:
        return lambda: allowed(connection, statement)

    def lone(table: str, row: Row, statement: str, key: str = "id") -> Callable[[], bool]:
        return lambda: alone(
            connection,
            table,
            f"{key} = :id and branch_id = :branch",
            statement,
            id=row[key],
            branch=row["branch_id"],
        )

    asked, asked_cb = world.of("questions", ab), world.of("questions", cb)
    yield from (
        Try("B asks", (b,), True, adds("questions", asked, **new)),
        Try("B asks in A's name", (b,), False, adds("questions", asked, **new, branch_id=a)),
        Try("A asks as B", (a,), False, adds("questions", asked, **new)),
        Try("A asks itself", (a,), False, adds("questions", asked, **new, branch_id=a)),
        Try("A replies", (a,), True, sets("questions", "reply = 'x'", asked)),
        Try("B replies to itself", (b,), False, sets("questions", "reply = 'x'", asked)),
        Try("A replies for C", (a,), False, sets("questions", "reply = 'x'", asked_cb)),
    )  # fmt: skip

    pause = world.of("pauses", ab)
    yield from (
        Try("B stops the clock", (b,), True, adds("pauses", pause, **new)),
        Try("A stops the clock", (a,), False, adds("pauses", pause, **new)),
        Try("A lets the clock run", (a,), True, sets("pauses", "ended_at = now()", pause)),
        Try("B lets the clock run", (b,), False, sets("pauses", "ended_at = now()", pause)),
        Try("C lets the clock run", (c,), False, sets("pauses", "ended_at = now()", pause)),
    )

    proposed = world.of("proposals", moved)
    on_ab = {**new, "deviation_id": ab["id"]}
    yield from (
        Try("B proposes", (b,), True, adds("proposals", proposed, **on_ab)),
        Try("A proposes", (a,), True, adds("proposals", proposed, **on_ab, branch_id=a)),
        Try("A proposes as B", (a,), False, adds("proposals", proposed, **on_ab)),
        Try("C proposes on A's case", (c,), False, adds("proposals", proposed, **on_ab, branch_id=c)),
        Try("K proposes on a case it follows", (k,), False, adds("proposals", proposed, **new, deviation_id=pb["id"], branch_id=k)),
        Try("A decides", (a,), True, sets("proposals", "decision = 'refused'", proposed)),
        Try("B, which it has left, decides", (b,), False, lone("proposals", proposed, "update proposals set decision = 'refused'")),
        Try("K decides on a case it follows", (k,), False, sets("proposals", "decision = 'refused'", world.of("proposals", pb))),
    )  # fmt: skip

    copy = world.of("sealed_copies", moved)
    yield from (
        Try("A seals for B", (a,), True, adds("sealed_copies", copy, **on_ab)),
        Try("B seals for itself", (b,), True, adds("sealed_copies", copy, **on_ab)),
        Try("C seals for B", (c,), False, adds("sealed_copies", copy, **on_ab)),
        Try("K seals a case it follows", (k,), False, adds("sealed_copies", copy, **new, deviation_id=pb["id"])),
        Try("A seals for C", (a,), False, adds("sealed_copies", copy, **on_ab, branch_id=c)),
        Try("B's registrar numbers its copy", (b,), True, sets("sealed_copies", "registry_number = 'x'", copy), sealed="copies"),
        Try("B's handler numbers its copy", (b,), False, blindly("update sealed_copies set registry_number = 'x'")),
        Try("A's registrar numbers B's copy", (a,), False, blindly("update sealed_copies set registry_number = 'x'"), sealed="copies"),
        Try("B's registrar changes what it was given", (b,), False, sets("sealed_copies", "received_at = now()", copy), sealed="copies"),
    )  # fmt: skip

    mask = next(
        one for one in world.rows["masks"] if one["deviation_id"] == ab["id"] and one["branch_id"] == a
    )
    kept = next(one for one in world.rows["masked_originals"] if one["mask_id"] == mask["id"])
    yield from (
        Try("A masks", (a,), True, adds("masks", mask, **new)),
        Try("A masks as B", (a,), False, adds("masks", mask, **new, branch_id=b)),
        Try("C masks A's case", (c,), False, adds("masks", mask, **new, branch_id=c)),
        Try("K masks a case it follows", (k,), False, adds("masks", mask, **new, deviation_id=pb["id"], branch_id=k)),
        Try("A says that B had been given it", (a,), True, adds("masks", mask, **new, given_to=[a, b])),
        Try("A says that C, which never had the case, had been given it", (a,), False, adds("masks", mask, **new, given_to=[a, b, c])),
        Try("B, which it has left, masks", (b,), False, adds("masks", mask, **new, deviation_id=moved["id"], branch_id=b, given_to=[b])),
        Try("a mask hides a slip in the note of B, which it has left", (a, b, c), True, adds("masks", mask, **new, deviation_id=moved["id"], branch_id=b, given_to=[b])),
        Try("A keeps an original", (a,), True, lambda: _keeps(connection, kept)),
        Try("B keeps an original behind A's mask", (b,), False, lambda: _keeps(connection, kept)),
        Try("A keeps an original of C's case", (a,), False, lambda: _keeps(connection, kept, deviation_id=cb["id"])),
    )  # fmt: skip

    yield from _rewritten(world, ab, sets)
    for table, change in (
        ("notes", "text = 'x'"),
        ("co_investigators", "ended_at = now()"),
        ("risk_flags", "comment = 'x'"),
        ("answer_drafts", "saved_at = now()"),
    ):
        row = world.of(table, ab, "B")
        fresh = {} if "id" not in row else new
        other = {"person_id": world.people["anna"]} if table == "co_investigators" else {}
        law = {"law": "lex_maria"} if table == "risk_flags" else {}
        elsewhere = {"deviation_id": pb["id"]} if table == "answer_drafts" else {}
        key = "id" if "id" in row else "deviation_id"
        left = world.of(table, moved, "B")
        update = f"update {table} set {change}"
        free = {**fresh, **other, **law, **elsewhere}
        yield from (
            Try(f"B adds to {table}", (b,), True, adds(table, row, **free)),
            Try(f"A adds to {table} as B", (a,), False, adds(table, row, **free)),
            Try(f"C adds to {table} of A's case", (c,), False, adds(table, row, **{**free, "deviation_id": ab["id"], "branch_id": c})),
            Try(f"B adds to {table} of a case that has left it", (b,), False, adds(table, row, **{**free, "deviation_id": gone["id"]})),
            Try(f"B changes its own of {table}", (b,), True, sets(table, change, row, key)),
            Try(f"A changes B's of {table}", (a,), False, lone(table, row, update, key)),
            Try(f"B changes {table} of a case that has left it", (b,), False, sets(table, change, left, key)),
        )  # fmt: skip
    yield from _flagged(connection, world, moved)

    drafted = world.of("answer_drafts", ab, "B")
    throw = "delete from answer_drafts"
    yield from (
        Try("A drafts an answer to itself", (a,), False, adds("answer_drafts", drafted, branch_id=a)),
        Try(
            "B's draft becomes its answer", (b,), True, lone("answer_drafts", drafted, throw, "deviation_id")
        ),
        Try("A throws B's draft away", (a,), False, lone("answer_drafts", drafted, throw, "deviation_id")),
    )

    link = next(one for one in world.rows["links"] if one["branch_id"] == a)
    ids = {"one_id": min(ab["id"], moved["id"]), "other_id": max(ab["id"], moved["id"])}
    half = {"one_id": min(moved["id"], cb["id"]), "other_id": max(moved["id"], cb["id"])}
    yield from (
        Try("A links two it sees", (a,), True, adds("links", link, **ids)),
        Try("A links as B", (a,), False, adds("links", link, **ids, branch_id=b)),
        Try("A links to a case it does not see", (a,), False, adds("links", link, **half)),
        Try("C links two it sees", (c,), True, adds("links", link, **half, branch_id=c)),
        Try("A takes its link back", (a,), True, lone("links", link, "delete from links", "one_id")),
        Try("B takes A's link back", (b,), False, lone("links", link, "delete from links", "one_id")),
    )
    for table, column in STAYS.items():
        change = f"update {table} set {column} = {column}"
        yield Try(f"rows of {table} move", (a, b), False, blindly(change), sealed="all")


def _flagged(connection: Connection, world: "World", moved: Row) -> Iterator[Try]:
    """A flag that a case has left behind: its branch's safety takes it over, and nobody else."""
    a, b = world.branches["A"], world.branches["B"]
    left, others = world.of("risk_flags", moved, "B"), "update risk_flags set taken_over_by = 'x'"

    def takes_over() -> bool:
        return allowed(connection, f"{others} where id = :id", id=left["id"])

    def alone_(copies: str) -> Callable[[], bool]:
        def attempt() -> bool:
            only(connection, "sealed_copies", copies)
            return alone(connection, "risk_flags", "id = :id", others, id=left["id"])

        return attempt

    yield from (
        Try("B's safety takes over what a case left behind", (b,), True, takes_over, sealed="all"),
        Try("B's registrar takes over what a case left behind", (b,), False, takes_over, sealed="copies"),
        Try("A's safety takes over B's flag", (a,), False, alone_("true"), sealed="all"),
        Try("B's safety takes over with no copy", (b,), False, alone_("false"), sealed="all"),
    )


def _rewritten(world: "World", ab: Row, sets: Callable[[str, str, Row], Callable[[], bool]]) -> Iterator[Try]:
    """What stands in the log and in an answer's actions changes only for whoever reaches both parties: a mask."""
    a, b, c = (world.branches[name] for name in "ABC")
    for table, change in (("events", "comment = 'x'"), ("answer_actions", "text = 'x'")):
        row = world.of(table, ab)
        yield Try(f"a mask hides a slip in {table}", (a, b), True, sets(table, change, row))
        for name, branch in (("A", a), ("B", b), ("C", c)):
            yield Try(f"{name} rewrites {table}", (branch,), False, sets(table, change, row))


def _keeps(connection: Connection, row: Row, **changed: object) -> bool:
    """As the first original behind the mask."""
    only(connection, "masked_originals", "false")
    return inserts(connection, "masked_originals", row, **changed)
