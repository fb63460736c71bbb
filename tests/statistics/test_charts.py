"""The picture holds what was counted, and nothing that a strict page refuses."""

import re
from xml.etree import ElementTree

from backend.statistics.charts import Month, Run, rates_by_month
from backend.statistics.rates import Rate

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*rates: Rate, label: str = "jan") -> ElementTree.Element:
    months = tuple(Month(f"2023-{n:02}", (label,), rate) for n, rate in enumerate(rates, 1))
    return ElementTree.fromstring(rates_by_month((Run("Till oss", months),)))


def shapes(svg: ElementTree.Element, fill_or_stroke: str, colour: str) -> int:
    return sum(one.get(fill_or_stroke) == colour for one in svg.iter())


def texts(svg: ElementTree.Element) -> list[str]:
    return ["".join(one.itertext()) for one in svg.iter(f"{SVG}text")]


def test_a_month_has_its_interval_and_from_ten_cases_its_rate() -> None:
    svg = drawn(Rate(4, 9), Rate(4, 10), Rate(30, 31))
    assert (shapes(svg, "stroke", "#7aa5a6"), shapes(svg, "fill", "#0b5557")) == (3, 2)


def test_a_month_without_cases_keeps_its_place_and_says_0() -> None:
    svg = drawn(Rate(4, 10), Rate(0, 0), Rate(5, 12))
    assert (shapes(svg, "stroke", "#7aa5a6"), shapes(svg, "fill", "#0b5557")) == (2, 2)
    assert texts(svg) == ["jan10", "jan0", "jan12", "0\u00a0%", "50\u00a0%", "100\u00a0%", "Till oss"]


def test_nothing_in_it_needs_a_style_a_script_or_another_host() -> None:
    svg = drawn(Rate(4, 10))
    source = rates_by_month((Run("Till oss", (Month("2023-01", ("jan",), Rate(4, 10)),)),))
    assert {one.tag.removeprefix(SVG) for one in svg.iter()} == {
        "svg",
        "rect",
        "g",
        "path",
        "line",
        "text",
        "tspan",
    }
    attributes = {name for one in svg.iter() for name in one.attrib}
    assert attributes & {"style", "class", "role", "href", "id", "onload"} == set()
    assert [name for name in attributes if name.startswith("aria")] == []
    assert set(re.findall(r"https?://[^\"]+", source)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_words_are_never_mark_up() -> None:
    assert texts(drawn(Rate(4, 10), label='<b onclick="x">&'))[0] == '<b onclick="x">&10'


def test_the_same_numbers_are_drawn_once() -> None:
    runs = (Run("Från oss", (Month("2024-01", ("jan",), Rate(1, 2)),)),)
    before = rates_by_month.cache_info().misses
    assert rates_by_month(runs) is rates_by_month(
        (Run("Från oss", (Month("2024-01", ("jan",), Rate(1, 2)),)),)
    )
    assert rates_by_month.cache_info().misses == before + 1
