"""Swedish as people write it. A non-breaking space is written ~ here, to be seen."""

import unicodedata
from datetime import UTC, date, datetime

import pytest

from backend.core import text

TUESDAY = date(2026, 5, 19)


def test_dates_are_written_with_and_without_weekday_and_year() -> None:
    assert text.long_date(TUESDAY) == "tisdag 19 maj 2026"
    assert text.short_date(TUESDAY) == "19 maj 2026"
    assert text.day_and_month(TUESDAY) == "19 maj"


def test_a_moment_is_told_in_swedish_time() -> None:
    assert text.moment(datetime(2026, 5, 19, 12, 5, tzinfo=UTC)) == "19 maj 2026 kl. 14.05"
    assert text.moment(datetime(2026, 12, 31, 23, 5, tzinfo=UTC)) == "1 januari 2027 kl. 00.05"
    with pytest.raises(ValueError, match="time zone"):
        text.moment(datetime(2026, 5, 19, 12, 5))  # noqa: DTZ001


def test_several_days_name_each_month_once() -> None:
    days = [date(2027, 1, 1), date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 31)]
    assert text.days_of_months(days) == "24, 25 och 31 december och 1 januari"
    assert text.days_of_months([date(2026, 5, 1), date(2026, 5, 14)]) == "1 och 14 maj"
    assert text.days_of_months([date(2026, 5, 1)]) == "1 maj"


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 5, 19), "i dag"),
        (date(2026, 5, 20), "i morgon"),
        (date(2026, 5, 22), "om 3 dagar"),
        (date(2026, 5, 18), "i går"),
        (date(2026, 5, 17), "i söndags"),
        (date(2026, 5, 13), "i onsdags"),
        (date(2026, 5, 12), "för 7 dagar sedan"),
        (date(2026, 5, 7), "för 12 dagar sedan"),
    ],
)
def test_a_day_is_told_as_seen_from_today(day: date, words: str) -> None:
    assert text.relative_day(day, TUESDAY) == words


def test_small_numbers_are_words_and_large_ones_figures() -> None:
    assert [text.count(n, "ärende", "ärenden") for n in (0, 1, 2, 3, 12, 13)] == [
        *("inga ärenden", "ett ärende", "två ärenden", "tre ärenden", "tolv ärenden", "13 ärenden")
    ]
    assert text.count(1, "åtgärd", "åtgärder", one="en") == "en åtgärd"
    assert text.count(12500, "ärende", "ärenden").replace("\u00a0", "~") == "12~500 ärenden"


@pytest.mark.parametrize(
    ("share", "decimals", "words"),
    [
        (17 / 45, 0, "38~%"),
        (17 / 45, 1, "37,8~%"),
        (0.0, 0, "0~%"),
        (1.0, 1, "100,0~%"),
        (0.125, 0, "13~%"),
        (0.285, 0, "29~%"),
        (0.0045, 1, "0,5~%"),
    ],
)
def test_a_share_is_per_cent_with_comma_and_halves_up(share: float, decimals: int, words: str) -> None:
    assert text.percent(share, decimals).replace("\u00a0", "~") == words


def test_a_list_ends_with_och() -> None:
    assert [text.join(list("abc"[:n])) for n in range(4)] == ["", "a", "a och b", "a, b och c"]


def test_names_stand_in_swedish_order() -> None:
    names = ["Östra", "Ärla", "Åby", "Zon", "öland", "Edit", "Édith", "Edla", "Müller", "Myra", "Vi", "Wi"]
    in_order = ["Edit", "Édith", "Edla", "Müller", "Myra", "Vi", "Wi", "Zon", "Åby", "Ärla", "öland", "Östra"]
    assert sorted(names, key=text.sort_key) == in_order


def test_the_order_does_not_depend_on_how_a_letter_is_composed() -> None:
    for name in ("Ångström", "Édith", "ÄLV", "Øre"):
        assert text.sort_key(unicodedata.normalize("NFD", name)) == text.sort_key(name)
    assert text.sort_key("Åäö").encode() == b"{|}"


def test_a_text_without_translation_is_itself() -> None:
    assert text.gettext("Allt är omhändertaget.") == "Allt är omhändertaget."
