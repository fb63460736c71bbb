"""Honest and forged writes of the straight life: filing, handing over, answering, judging, drafts, the log."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from tests.isolation.trying import Row, Try, allowed, alone, inserts

if TYPE_CHECKING:  # it points here
    from tests.isolation.attack import World


def tries(connection: Connection, world: "World") -> Iterator[Try]:
    a, b, c = (world.branches[name] for name in "ABC")
    ab, cb = world.case("A", "B"), world.case("C", "B")
    new_case = {
        "id": 900001,
        "case_number": "BLE-2026-ZZZZZZ",
        "submission": "00000000-0000-4000-8000-000000000001",
    }
    new = {"id": 900001}
    event_ab, event_cb = world.of("events", ab), world.of("events", cb)
    opened = {row["deviation_id"] for row in world.rows["sides"] if row["branch_id"] == b}
    unopened = next(
        row
        for row in world.rows["deviations"]
        if (row["sender_branch_id"], row["receiver_branch_id"]) == (a, b)
        and row["state"] == "sent"
        and row["id"] not in opened
    )
    side_ab, side_cb = world.of("sides", ab, "A"), world.of("sides", cb, "C")
    answer_ab, answer_cb = world.of("answers", ab), world.of("answers", cb)
    leg_ab, leg_cb = world.of("handovers", ab), world.of("handovers", cb)
    draft = next(row for row in world.rows["drafts"] if not row["for_review_at"])
    handed = next(row for row in world.rows["drafts"] if row["for_review_at"])
    mats = world.people["mats"]
    log = next(row for row in world.rows["audit_log"] if row["branch_id"] == a)
    elsewhere = {"deviation_id": cb["id"]}
    d, d_unit = world.branches["D"], world.a_unit_of["D"]
    to_d = {"branch": d, "unit": d_unit}
    update = "update {} set {} where id = :id"
    own, plain = "deviation_id = :id and branch_id = :a", "submission::text = :id"

    tries: list[tuple[str, int, int | None, bool, Callable[[], bool]]] = [
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
        ("B hands all it holds to D", b, None, False, lambda: allowed(connection, "update deviations set receiver_branch_id = :branch, receiver_unit_id = :unit", **to_d)),
        ("D makes everybody's cases its own", d, None, False, lambda: allowed(connection, "update deviations set receiver_branch_id = :branch, receiver_unit_id = :unit", **to_d)),
        ("A becomes nobody's sender", a, None, False, lambda: allowed(connection, "update deviations set sender_branch_id = :branch, sender_unit_id = :unit where id = :id", **to_d, id=ab["id"])),
        ("B becomes the sender of what it holds", b, None, False, lambda: allowed(connection, "update deviations set sender_branch_id = :b, sender_unit_id = receiver_unit_id, receiver_branch_id = :branch, receiver_unit_id = :unit", **to_d, b=b)),
        ("C opens what was written before it came", c, None, False, lambda: _opens_the_first_leg(connection, world.case("A", "C", legs=2))),
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
        ("B keeps a side", b, None, True, lambda: inserts(connection, "sides", side_ab, branch_id=b, reporter_id=None, deviation_id=unopened["id"])),
        ("A keeps B's side", a, None, False, lambda: inserts(connection, "sides", side_ab, branch_id=b)),
        ("A keeps a side of C's case", a, None, False, lambda: inserts(connection, "sides", side_ab, **elsewhere)),
        ("A notes its reference", a, None, True, lambda: _notes(connection, side_ab)),
        ("B notes A's reference", b, None, False, lambda: _notes(connection, side_ab)),
        ("A notes C's reference", a, None, False, lambda: _notes(connection, side_cb)),
        ("A hands its side to B", a, None, False, lambda: alone(connection, "sides", own, "update sides set branch_id = :to", to=b, id=ab["id"], a=a)),
        ("A moves its side to C's case", a, None, False, lambda: alone(connection, "sides", own, "update sides set deviation_id = :to", to=cb["id"], id=ab["id"], a=a)),
        ("B makes A's side its own", b, None, False, lambda: alone(connection, "sides", own, "update sides set branch_id = :to", to=b, id=ab["id"], a=a)),
        ("a writer drafts", draft["branch_id"], draft["person_id"], True, lambda: inserts(connection, "drafts", draft, submission=new_case["submission"])),
        ("a colleague drafts in another's name", draft["branch_id"], mats, False, lambda: inserts(connection, "drafts", draft, submission=new_case["submission"])),
        ("a writer drafts in another branch", c, draft["person_id"], False, lambda: inserts(connection, "drafts", draft, submission=new_case["submission"])),
        ("a writer hands the draft over", draft["branch_id"], draft["person_id"], False, lambda: allowed(connection, "update drafts set person_id = :to", to=mats)),
        ("a colleague writes in another's draft", a, mats, False, lambda: allowed(connection, "update drafts set returned_comment = 'x' where submission = :id", id=draft["submission"])),
        ("a colleague takes another's draft", a, mats, False, lambda: alone(connection, "drafts", plain, "update drafts set returned_comment = 'x'", id=draft["submission"])),
        ("a colleague throws another's draft away", a, mats, False, lambda: alone(connection, "drafts", plain, "delete from drafts", id=draft["submission"])),
        ("a writer throws a draft away", a, draft["person_id"], True, lambda: allowed(connection, "delete from drafts where submission = :id", id=draft["submission"])),
        ("a manager gives a draft back", a, mats, True, lambda: allowed(connection, "update drafts set returned_comment = 'x', for_review_at = null where submission = :id", id=handed["submission"])),
        ("another branch gives a draft back", b, mats, False, lambda: alone(connection, "drafts", plain, "update drafts set returned_comment = 'x'", id=handed["submission"])),
        ("A logs its reading", a, None, True, lambda: inserts(connection, "audit_log", log, **new)),
        ("A logs in B's log", a, None, False, lambda: inserts(connection, "audit_log", log, **new, branch_id=b)),
    ]  # fmt: skip
    for what, branch, person, goes_through, attempt in tries:
        yield Try(what, (branch,), goes_through, attempt, person)


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


def _opens_the_first_leg(connection: Connection, case: Row) -> bool:
    nested = connection.begin_nested()
    connection.execute(text("update deviations set first_leg = 1 where id = :id"), {"id": case["id"]})
    found = connection.scalar(text("select first_leg from deviations where id = :id"), {"id": case["id"]})
    nested.rollback()
    return found == 1


def _notes(connection: Connection, side: Row, what: str = "reference = 'x'", **values: Any) -> bool:
    return allowed(
        connection,
        f"update sides set {what} where deviation_id = :case and branch_id = :branch",
        case=side["deviation_id"],
        branch=side["branch_id"],
        **values,
    )
