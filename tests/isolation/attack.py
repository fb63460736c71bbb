"""Everything a branch might try at the database, with plain SQL, past all of the code.

`breaches` runs as the app's own role and gives a sentence for every expectation that does not hold: a row seen
that should not be, a row not seen that should be, a forged write that went through, an honest one that did not.
On a sound database the list is empty; with any policy dropped, opened or un-forced it must not be.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

Row = dict[str, Any]
Try = tuple[str, int, int | None, bool, Callable[[], bool]]

# How a row of each table is told apart, and which case it hangs on.
KEYS = {
    "deviations": ("id", "id"),
    "handovers": ("id", "deviation_id"),
    "answers": ("id", "deviation_id"),
    "answer_actions": ("id", "deviation_id"),
    "events": ("id", "deviation_id"),
    "event_actors": ("event_id", None),
    "sides": ("deviation_id || ':' || branch_id", None),
    "drafts": ("submission::text", None),
    "audit_log": ("id", None),
    "case_words": ("deviation_id || ':' || branch_id || ':' || word", None),
    "searches": ("person_id || ':' || branch_id", None),
    "saved_views": ("id", None),
    "batches": ("id", None),
}
# What somebody keeps for themselves, in one branch.
PERSONAL = ("drafts", "searches", "saved_views", "batches")
OPERATORS = ("deviations", "handovers", "answers", "answer_actions", "events", "sides", "case_words")


class World:
    """What is really there, read past the walls, and what each branch may see of it by the rules of the trade."""

    def __init__(
        self, connection: Connection, branches: Mapping[str, int], people: Mapping[str, int]
    ) -> None:
        self.branches, self.people = branches, people
        self.rows: dict[str, list[Row]] = {
            table: [
                row[0]
                for row in connection.execute(
                    text(f"select to_jsonb(t) || jsonb_build_object('_key', ({key})::text) from {table} t")
                )
            ]
            for table, (key, _) in KEYS.items()
        }
        commissioner = dict(connection.execute(text("select id, commissioned_by_id from units")).all())
        units = connection.execute(text("select branch_id, min(id) from units group by 1")).all()
        self.a_unit_of = {name: dict(units)[branch] for name, branch in branches.items()}
        self.seen_by: dict[int, set[int]] = {}
        for case in self.rows["deviations"]:
            parties = {case["sender_branch_id"], commissioner[case["sender_unit_id"]]}
            if case["state"] != "withdrawn":
                parties |= {case["receiver_branch_id"], commissioner[case["receiver_unit_id"]]}
            self.seen_by[case["id"]] = parties - {None}

    def visible(self, table: str, branch: int, person: int) -> set[str]:
        rows = self.rows[table]
        if table in ("event_actors", "sides", "audit_log", "case_words"):
            return {row["_key"] for row in rows if row["branch_id"] == branch}
        if table in PERSONAL:
            return {row["_key"] for row in rows if (row["branch_id"], row["person_id"]) == (branch, person)}
        case = KEYS[table][1]
        return {row["_key"] for row in rows if branch in self.seen_by[row[case]]}

    def case(self, sender: str, receiver: str) -> Row:
        return next(
            case
            for case in self.rows["deviations"]
            if case["sender_branch_id"] == self.branches[sender]
            and case["receiver_branch_id"] == self.branches[receiver]
            and case["state"] != "withdrawn"
        )

    def of(self, table: str, case: Row) -> Row:
        return next(row for row in self.rows[table] if row["deviation_id"] == case["id"])


def breaches(connection: Connection, world: World) -> Generator[str, None, None]:
    """A sentence for every expectation that does not hold, the quickest asked first."""
    for name, branch in world.branches.items():
        for who, person in world.people.items():
            with acting(connection, "app", branch, person):
                for table in KEYS:
                    if seen(connection, table) != world.visible(table, branch, person):
                        yield f"{who} in {name} does not see just what is theirs in {table}"
    for role, branch in (("app", None), ("owner", world.branches["A"]), ("owner", None)):
        with acting(connection, role, branch, None):
            yield from (f"{role} without a branch sees {table}" for table in KEYS if seen(connection, table))
    with acting(connection, "operator", None, None):
        for table in OPERATORS:
            if seen(connection, table) != {row["_key"] for row in world.rows[table]}:
                yield f"the operator does not see all of {table}"
    with acting(connection, "counter", None, None):
        ids = {str(id_) for id_ in connection.scalars(text("select id from deviations"))}
        if ids != {row["_key"] for row in world.rows["deviations"]}:
            yield "the counter does not see all cases"
        for column in ("description", "case_number", "shared_reference", "visible_branches"):
            if allowed(connection, f"select {column} from deviations"):
                yield f"the counter reads {column}"
    yield from _forged(connection, world)


def seen(connection: Connection, table: str) -> set[str]:
    key = KEYS[table][0]
    try:
        with connection.begin_nested():
            return {str(value) for value in connection.scalars(text(f"select {key} from {table}"))}
    except DBAPIError:
        return set()  # no right to the table at all


@contextmanager
def acting(connection: Connection, role: str, branch: int | None, person: int | None) -> Iterator[None]:
    """A stretch of the transaction in that role, everything in it undone afterwards."""
    nested = connection.begin_nested()
    connection.execute(
        text(
            "select set_config('role', :role, true), set_config('app.branches', :branches, true),"
            " set_config('app.person', :person, true)"
        ),
        {
            "role": f"samsvar_{role}",
            "branches": f"{{{branch}}}" if branch else "",
            "person": str(person) if person else "",
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


def _forged(connection: Connection, world: World) -> Iterator[str]:
    """Honest writes that must go through, and forged ones that must not, by who tries them."""
    a, b, c = (world.branches[name] for name in "ABC")
    ab, cb = world.case("A", "B"), world.case("C", "B")
    new_case = {
        "id": 900001,
        "case_number": "BLE-2026-ZZZZZZ",
        "submission": "00000000-0000-4000-8000-000000000001",
    }
    new = {"id": 900001}
    event_ab, event_cb = world.of("events", ab), world.of("events", cb)
    side_ab, side_cb = world.of("sides", ab), world.of("sides", cb)
    answer_ab, answer_cb = world.of("answers", ab), world.of("answers", cb)
    leg_ab, leg_cb = world.of("handovers", ab), world.of("handovers", cb)
    draft = world.rows["drafts"][0]
    log = next(row for row in world.rows["audit_log"] if row["branch_id"] == a)
    elsewhere = {"deviation_id": cb["id"]}
    c_unit = {
        "branch": c,
        "unit": cb["sender_unit_id"],
        "other": world.branches["D"],
        "other_unit": world.a_unit_of["D"],
    }
    update = "update {} set {} where id = :id"

    def as_(branch: int, person: int | None = None) -> Any:
        return acting(connection, "app", branch, person)

    # Where a row is moved, no WHERE: reading a column would bring in the policy for reading as well, and hide that
    # the one for writing is open.
    tries: list[Try] = [
        # (what, branch, person, whether it must go through, the try)
        ("A files its own", a, None, True, lambda: inserts(connection, "deviations", ab, **new_case)),
        ("B files in A's name", b, None, False, lambda: inserts(connection, "deviations", ab, **new_case)),
        ("C files in A's name", c, None, False, lambda: inserts(connection, "deviations", ab, **new_case)),
        ("A changes its case", a, None, True, lambda: allowed(connection, update.format("deviations", "revision = 9"), id=ab["id"])),
        ("B changes the case it holds", b, None, True, lambda: allowed(connection, update.format("deviations", "revision = 9"), id=ab["id"])),
        ("C changes A's case", c, None, False, lambda: allowed(connection, update.format("deviations", "revision = 9"), id=ab["id"])),
        (
            "a commissioner changes the case it follows",
            world.branches["K"],
            None,
            False,
            lambda: allowed(connection, update.format("deviations", "revision = 9"), id=world.case("P", "B")["id"]),
        ),
        (
            "A gives its case away, to and from others",
            a,
            None,
            False,
            lambda: allowed(
                connection,
                "update deviations set sender_branch_id = :branch, sender_unit_id = :unit,"
                " receiver_branch_id = :other, receiver_unit_id = :other_unit",
                **c_unit,
            ),
        ),
        (
            "D makes everybody's cases its own",
            world.branches["D"],
            None,
            False,
            lambda: allowed(
                connection,
                "update deviations set sender_branch_id = :branch, sender_unit_id = :unit",
                branch=world.branches["D"],
                unit=world.a_unit_of["D"],
            ),
        ),
        ("A sends its case on", a, None, True, lambda: inserts(connection, "handovers", leg_ab, **new, position=2)),
        ("A sends C's case on", a, None, False, lambda: inserts(connection, "handovers", leg_cb, **new, position=2)),
        ("B dates its leg", b, None, True, lambda: allowed(connection, update.format("handovers", "position = 8"), id=leg_ab["id"])),
        ("A dates C's leg", a, None, False, lambda: allowed(connection, update.format("handovers", "position = 8"), id=leg_cb["id"])),
        (
            "a commissioner dates a leg of the case it follows",
            world.branches["K"],
            None,
            False,
            lambda: allowed(
                connection, update.format("handovers", "position = 8"), id=world.of("handovers", world.case("P", "B"))["id"]
            ),
        ),
        (
            "a commissioner sends on the case it follows",
            world.branches["K"],
            None,
            False,
            lambda: inserts(connection, "handovers", world.of("handovers", world.case("P", "B")), **new, position=2),
        ),
        (
            "A moves its leg to C's case",
            a,
            None,
            False,
            lambda: allowed(connection, "update handovers set deviation_id = :to, position = (random() * 99999)::int", to=cb["id"]),
        ),
        ("B answers what it holds", b, None, True, lambda: inserts(connection, "answers", answer_ab, **new)),
        ("B answers in A's name", b, None, False, lambda: inserts(connection, "answers", answer_ab, **new, branch_id=a)),
        ("A answers itself", a, None, False, lambda: inserts(connection, "answers", answer_ab, **new, branch_id=a)),
        ("A answers as B", a, None, False, lambda: inserts(connection, "answers", answer_ab, **new)),
        ("A judges", a, None, True, lambda: allowed(connection, update.format("answers", "verdict_comment = 'x'"), id=answer_ab["id"])),
        ("B judges its own answer", b, None, False, lambda: allowed(connection, update.format("answers", "verdict_comment = 'x'"), id=answer_ab["id"])),
        ("A judges C's answer", a, None, False, lambda: allowed(connection, update.format("answers", "verdict_comment = 'x'"), id=answer_cb["id"])),
        ("A moves its answer to C's case", a, None, False, lambda: allowed(connection, "update answers set deviation_id = :to", to=cb["id"])),
        ("B adds an action", b, None, True, lambda: inserts(connection, "answer_actions", world.of("answer_actions", ab), **new)),
        ("A adds an action", a, None, False, lambda: inserts(connection, "answer_actions", world.of("answer_actions", ab), **new)),
        ("A logs on its case", a, None, True, lambda: inserts(connection, "events", event_ab, **new)),
        ("A logs in B's name", a, None, False, lambda: inserts(connection, "events", event_ab, **new, branch_id=b)),
        ("A logs on C's case", a, None, False, lambda: inserts(connection, "events", event_ab, **new, **elsewhere)),
        ("A signs its event", a, None, True, lambda: _signs(connection, event_ab, a, world.people["anna"])),
        ("A signs its event as B", a, None, False, lambda: _signs(connection, event_ab, b, world.people["anna"])),
        ("A signs C's event", a, None, False, lambda: _signs(connection, event_cb, a, world.people["anna"])),
        ("B keeps a side", b, None, True, lambda: inserts(connection, "sides", side_ab, branch_id=b, reporter_id=None)),
        ("A keeps B's side", a, None, False, lambda: inserts(connection, "sides", side_ab, branch_id=b)),
        ("A keeps a side of C's case", a, None, False, lambda: inserts(connection, "sides", side_ab, **elsewhere)),
        ("A notes its reference", a, None, True, lambda: _notes(connection, side_ab)),
        ("B notes A's reference", b, None, False, lambda: _notes(connection, side_ab)),
        ("A notes C's reference", a, None, False, lambda: _notes(connection, side_cb)),
        ("A hands its side to B", a, None, False, lambda: _hands_over(connection, "branch_id = :to", b, ab["id"])),
        ("A moves its side to C's case", a, None, False, lambda: _hands_over(connection, "deviation_id = :to", cb["id"], ab["id"])),
        ("B makes A's side its own", b, None, False, lambda: _hands_over(connection, "branch_id = :to", b, ab["id"])),
        ("a writer drafts", draft["branch_id"], draft["person_id"], True, lambda: inserts(connection, "drafts", draft, submission=new_case["submission"])),
        ("a colleague drafts in another's name", draft["branch_id"], world.people["mats"], False, lambda: inserts(connection, "drafts", draft, submission=new_case["submission"])),
        ("a writer drafts in another branch", c, draft["person_id"], False, lambda: inserts(connection, "drafts", draft, submission=new_case["submission"])),
        ("a writer hands the draft over", draft["branch_id"], draft["person_id"], False, lambda: allowed(connection, "update drafts set person_id = :to", to=world.people["mats"])),
        ("A logs its reading", a, None, True, lambda: inserts(connection, "audit_log", log, **new)),
        ("A logs in B's log", a, None, False, lambda: inserts(connection, "audit_log", log, **new, branch_id=b)),
    ]  # fmt: skip
    from tests.isolation import finding  # which tries with what stands above

    tries += finding.words(connection, world, ab, cb) + finding.kept(connection, world)
    for what, branch, person, expected, attempt in tries:
        with as_(branch, person):
            if attempt() is not expected:
                yield f"{what}: {'refused' if expected else 'went through'}"
    with acting(connection, "operator", None, None):
        if not inserts(connection, "audit_log", log, **new):
            yield "the operator cannot log"
    with as_(a):
        for table in KEYS:
            if allowed(connection, f"truncate {table} cascade"):
                yield f"the app truncates {table}"
            if table not in (*PERSONAL, "case_words") and allowed(connection, f"delete from {table}"):
                yield f"the app deletes from {table}"


def _signs(connection: Connection, event: Row, branch: int, person: int) -> bool:
    # The row that is there already is another's or one's own; a fresh event is not needed to ask the policy.
    return allowed(
        connection,
        "insert into event_actors (event_id, branch_id, person_id) values (:event, :branch, :person)"
        " on conflict (event_id) do nothing returning event_id",
        event=event["id"],
        branch=branch,
        person=person,
    )


def _hands_over(connection: Connection, what: str, to: int, case: int) -> bool:
    """Try it with the sides of one case alone: two rows that become the same would be refused for that."""
    role = connection.scalar(text("select current_user"))
    connection.execute(text("set local role none"))
    connection.execute(text("delete from sides where deviation_id <> :case"), {"case": case})
    connection.execute(text(f"set local role {role}"))
    return allowed(connection, f"update sides set {what}", to=to)


def _notes(connection: Connection, side: Row, what: str = "reference = 'x'", **values: Any) -> bool:
    return allowed(
        connection,
        f"update sides set {what} where deviation_id = :case and branch_id = :branch",
        case=side["deviation_id"],
        branch=side["branch_id"],
        **values,
    )
