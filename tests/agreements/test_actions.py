"""Routing rules are ended and made anew, never rewritten; what they suggest comes with its reason."""

import threading
import time

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from backend.agreements import actions, queries
from backend.core import db
from backend.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from backend.directory import queries as directory
from tests.agreements.people import INTAKE, PATRICIA, STROKE, add, change, end, form, restore
from tests.people import (
    ADMINISTRATOR,
    ANNA,
    ANNAS_UNIT,
    BERIT,
    BOB,
    BOBS_UNIT,
    COORDINATOR,
    MATS,
    acting,
)

pytestmark = pytest.mark.usefixtures("blekinge")
REGION = "SE2321000081-R"


def told(
    category: str | None = "medication.list", target_group: str = "older", level: str = "home_nursing"
) -> tuple[str, str]:
    """Where the region wants such a case, as somebody in the municipality is told."""
    with acting(ANNA) as (session, me):
        found = queries.category(session, me.county_id or 0, category) if category else None
        branch = directory.intakes(session, REGION)[0].branch_id
        unit, reason = queries.receiving_unit(
            session, branch, found.id if found else None, target_group, level
        )
        return unit.hsa_id, reason


def history(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                text(
                    "select r.id, c.code, r.target_group, r.care_level, u.hsa_id, r.position, m.email, e.email from routing_rules r"
                    " left join categories c on c.id = category_id join units u on u.id = unit_id"
                    " join people m on m.id = made_by left join people e on e.id = ended_by order by r.id"
                )
            )
        ]


def test_without_a_rule_the_intake_receives() -> None:
    assert told() == (INTAKE, "eftersom det är verksamhetens väg in")


def test_a_rule_is_read_by_the_other_party_with_its_reason() -> None:
    add(category="medication", target_group="older", care_level="home_nursing")
    reason = "eftersom ärenden från hemsjukvården om ”Läkemedel” som gäller äldre går dit"
    assert told() == (BOBS_UNIT, reason)
    assert told(target_group="adults") == (INTAKE, "eftersom det är verksamhetens väg in")
    assert told(category="sip")[0] == INTAKE
    assert told(category=None)[0] == INTAKE


def test_rules_of_several_branches_come_with_the_one_that_says_most_first() -> None:
    add(category="medication", target_group="older")
    with acting(MATS) as (session, me):
        actions.add_routing_rule(session, me, form(category="medication.list", unit=ANNAS_UNIT))
    with acting("hemsjukvard@karlskrona.example") as (session, me):
        category = queries.category(session, me.county_id or 0, "medication.list")
        assert category is not None
        everywhere = queries.branches_to_report_to(session, me)
        found = queries.suggestions(session, everywhere, category.id, "older", "home_nursing")
        assert [(one.unit.hsa_id, one.reason) for one in found] == [
            (BOBS_UNIT, "eftersom ärenden om ”Läkemedel” som gäller äldre går dit"),
            (ANNAS_UNIT, "eftersom ärenden om ”Läkemedelslista” går dit"),
        ]
        assert queries.branches_to_report_to(session, me, REGION) == [
            directory.intakes(session, REGION)[0].branch_id
        ]
        assert not set(me.branches) & set(everywhere)


def test_a_change_ends_the_old_rule_and_keeps_it(superuser: Engine) -> None:
    first = add()
    second = change(first, unit=STROKE)
    assert told()[0] == STROKE
    assert history(superuser) == [
        (first, "medication", None, None, BOBS_UNIT, 1, PATRICIA, PATRICIA),
        (second, "medication", None, None, STROKE, 1, PATRICIA, None),
    ]


def test_a_change_that_changes_nothing_leaves_no_trace(superuser: Engine) -> None:
    first = add()
    assert change(first) == first
    assert len(history(superuser)) == 1


def test_a_rule_that_is_taken_away_speaks_no_more_and_comes_back_as_its_own(superuser: Engine) -> None:
    first = add()
    end(first)
    assert told()[0] == INTAKE
    again = restore(first)
    assert told()[0] == BOBS_UNIT
    assert [(row[0], row[7]) for row in history(superuser)] == [(first, PATRICIA), (again, None)]


def test_undoing_a_change_brings_back_what_held_before() -> None:
    first = add(target_group="older")
    second = change(first, target_group="adults", unit=STROKE)
    restore(first, instead_of=second)
    assert (told()[0], told(target_group="adults")[0]) == (BOBS_UNIT, INTAKE)


def test_of_rules_that_say_equally_much_the_one_put_first_decides() -> None:
    add(category=None, target_group="older")
    second = add(category=None, care_level="home_nursing", unit=STROKE)
    assert told()[0] == BOBS_UNIT
    changed = change(second, category=None, care_level="home_nursing", unit=STROKE, first=True)
    assert told()[0] == STROKE
    # A change of something else leaves it where it stands.
    change(changed, category=None, care_level="home_nursing", unit=INTAKE)
    assert told() == (INTAKE, "eftersom ärenden från hemsjukvården går dit")


