"""Everything a branch might try at the database, with plain SQL, past all of the code.

`breaches` runs as the app's own role and gives a sentence for every expectation that does not hold: a row seen
that should not be, a row not seen that should be, a forged write that went through, an honest one that did not.
On a sound database the list is empty; with any policy dropped, opened or un-forced it must not be.
"""

from collections.abc import Generator, Iterator, Mapping

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from tests.isolation import finding, forged, forged_turns, reminding
from tests.isolation.trying import Row, acting, allowed, inserts

# How a row of each table is told apart.
KEYS = {
    "deviations": "id",
    "handovers": "id",
    "answers": "id",
    "answer_actions": "id",
    "events": "id",
    "questions": "id",
    "pauses": "id",
    "proposals": "id",
    "masks": "id",
    "masked_originals": "mask_id",
    "links": "one_id || ':' || other_id",
    "event_actors": "event_id",
    "sides": "deviation_id || ':' || branch_id",
    "notes": "id",
    "co_investigators": "deviation_id || ':' || branch_id || ':' || person_id",
    "answer_drafts": "deviation_id || ':' || branch_id",
    "risk_flags": "id",
    "sealed_copies": "id",
    "drafts": "submission::text",
    "audit_log": "id",
    "case_words": "deviation_id || ':' || branch_id || ':' || word",
    "reminders": "id",
    "notices": "id",
    "searches": "person_id || ':' || branch_id",
    "saved_views": "id",
    "batches": "id",
}
# What is one branch's own, whatever becomes of the case.
OWN = (
    "event_actors",
    "sides",
    "notes",
    "co_investigators",
    "answer_drafts",
    "risk_flags",
    "audit_log",
    "case_words",
    "reminders",
    "notices",
)
# What somebody keeps for themselves, in one branch.
PERSONAL = ("searches", "saved_views", "batches")
# What the app may delete, its own rows only.
DELETED = ("drafts", "answer_drafts", "links", "case_words", *PERSONAL)
OPERATORS = ("deviations", "handovers", "answers", "answer_actions", "events", "sides", "case_words")
COUNTED = ("deviations", "handovers", "links", "events", "reminders")


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
            for table, key in KEYS.items()
        }
        commissioner = dict(connection.execute(text("select id, commissioned_by_id from units")).all())
        units = connection.execute(text("select branch_id, min(id) from units group by 1")).all()
        self.a_unit_of = {name: dict(units)[branch] for name, branch in branches.items()}
        self.senders: dict[int, set[int]] = {}
        self.seen_by: dict[int, set[int]] = {}
        self.held_since: dict[int, int] = {}
        for case in self.rows["deviations"]:
            id_, holder = case["id"], case["receiver_branch_id"]
            self.senders[id_] = {case["sender_branch_id"], commissioner[case["sender_unit_id"]]} - {None}
            self.seen_by[id_] = set(self.senders[id_])
            if case["state"] not in ("withdrawn", "declined"):
                self.seen_by[id_] |= {holder, commissioner[case["receiver_unit_id"]]} - {None}
            legs = sorted(
                (leg for leg in self.rows["handovers"] if leg["deviation_id"] == id_),
                key=lambda leg: -leg["position"],
            )
            own = list(_while(legs, holder))
            self.held_since[id_] = own[-1]["position"]

    def visible(self, table: str, branch: int, person: int | None, sealed: str) -> set[str]:
        return {row["_key"] for row in self.rows[table] if self._shows(table, row, branch, person, sealed)}

    def _shows(self, table: str, row: Row, branch: int, person: int | None, sealed: str) -> bool:
        if table in OWN:
            return bool(row["branch_id"] == branch)
        if table in PERSONAL:
            return (row["branch_id"], row["person_id"]) == (branch, person)
        if table == "sealed_copies":
            return row["branch_id"] == branch and sealed in ("copies", "all")
        if table == "drafts":
            return row["branch_id"] == branch and (
                row["person_id"] == person or bool(row["for_review_at"] or row["returned_comment"])
            )
        if table == "links":
            return branch in self.seen_by[row["one_id"]] & self.seen_by[row["other_id"]]
        case = row["id"] if table == "deviations" else row["deviation_id"]
        if table in ("masks", "masked_originals") and sealed == "all" and branch in self.given(row):
            return True
        if table == "masked_originals" or branch not in self.seen_by[case]:
            return False
        if table == "answer_actions":
            answer = next(one for one in self.rows["answers"] if one["id"] == row["answer_id"])
            return self._shows("answers", answer, branch, person, sealed)
        own_words = table == "masks" and row["field"].partition(".")[0] in ("notes", "risk_flags", "sides")
        if own_words and row["branch_id"] != branch:
            return False
        # A receiver reads what was written since its branch got the case; the sender reads all.
        return "leg" not in row or branch in self.senders[case] or row["leg"] >= self.held_since[case]

    def given(self, row: Row) -> set[int]:
        """The branches that had been given what was masked, by the route of the case: of a mask, or what stood behind it."""
        mask_id = row["mask_id"] if "mask_id" in row else row["id"]
        mask = next(one for one in self.rows["masks"] if one["id"] == mask_id)
        kind, dot, _rest = mask["field"].partition(".")
        if kind in ("notes", "risk_flags", "sides"):
            return {mask["branch_id"]}
        case = next(one for one in self.rows["deviations"] if one["id"] == mask["deviation_id"])
        legs = [leg for leg in self.rows["handovers"] if leg["deviation_id"] == case["id"]]
        held = {
            leg["branch_id"]
            for leg in legs
            if leg["position"] == mask["leg"] or (not dot and leg["position"] < mask["leg"])
        }
        return {case["sender_branch_id"], *held}

    def case(self, sender: str, receiver: str, *, legs: int = 1) -> Row:
        return next(
            case
            for case in self.rows["deviations"]
            if case["sender_branch_id"] == self.branches[sender]
            and case["receiver_branch_id"] == self.branches[receiver]
            and case["state"] not in ("withdrawn", "declined")
            and legs == sum(leg["deviation_id"] == case["id"] for leg in self.rows["handovers"])
        )

    def of(self, table: str, case: Row, branch: str | None = None) -> Row:
        return next(
            row
            for row in self.rows[table]
            if row["deviation_id"] == case["id"]
            and (branch is None or row["branch_id"] == self.branches[branch])
        )


