"""Which rule says where a case should go: a table of examples, and what must hold whatever the rules are."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.agreements.routing import Case, Rule, When, speaks_of, suggest

MEDICATION, LIST, SUPPLY, SIP = 1, 2, 3, 4
LIST_PATH, SUPPLY_PATH, SIP_PATH = (MEDICATION, LIST), (MEDICATION, SUPPLY), (SIP,)
WARD, CENTRE, YOUTH = 10, 20, 30


def rule(id_: int, unit_id: int, *, position: int = 1, **when: object) -> Rule:
    return Rule(id_, When(**when), unit_id, position)  # type: ignore[arg-type]


ABOUT_MEDICATION = rule(1, WARD, category_id=MEDICATION)
ABOUT_LISTS = rule(2, CENTRE, category_id=LIST)
ABOUT_YOUTH = rule(3, YOUTH, target_group="children_youth")
FROM_HOME_NURSING = rule(4, CENTRE, care_level="home_nursing")
MEDICATION_OF_YOUTH = rule(5, YOUTH, category_id=MEDICATION, target_group="children_youth")
ALL_THREE = rule(6, WARD, category_id=MEDICATION, target_group="older", care_level="home_nursing")
RULES = [ABOUT_MEDICATION, ABOUT_LISTS, ABOUT_YOUTH, FROM_HOME_NURSING, MEDICATION_OF_YOUTH, ALL_THREE]


@pytest.mark.parametrize(
    ("rules", "case", "expected"),
    [
        ([], Case(LIST_PATH, "older", "home_nursing"), None),
        ([ABOUT_MEDICATION], Case(SIP_PATH, "older", "home_nursing"), None),
        ([ABOUT_MEDICATION], Case((MEDICATION,), "older", "home_care"), 1),
        ([ABOUT_MEDICATION], Case(LIST_PATH, "older", "home_care"), 1),
        # What is not known of a case matches nothing that is named.
        ([ABOUT_MEDICATION, ABOUT_YOUTH, FROM_HOME_NURSING], Case(), None),
        ([ABOUT_LISTS], Case((MEDICATION,), "older", "home_care"), None),
        # The nearer category, whatever the order of the branch.
        ([ABOUT_MEDICATION, ABOUT_LISTS], Case(LIST_PATH, "older", None), 2),
        ([ABOUT_MEDICATION, rule(9, CENTRE, position=99, category_id=LIST)], Case(LIST_PATH, "older", None), 9),
        ([ABOUT_MEDICATION, ABOUT_LISTS], Case(SUPPLY_PATH, "older", None), 1),
        # More named goes before a nearer category.
        ([ABOUT_LISTS, MEDICATION_OF_YOUTH], Case(LIST_PATH, "children_youth", None), 5),
        (RULES, Case(LIST_PATH, "older", "home_nursing"), 6),
        (RULES, Case(LIST_PATH, "older", "home_care"), 2),
        (RULES, Case(SIP_PATH, "children_youth", "home_care"), 3),
        (RULES, Case(SIP_PATH, "older", "home_nursing"), 4),
        # A category goes before something else that is named alone: it has a depth.
        (RULES, Case(LIST_PATH, "adults", "home_nursing"), 2),
        # Equally much: the branch's order, then the older rule.
        ([rule(7, WARD, position=2, target_group="older"), rule(8, CENTRE, position=1, care_level="other")],
         Case((), "older", "other"), 8),
        ([rule(7, WARD, target_group="older"), rule(8, CENTRE, care_level="other")], Case((), "older", "other"), 7),
    ],
)  # fmt: skip
def test_the_rule_that_says_most_decides(rules: list[Rule], case: Case, expected: int | None) -> None:
    found = suggest(rules, case)
    assert (found.rule.id if found else None) == expected
    assert (found.unit_id if found else None) == next((r.unit_id for r in rules if r.id == expected), None)


GROUPS, LEVELS = ("children_youth", "adults", "older"), ("home_nursing", "inpatient", "other")
WHENS = st.builds(
    When,
    category_id=st.none() | st.sampled_from([MEDICATION, LIST, SUPPLY, SIP]),
    target_group=st.none() | st.sampled_from(GROUPS),
    care_level=st.none() | st.sampled_from(LEVELS),
).filter(lambda when: when.named > 0)
CASES = st.builds(
    Case,
    category_path=st.sampled_from([(), (MEDICATION,), LIST_PATH, SUPPLY_PATH, SIP_PATH]),
    target_group=st.none() | st.sampled_from(GROUPS),
    care_level=st.none() | st.sampled_from(LEVELS),
)
SETS = st.lists(st.tuples(WHENS, st.integers(1, 5), st.integers(-3, 3)), max_size=12).map(
    lambda drawn: [Rule(i, when, unit, position) for i, (when, unit, position) in enumerate(drawn)]
)


@given(rules=SETS, case=CASES, seed=st.integers(0, 1000))
def test_whatever_the_rules_the_answer_speaks_of_the_case_and_none_says_more(
    rules: list[Rule], case: Case, seed: int
) -> None:
    found = suggest(rules, case)
    speaking = [one for one in rules if speaks_of(one.when, case)]
    assert (found is None) == (not speaking)
    if found is None:
        return
    assert found.rule in speaking
    assert found.unit_id == found.rule.unit_id
    assert max(one.when.named for one in speaking) == found.rule.when.named
    # The order in which they are read decides nothing, nor do rules that do not speak of the case.
    shuffled = random.Random(seed).sample(speaking, len(speaking))
    assert suggest(shuffled, case) == found
    # Without it, another decides or none: it is no longer the same rule.
    rest = suggest([one for one in rules if one is not found.rule], case)
    assert rest is None or rest.rule is not found.rule