def test_a_rule_to_a_unit_that_is_gone_is_passed_over(superuser: Engine) -> None:
    add(category="medication.list", unit=STROKE)
    add(category="medication")
    with superuser.begin() as connection:
        connection.execute(
            text(
                "update units set ended_on = (now() at time zone 'Europe/Stockholm')::date where hsa_id = :unit"
            ),
            {"unit": STROKE},
        )
    assert told()[0] == BOBS_UNIT


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({"category": "nothing"}, [("category", "Kategorin finns inte. Välj en i listan.")]),
        (
            {"category": None},
            [("category", "Välj minst en sak som avgör. Ärenden utan regel går till er väg in.")],
        ),
        ({"unit": ANNAS_UNIT}, [("unit", "Välj en enhet i er egen verksamhet.")]),
        ({"unit": "SE0"}, [("unit", "Välj en enhet i er egen verksamhet.")]),
        (
            {"category": "sip"},
            [("category", "Det finns redan en regel för ärenden om ”Samordnad individuell plan (SIP)”. Ändra den i stället.")],
        ),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_hold_together_is_told_by_field(
    changed: dict[str, str], faults: list[tuple[str, str]], superuser: Engine
) -> None:
    taken = add(category="sip", unit=STROKE)
    other = add(category="transport")
    for attempt in (lambda: add(**changed), lambda: change(other, **changed)):
        with pytest.raises(InvalidError) as caught:
            attempt()
        assert [(fault.field, fault.text) for fault in caught.value.faults] == faults
    assert [(row[0], row[7]) for row in history(superuser)] == [(taken, None), (other, None)]


@pytest.mark.parametrize("who", [BOB, BERIT, COORDINATOR, ADMINISTRATOR, "registrator@region.example"])
def test_only_who_leads_the_whole_branch_may(who: str) -> None:
    with acting(who) as (session, me), pytest.raises(ForbiddenError):
        actions.add_routing_rule(session, me, form())


def test_another_branchs_rule_is_as_if_missing() -> None:
    rule = add()
    for by in (MATS, "sas@solvesborg.example"):
        with pytest.raises(NotFoundError):
            end(rule, by=by)
    with pytest.raises(NotFoundError):
        end(rule + 1000)


def test_of_two_who_change_the_same_rule_the_second_is_told(superuser: Engine) -> None:
    rule = add()
    told_off: list[type[Exception]] = []

    def second() -> None:
        try:
            change(rule, target_group="adults")
        except ConflictError as error:
            told_off.append(type(error))

    late = threading.Thread(target=second)
    with acting(PATRICIA) as (session, me):
        first = queries.routing_rule(session, me, rule)
        actions.change_routing_rule(session, me, first, form(target_group="older"))
        late.start()
        _until_waiting(superuser)
    late.join()
    assert told_off == [ConflictError]
    assert [(row[2], row[7]) for row in history(superuser)] == [(None, PATRICIA), ("older", None)]


def _until_waiting(engine: Engine) -> None:
    waiting = text("select exists (select from pg_locks where not granted)")
    for _try in range(500):
        with engine.connect() as connection:
            if connection.scalar(waiting):
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def test_what_has_ended_or_holds_already_is_a_conflict() -> None:
    rule = add()
    with pytest.raises(ConflictError):
        restore(rule)
    end(rule)
    with pytest.raises(ConflictError):
        end(rule)
    add()
    with pytest.raises(ConflictError):
        restore(rule)


def test_the_app_cannot_rewrite_or_delete_what_has_held() -> None:
    add()
    for statement in (
        "update routing_rules set unit_id = unit_id",
        "update routing_rules set made_at = made_at",
        "delete from routing_rules",
    ):
        with pytest.raises(ProgrammingError), acting(PATRICIA) as (session, _me):
            session.execute(text(statement))


def test_every_change_is_on_record(superuser: Engine) -> None:
    first = add()
    second = change(first, unit=STROKE)
    end(second)
    third = restore(second)
    with superuser.connect() as connection:
        rows = connection.execute(
            text("select action, details, roles from audit_log where action like 'routing%' order by id")
        ).all()
    assert [(action, details) for action, details, _roles in rows] == [
        ("routing.add", {"rule": first}),
        ("routing.change", {"rule": second, "instead_of": first}),
        ("routing.end", {"rule": second}),
        ("routing.restore", {"rule": third, "as_was": second}),
    ]
    assert {tuple(roles) for _action, _details, roles in rows} == {("handler", "safety")}


def test_the_counter_has_no_business_with_rules() -> None:
    with pytest.raises(ProgrammingError), db.unit_of_work(db.COUNTER) as session:
        session.execute(text("select * from routing_rules"))
