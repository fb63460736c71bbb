"""Intervals and medians against published values."""

from fractions import Fraction
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.statistics.rates import Median, Rate, median_answer_time, median_of_counts, survival, wilson

# Freireich et al., Blood 21 (1963) 699: weeks in remission, 21 patients a group; False = still in remission.
SIX_MP = [
    *((weeks, True) for weeks in (6, 6, 6, 7, 10, 13, 16, 22, 23)),
    *((weeks, False) for weeks in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)),
]
PLACEBO = [(w, True) for w in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]


@pytest.mark.parametrize(
    ("successes", "n", "interval"),
    [
        # Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3.
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
        (29, 29, (0.8830, 1.0)),
        # One municipality's year: 45 sent, 17 answered.
        (17, 45, (0.2511, 0.5237)),
    ],
)
def test_the_interval_is_the_published_one(successes: int, n: int, interval: tuple[float, float]) -> None:
    low, high = wilson(successes, n)
    assert (round(low, 4), round(high, 4)) == interval


def test_z_is_a_quantile_and_not_a_level() -> None:
    # Taking the level 0.95 or 0.05 for z would make the interval of 60 of 100 far too narrow.
    low, high = wilson(60, 100)
    assert (round(low, 4), round(high, 4)) == (0.5020, 0.6906)
    low, high = wilson(60, 100, z=2.5758293035489004)
    assert (round(low, 4), round(high, 4)) == (0.4714, 0.7161)


def test_of_nothing_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("part", "whole"), [(3, 2), (-1, 2), (0, -1)])
def test_what_is_no_proportion_is_refused(part: int, whole: int) -> None:
    with pytest.raises(ValueError, match="not a proportion"):
        wilson(part, whole)
    with pytest.raises(ValueError, match="not a proportion"):
        Rate(part, whole)


@given(whole=st.integers(1, 100_000), data=st.data())
def test_the_interval_holds_the_share_and_mirrors(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    low, high = wilson(part, whole)
    assert 0 <= low <= part / whole <= high <= 1
    assert wilson(whole - part, whole) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_a_rate_is_shown_from_ten_cases() -> None:
    assert (Rate(22, 31).value, Rate(0, 0).value) == (22 / 31, None)
    assert Rate(22, 31).interval == wilson(22, 31)
    assert (Rate(9, 9).publishable, Rate(9, 10).publishable) == (False, True)


@pytest.mark.parametrize(
    ("rate", "sentence"),
    [
        (
            Rate(22, 31),
            "22 av 31 ärenden med utgången svarsfrist är besvarade (71~%, osäkerhet 53–84~%).",
        ),
        (
            Rate(3, 5),
            "3 av 5 ärenden med utgången svarsfrist är besvarade (för få för en andel, osäkerhet 23–88~%).",
        ),
        (Rate(0, 0), "Inga ärenden med utgången svarsfrist ännu."),
    ],
)
def test_a_rate_is_told_in_one_sentence(rate: Rate, sentence: str) -> None:
    assert rate.sentence().replace("\u00a0", "~") == sentence


def test_the_sentence_takes_the_words_of_what_is_counted() -> None:
    assert Rate(11, 12).sentence("ärenden", "kvitterade").replace("\u00a0", "~") == (
        "11 av 12 ärenden är kvitterade (92~%, osäkerhet 65–99~%)."
    )


def test_the_published_medians_are_found_with_their_intervals() -> None:
    assert median_answer_time(SIX_MP) == Median(23, 13, None)
    assert median_answer_time(PLACEBO) == Median(8, 4, 11)


def test_the_published_curve_and_its_band_are_found() -> None:
    steps = survival(
        {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1},
        dict.fromkeys([6, 9, 10, 11, 17, 19, 20, 25], 1) | {32: 2, 34: 1, 35: 1},
    )
    assert [(step.day, step.at_risk, step.answered, round(float(step.waiting), 4)) for step in steps] == [
        (6, 21, 3, 0.8571),
        (7, 17, 1, 0.8067),
        (10, 15, 1, 0.7529),
        (13, 12, 1, 0.6902),
        (16, 11, 1, 0.6275),
        (22, 7, 1, 0.5378),
        (23, 6, 1, 0.4482),
    ]
    band = [(round(step.low or 0, 4), round(step.high or 0, 4)) for step in steps]
    assert (band[0], band[-1]) == ((0.6197, 0.9516), (0.1881, 0.6801))


def test_exactly_half_is_reached() -> None:
    # In floats 23/24 · 22/23 · … · 12/13 is a hair above one half, and the median would be a day late.
    assert prod((24 - day) / (25 - day) for day in range(1, 13)) > 0.5
    assert survival(dict.fromkeys(range(1, 25), 1), {})[11].waiting == Fraction(1, 2)
    assert median_answer_time([(day, True) for day in range(1, 25)]).value == 12


def test_open_cases_count_and_a_median_not_reached_is_unknown() -> None:
    assert median_answer_time([(2, True), (60, False), (60, False)]) == Median(None, 2, None)
    assert median_answer_time([(10, False)]) == median_answer_time([]) == Median(None, None, None)
    assert median_answer_time([(0, True)]) == Median(0, None, None)


def test_a_case_open_on_the_day_of_an_answer_was_still_at_risk() -> None:
    assert [step.at_risk for step in survival({5: 1, 9: 1}, {5: 1})] == [3, 1]


def test_days_before_the_start_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        median_answer_time([(-1, True)])
    with pytest.raises(ValueError, match="negative"):
        median_of_counts({1: -1}, {})


@given(st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=60))
def test_the_median_lies_in_its_interval_and_waiting_longer_never_shortens_it(
    durations: list[tuple[int, bool]],
) -> None:
    median = median_answer_time(durations)
    if median.value is not None and median.low is not None:
        assert median.low <= median.value
    if median.high is not None:
        assert median.value is not None
        assert median.value <= median.high
    longer = median_answer_time([(days + 1, answered) for days, answered in durations])
    assert longer.value == (None if median.value is None else median.value + 1)


@given(st.lists(st.integers(0, 120), min_size=1, max_size=60))
def test_without_open_cases_it_is_the_ordinary_median(days: list[int]) -> None:
    assert median_answer_time([(day, True) for day in days]).value == sorted(days)[(len(days) - 1) // 2]
