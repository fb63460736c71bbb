"""Figures in words and in cells."""

import csv
import io

import pytest

from backend.statistics import sheets, words
from backend.statistics.definitions import Counts
from backend.statistics.queries import Held, Left, Line, Overview
from backend.statistics.rates import Median, Rate

OURS = Counts(
    sent=52,
    imported=50,
    good_examples=2,
    disagreed=2,
    ongoing=3,
    matured=45,
    acknowledged=22,
    answered=17,
    on_time=15,
    accepted_by_silence=4,
)
THEIRS = Counts(sent=9, withdrawn=1, declined=3, matured=5, acknowledged=4, answered=3, on_time=3, accepted=2)
WHOLE = Line("", OURS, THEIRS)
# A party whose cases have all left us: of them there are days, and nothing else.
HELD = Held("", with_us=7, with_them=5, back_with_us=3, sent_on_by_us=2, sent_on_by_them=1)
HELD_BY = Held("Ronneby kommun", with_us=4)


def plain(text: str) -> str:
    return text.replace("\u00a0", "~")


def test_a_cell_gives_the_share_from_ten_and_always_the_interval() -> None:
    assert plain(words.of(Rate(17, 45))) == "17 av 45 (38~%, 25–52~%)"
    assert plain(words.of(Rate(3, 5))) == "3 av 5 (23–88~%)"
    assert words.of(Rate(0, 0)) == "–"
    assert [plain(words.large(rate)) for rate in (Rate(17, 45), Rate(3, 5), Rate(0, 0))] == [
        "38~%",
        "23–88~%",
        "–",
    ]


def test_below_the_large_figure_stands_what_it_is_of() -> None:
    assert [plain(words.detail(rate)) for rate in (Rate(17, 45), Rate(3, 5), Rate(0, 0))] == [
        "17 av 45 med utgången svarsfrist, osäkerhet 25–52~%.",
        "3 av 5 med utgången svarsfrist: för få för en andel, så det här är osäkerheten.",
        "Inga ärenden med utgången svarsfrist än.",
    ]


@pytest.mark.parametrize(
    ("median", "said"),
    [
        (Median(49, 34, 93), ("49 dagar", "34–93 dagar.")),
        (Median(1, None, None), ("1 dag", "0 dagar eller mer.")),
        (Median(None, 70, None), ("–", "går inte att säga.")),
    ],
)
def test_an_answer_time_is_told_with_its_uncertainty_or_not_at_all(
    median: Median, said: tuple[str, str]
) -> None:
    large, detail = words.median(median)
    assert (large, detail.endswith(said[1])) == (said[0], True)


@pytest.mark.parametrize(
    ("incoming", "outgoing", "finding"),
    [
        (
            OURS,
            THEIRS,
            "Av ärendena med utgången svarsfrist har vi besvarat 17 av 45 (38~%, 25–52~%) av dem som kom till oss, "
            "och fått svar på 3 av 5 (23–88~%) av dem vi skickade.",
        ),
        (
            OURS,
            Counts(),
            "Av det som kom till oss har vi besvarat 17 av 45 (38~%, 25–52~%) ärenden med utgången svarsfrist.",
        ),
        (
            Counts(),
            THEIRS,
            "Av det vi skickade har 3 av 5 (23–88~%) ärenden med utgången svarsfrist fått svar.",
        ),
        (Counts(), Counts(sent=3, ongoing=3), "Inget ärende har passerat sin svarsfrist än."),
    ],
)
def test_the_finding_is_one_sentence_about_both_directions(
    incoming: Counts, outgoing: Counts, finding: str
) -> None:
    assert plain(words.finding(Line("", incoming, outgoing))) == finding


def test_what_is_not_in_the_rates_stands_beside_them() -> None:
    left = Left(sent_on_by_us=7, declined_by_us=8, taken_back_from_us=9, sent_on_by_them=10)
    assert words.beside(WHOLE, left) == [
        ["Pågår: svarsfristen har inte gått ut", "3", "0"],
        ["Goda exempel: kräver inget svar", "2", "0"],
        ["Med en part utan inloggning", "0", "0"],
        ["Återtagna av avsändaren", "9", "1"],
        ["Avböjda av mottagaren", "8", "3"],
        ["Avslutade som oenighet", "2", "0"],
        ["Skickade vidare till en annan enhet", "7", "10"],
        ["Svaret godtaget av avsändaren", "0", "2"],
        ["Svaret godtaget genom tystnad", "4", "0"],
        ["Varav importerade från ett äldre system", "50", "0"],
    ]


def read(overview: Overview, *by_party: Held) -> list[list[str]]:
    text = sheets.as_csv(overview, HELD, list(by_party))
    assert text[0] == "\ufeff"
    return list(csv.reader(io.StringIO(text[1:]), delimiter=";"))


def test_the_file_holds_every_number_in_both_directions() -> None:
    none = Median(None, None, None)
    rows = read(Overview(WHOLE, none, none, [], [], [], [], {}), HELD_BY)
    zeros, no_rate = ["0"] * 14, [""] * 3
    assert rows == [
        [
            *("indelning", "namn", "riktning", "skickade", "varav importerade", "goda exempel"),
            *("med part utan inloggning", "återtagna", "avslutade som oenighet", "avböjda", "pågår"),
            *("med utgången svarsfrist", "kvitterade", "besvarade", "i tid", "godtagna"),
            *("godtagna genom tystnad", "andel besvarade", "osäkerhet från", "osäkerhet till"),
            *("skickade vidare", "dagar hos oss", "dagar hos motparten"),
        ],
        # How long others had what came to us is not ours to know.
        [
            "motpart",
            "Ronneby kommun",
            "till oss",
            *zeros[:4],
            "",
            "0",
            "",
            *zeros[:7],
            *no_rate,
            "0",
            "4",
            "",
        ],
        ["motpart", "Ronneby kommun", "från oss", *zeros, *no_rate, "0", "0", "0"],
        [
            # What has left the branch's sight is no 0.
            *(
                "alla",
                "",
                "till oss",
                "52",
                "50",
                "2",
                "0",
                "",
                "2",
                "",
                "3",
                "45",
                "22",
                "17",
                "15",
                "0",
                "4",
            ),
            *("0,3778", "0,2511", "0,5237"),
            *("2", "7", ""),
        ],
        [
            *("alla", "", "från oss", "9", "0", "0", "0", "1", "0", "3", "0", "5", "4", "3", "3", "2", "0"),
            *("0,6000", "0,2307", "0,8824"),
            *("1", "3", "5"),
        ],
    ]


@pytest.mark.parametrize("name", ["=1+1", "+46 70", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_name_is_never_a_formula(name: str) -> None:
    none = Median(None, None, None)
    rows = read(Overview(WHOLE, none, none, [], [Line(name, OURS, THEIRS)], [], [], {}))
    assert rows[1][:2] == ["enhet", f"'{name}"]


def test_an_ordinary_name_is_left_alone() -> None:
    assert sheets.harmless("Hemtjänsten Ö-vik = bäst") == "Hemtjänsten Ö-vik = bäst"