def _while(legs: list[Row], holder: int) -> Iterator[Row]:
    """The latest legs, newest first, for as long as they are the holder's."""
    for leg in legs:
        if leg["branch_id"] != holder:
            return
        yield leg


def breaches(
    connection: Connection, world: World, *, writes_first: bool = False
) -> Generator[str, None, None]:
    """A sentence for every expectation that does not hold."""
    if writes_first:
        yield from _written_amiss(connection, world)
    yield from _seen_amiss(connection, world)
    yield from _roles_amiss(connection, world)
    if not writes_first:
        yield from _written_amiss(connection, world)


def _roles_amiss(connection: Connection, world: World) -> Iterator[str]:
    for role, branch in (("app", None), ("owner", world.branches["A"]), ("owner", None)):
        with acting(connection, role, branch, sealed="all"):
            yield from (f"{role} without a branch sees {table}" for table in KEYS if seen(connection, table))
    for role, tables in (("operator", OPERATORS), ("counter", COUNTED)):
        with acting(connection, role):
            for table in KEYS:
                everything = {row["_key"] for row in world.rows[table]} if table in tables else set()
                if seen(connection, table) != everything:
                    yield f"the {role} does not see just what it should of {table}"
    with acting(connection, "counter"):
        for column in ("description", "case_number", "shared_reference", "visible_branches", "delay_reason"):
            if allowed(connection, f"select {column} from deviations"):
                yield f"the counter reads {column}"
        for column in ("comment", "profession", "branch_id", "unit_id"):
            if allowed(connection, f"select {column} from events"):
                yield f"the counter reads {column} of events"
        if not allowed(
            connection, "select person_id, branch_id from notices where letter_id is null limit 1"
        ):
            yield "the counter does not find what has been left waiting"
        if connection.scalar(text("select count(person_id) from notices")) != len(world.rows["notices"]):
            yield "the counter does not see every notice"
    with acting(connection, "operator"):
        if not inserts(connection, "audit_log", world.rows["audit_log"][0], id=900001):
            yield "the operator cannot log"
    with acting(connection, "app", world.branches["A"], sealed="all"):
        for table in KEYS:
            if allowed(connection, f"truncate {table} cascade"):
                yield f"the app truncates {table}"
            if table not in DELETED and allowed(connection, f"delete from {table}"):
                yield f"the app deletes from {table}"


def _written_amiss(connection: Connection, world: World) -> Iterator[str]:
    for one in (
        *forged.tries(connection, world),
        *forged_turns.tries(connection, world),
        *finding.tries(connection, world),
        *reminding.tries(connection, world),
    ):
        with acting(connection, "app", *one.branches, person=one.person, sealed=one.sealed):
            if one.attempt() is not one.goes_through:
                yield f"{one.what}: {'refused' if one.goes_through else 'went through'}"


def _seen_amiss(connection: Connection, world: World) -> Iterator[str]:
    readers: list[tuple[str, int | None, str]] = [
        *((who, person, "") for who, person in world.people.items()),
        ("a registrar", None, "copies"),
        ("safety", None, "all"),
    ]
    for name, branch in world.branches.items():
        for who, person, sealed in readers:
            with acting(connection, "app", branch, person=person, sealed=sealed):
                for table in KEYS:
                    if seen(connection, table) != world.visible(table, branch, person, sealed):
                        yield f"{who} in {name} does not see just what is theirs in {table}"


def seen(connection: Connection, table: str) -> set[str]:
    try:
        with connection.begin_nested():
            # Nothing but the key: the counter may read no more.
            return {str(value) for value in connection.scalars(text(f"select {KEYS[table]} from {table}"))}
    except DBAPIError:
        return set()  # no right to the table at all
