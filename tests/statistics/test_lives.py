"""The figures of whole lives, drawn at random, against an independent reckoning."""

from collections import Counter
from datetime import UTC, date, datetime, time

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import db
from backend.deviations import clocks
from backend.statistics import queries
from backend.statistics.queries import Held, Question
from tests.people import BERIT, MATS, acting
from tests.statistics.lives import CUT_OFFS, HOME, SETS, WARD, insert, with_an_external_party
from tests.statistics.reckoning import (
    COUNTED,
    EXTERNAL,
    SWEDEN,
    Case,
    Units,
    charge,
    directory,
    happened,
    held,
    last_day,
    reckon,
)

DAYS = ("with_us", "with_them", "back_with_us")
KINDS = (*DAYS, "sent_on_by_us", "sent_on_by_them")


def told(one: Held) -> dict[str, int]:
    return {kind: getattr(one, kind) for kind in KINDS}


def test_any_small_set_of_cases_is_counted_as_by_hand(blekinge: str, superuser: Engine) -> None:
    places = directory()
    places.branch[EXTERNAL], places.organisation[EXTERNAL] = "EXTERNAL-B", "EXTERNAL-O"
    places.name["EXTERNAL-O"] = "Annat sjukhus"
    branch_of = places.branch
    asked_for: list[Units] = [None, None, set(WARD), {HOME[0]}, {"SE2120000829-V010"}]
    with superuser.begin() as connection:
        with_an_external_party(connection)
        county_id = connection.scalar(text("select id from counties"))
        unit_ids = dict(connection.execute(text("select hsa_id, id from units")).all())
    branches: dict[str, Identity] = {}
    for branch, email in (("SE2120000852-V000", MATS), ("SE2321000081-B000", BERIT)):
        with acting(email) as (_db, branches[branch]):
            pass
    seen: Counter[str] = Counter()

    @settings(max_examples=100, deadline=None, database=None)
    @given(SETS, CUT_OFFS, st.sampled_from(asked_for))
    def counted(cases: list[Case], cut_off: datetime, receivers: Units) -> None:
        question = Question(
            county_id or 0,
            date(2024, 2, 1),
            date(2024, 2, 1),
            cut_off.astimezone(UTC),
            receiver=None if receivers is None else tuple(unit_ids[unit] for unit in receivers),
        )
        with superuser.connect() as connection:
            insert(connection, cases)
            with Session(connection, info={"scope": db.COUNTER}) as session:
                figures = queries.answer_figures(session, question)
                when = (question.first, question.last, question.as_of)
                lay = {
                    branch: queries.held(session, me, *when, queries.overview(session, me, *when).stayed)
                    for branch, me in branches.items()
                }
            connection.rollback()
        month = [case for case in cases if case.month == "2024-02"]
        for branch, (whole, by_party) in lay.items():
            by_hand = {name: n for name, n in held(month, cut_off, places, branch).items() if n.total()}
            assert {one.name: told(one) for one in by_party if any(told(one).values())} == {
                name: {kind: days[kind] for kind in KINDS} for name, days in by_hand.items()
            }
            assert {kind: getattr(whole, kind) for kind in DAYS} == {
                kind: sum(days[kind] for days in by_hand.values()) for kind in DAYS
            }
            seen.update({kind: sum(days[kind] for days in by_hand.values()) for kind in KINDS})
        expected = reckon(month, cut_off, branch_of, receivers)
        assert figures.as_json() == expected
        n = figures.counts
        assert n.sent == (
            n.good_examples + n.external + n.withdrawn + n.disagreed + n.declined + n.ongoing + n.matured
        )
        seen.update({key: value for key, value in expected.items() if isinstance(value, int)})

    counted()
    # The sets were not so tame that they proved nothing.
    assert [kind for kind in (*COUNTED, *KINDS) if seen[kind] < 5] == []


def test_the_figures_charge_what_the_clocks_say_that_each_party_held() -> None:
    places = directory()
    branch_of = {**places.branch, EXTERNAL: "EXTERNAL-B"}
    travelled = [0]

    @settings(max_examples=200, deadline=None, database=None)
    @given(SETS, CUT_OFFS)
    def agreed(cases: list[Case], cut_off: datetime) -> None:
        for case in [case for case in cases if case.sent_at <= cut_off]:
            route = [leg for leg in case.route if leg.sent_at <= cut_off]
            until = datetime.combine(last_day(case, cut_off), time(12), SWEDEN)
            ended = [leg.ended_at if happened(leg.ended_at, cut_off) else None for leg in route]
            by_clock = clocks.held([(leg.sent_at, end) for leg, end in zip(route, ended, strict=True)], until)
            days = Counter({branch_of[case.sender]: by_clock.sender})
            for leg, n in zip(route, by_clock.legs, strict=True):
                days[branch_of[leg.unit]] += n
            assert +days == +charge(case, cut_off, branch_of, None), case
            travelled[0] += len(route) > 1

    agreed()
    assert travelled[0] > 50
