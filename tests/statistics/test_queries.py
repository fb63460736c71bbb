"""The figures against an independent reckoning: the history of Blekinge, and small random sets of cases."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.core import clock, db
from backend.core.errors import InvalidError
from backend.statistics import months, queries
from backend.statistics.definitions import Counts
from tests.people import MATS, acting
from tests.statistics.lives import HOME, WARD, insert
from tests.statistics.reckoning import (
    SWEDEN,
    Case,
    Directory,
    directory,
    end_of,
    reckon,
)
from tests.statistics.reckoning import history as history_of

SOLVESBORG, REGION, HOSPITAL = "SE2120000852-K", "SE2321000081-R", "SE2321000081-S000"
CARE_OF_SOLVESBORG = "SE2120000852-V000"


def asked(**of: Any) -> dict[str, Any]:
    with db.unit_of_work(db.COUNTER) as session:
        return queries.answer_rate(session, **{"county": "BLE", **of})


def test_45_were_sent_and_17_answered(history: str) -> None:
    figures = asked(
        first=date(2023, 1, 1),
        last=date(2023, 12, 1),
        sender=SOLVESBORG,
        receiver=HOSPITAL,
        as_of=date(2024, 12, 31),
    )
    low, high = figures.pop("interval")
    assert (round(low, 3), round(high, 3)) == (0.251, 0.524)
    assert figures == {
        "from": "2023-01",
        "to": "2023-12",
        "as_of": "2024-12-31",
        "sender": SOLVESBORG,
        "receiver": HOSPITAL,
        "category": None,
        "matured": 45,
        "answered": 17,
        "on_time": 15,
        "acknowledged": 22,
        "accepted": 15,
        "accepted_by_silence": 0,
        "ongoing": 0,
        "redirected": 0,
        "declined": 0,
        "withdrawn": 0,
        "disagreed": 0,
        "good_examples": 0,
        "external": 0,
        "answer_rate": 17 / 45,
        "median_days": None,
        "median_interval": [70, None],
        "charged_days": {"SE2321000081-B000": 16775},
    }


@pytest.mark.parametrize(
    ("first", "last", "as_of"),
    [
        (date(2023, 1, 1), date(2024, 12, 1), date(2025, 12, 31)),
        # In the middle of things: most of it still goes on, and some of it is not sent yet.
        (date(2023, 1, 1), date(2023, 12, 1), date(2023, 6, 12)),
        (date(2024, 10, 1), date(2024, 11, 1), date(2024, 12, 31)),
        (date(2024, 3, 1), date(2024, 3, 1), date(2024, 5, 31)),
    ],
)
def test_every_figure_equals_the_independent_reckoning(
    history: str, first: date, last: date, as_of: date
) -> None:
    places = directory()
    for sender, receiver, category in (
        (None, None, None),
        (SOLVESBORG, REGION, None),
        (REGION, SOLVESBORG, None),
        (None, HOSPITAL, "information_transfer"),
        (SOLVESBORG, None, "medication.list"),
    ):
        of = {"sender": sender, "receiver": receiver, "category": category}
        figures = asked(first=first, last=last, as_of=as_of, **of)
        cases = [
            case
            for case in _history()
            if f"{first:%Y-%m}" <= case.month <= f"{last:%Y-%m}"
            and (sender is None or case.sender in places.below(sender))
            and (receiver is None or case.receiver in places.below(receiver))
            and (category is None or f"{case.category}.".startswith(f"{category}."))
        ]
        assert figures == {
            "from": f"{first:%Y-%m}",
            "to": f"{last:%Y-%m}",
            "as_of": as_of.isoformat(),
            **of,
            **reckon(cases, end_of(as_of), places.branch),
        }


def _history() -> list[Case]:
    return history_of(2023, 2024)


def test_without_a_day_the_cut_off_is_now(history: str) -> None:
    now = datetime(2024, 2, 1, 7, 30, 15, 999, tzinfo=UTC)
    with clock.at(now):
        figures = asked(first=date(2023, 12, 1), last=date(2024, 2, 1))
    assert figures.pop("as_of") == "2024-02-01T08:30:15+01:00"
    cases = [case for case in _history() if "2023-12" <= case.month <= "2024-02"]
    rest = {
        key: figures[key] for key in figures if key not in ("from", "to", "sender", "receiver", "category")
    }
    assert rest == reckon(cases, now, directory().branch)


@pytest.mark.parametrize(
    ("of", "field"),
    [
        ({"county": "XXX"}, "county"),
        ({"sender": "SE2120000852-X"}, "sender"),
        ({"receiver": "nonsense"}, "receiver"),
        ({"category": "nonsense"}, "category"),
        ({"last": date(2022, 12, 1)}, "to"),
    ],
)
def test_what_does_not_exist_is_named(blekinge: str, of: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidError) as error:
        asked(**{"first": date(2023, 1, 1), "last": date(2023, 12, 1), **of})
    assert [fault.field for fault in error.value.faults] == [field]


def test_the_only_county_need_not_be_named(blekinge: str, superuser: Engine) -> None:
    of = {"first": date(2023, 1, 1), "last": date(2023, 1, 1), "county": None}
    assert asked(**of)["matured"] == 0
    with superuser.begin() as connection:
        connection.execute(text("insert into counties (code, name) values ('SKA', 'Skåne')"))
    with pytest.raises(InvalidError):
        asked(**of)


@pytest.fixture
def places() -> Directory:
    return directory()


def test_the_overview_equals_the_reckoning_in_every_cut(history: str, places: Directory) -> None:
    first, last, as_of = date(2023, 7, 1), date(2024, 6, 1), datetime(2024, 7, 15, 12, tzinfo=UTC)
    with acting(MATS) as (session, me):
        found = queries.overview(session, me, first, last, as_of)
    cases = [case for case in _history() if "2023-07" <= case.month <= "2024-06"]
    incoming = [case for case in cases if places.branch[case.receiver] == CARE_OF_SOLVESBORG]
    outgoing = [case for case in cases if places.branch[case.sender] == CARE_OF_SOLVESBORG]

    def agrees(n: Counts, of: list[Case]) -> None:
        expected = reckon(of, as_of, places.branch)
        assert {
            name: getattr(n, name) for name in expected if hasattr(n, name) and name != "answer_rate"
        } == {name: value for name, value in expected.items() if hasattr(n, name) and name != "answer_rate"}
        assert (n.sent, n.imported) == (len(of), len(of))

    agrees(found.whole.incoming, incoming)
    agrees(found.whole.outgoing, outgoing)
    for median, of in ((found.incoming_median, incoming), (found.outgoing_median, outgoing)):
        expected = reckon(of, as_of, places.branch)
        assert [median.value, [median.low, median.high]] == [
            expected["median_days"],
            expected["median_interval"],
        ]
    assert [line.name for line in found.by_month][::11] == ["juli 2023", "juni 2024"]
    for month, line in zip(months.between(first, last), found.by_month, strict=True):
        code = f"{month:%Y-%m}"
        agrees(line.incoming, [case for case in incoming if case.month == code])
        agrees(line.outgoing, [case for case in outgoing if case.month == code])
    for line in found.by_unit:
        agrees(line.incoming, [case for case in incoming if places.name[case.receiver] == line.name])
        agrees(line.outgoing, [case for case in outgoing if places.name[case.sender] == line.name])
    for line in found.by_counterpart:
        there = {unit for unit in places.organisation if places.name[places.organisation[unit]] == line.name}
        agrees(line.incoming, [case for case in incoming if case.sender in there])
        agrees(line.outgoing, [case for case in outgoing if case.receiver in there])
    for lines in (found.by_unit, found.by_counterpart, found.by_category):
        assert sum((line.incoming for line in lines), Counts()) == found.whole.incoming
        assert sum((line.outgoing for line in lines), Counts()) == found.whole.outgoing
    assert [line.name for line in found.by_category][:2] == [
        "Informationsöverföring",
        "Inskrivningsmeddelande",
    ]
    agrees(
        found.by_category[0].outgoing,
        [case for case in outgoing if case.category.partition(".")[0] == "information_transfer"],
    )


def test_a_case_belongs_to_the_month_that_it_was_sent_in_sweden(blekinge: str, superuser: Engine) -> None:
    sent = [datetime(2024, 1, 31, 22, 59, 59, tzinfo=UTC), datetime(2024, 1, 31, 23, tzinfo=UTC)]
    with superuser.begin() as connection:
        insert(connection, [Case(HOME[0], WARD[0], "transport", at, date(2024, 2, 9)) for at in sent])
    with acting(MATS) as (session, me):
        found = queries.overview(session, me, date(2024, 1, 1), date(2024, 2, 1), clock.now())
        assert (
            queries.overview(session, me, date(2024, 2, 1), date(2024, 2, 1), clock.now()).whole.outgoing.sent
            == 1
        )
    assert [line.outgoing.sent for line in found.by_month] == [1, 1]


def test_another_county_is_not_counted(history: str, superuser: Engine) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text(
                "with c as (insert into counties (code, name) values ('SKA', 'Skåne') returning id)"
                " update deviations set county_id = c.id from c where sent_at < '2023-07-01'"
            )
        )
    of = {"first": date(2023, 1, 1), "last": date(2023, 12, 1), "as_of": date(2025, 1, 1)}
    cases = [case for case in history_of(2023) if case.month >= "2023-07"]
    assert asked(**of)["matured"] == reckon(cases, end_of(date(2025, 1, 1)), directory().branch)["matured"]


def test_units_stand_in_alphabetical_order_and_not_by_result(history: str) -> None:
    with acting("chef.medicin@region.example") as (session, me):
        found = queries.overview(session, me, date(2023, 1, 1), date(2023, 12, 1), clock.now())
    names = [line.name for line in found.by_unit]
    assert names == sorted(names, key=lambda name: name.replace("ö", "~").casefold())
    assert len(names) == 14


def test_the_last_month_with_cases_is_found(history: str) -> None:
    with acting(MATS) as (session, me):
        assert queries.last_month(session, me) == date(2024, 12, 1)


def test_a_branch_without_cases_has_empty_months_and_nothing_else(blekinge: str) -> None:
    with acting(MATS) as (session, me):
        found = queries.overview(session, me, date(2023, 1, 1), date(2023, 3, 1), clock.now())
        assert queries.last_month(session, me) is None
    assert found.whole.incoming == found.whole.outgoing == Counts()
    assert [line.incoming.sent for line in found.by_month] == [0, 0, 0]
    assert (found.by_unit, found.by_category, found.by_counterpart) == ([], [], [])


def test_as_of_a_day_is_the_end_of_it_in_sweden() -> None:
    assert queries.cut_off(date(2024, 3, 31)) == datetime.combine(date(2024, 4, 1), time(), SWEDEN)
