"""Figures in Swedish: short enough for a cell, true enough for a meeting."""

from datetime import date

from babel.dates import format_date

from backend.core.text import gettext as _
from backend.core.text import number, percent
from backend.statistics import months
from backend.statistics.charts import Month, Run
from backend.statistics.definitions import Counts
from backend.statistics.queries import Held, Left, Line, Overview
from backend.statistics.rates import Median, Rate

_PER_CENT = "\u00a0%"


def span(rate: Rate) -> str:
    """The interval: "25–52 %"."""
    low, high = (percent(bound) for bound in rate.interval)
    return f"{low.removesuffix(_PER_CENT)}–{high}"


def of(rate: Rate) -> str:
    """ "17 av 45 (38 %, 25–52 %)"; below ten without the share: "3 av 5 (23–88 %)"."""
    if not rate.whole:
        return "–"
    share = f"{percent(rate.part / rate.whole)}, " if rate.publishable else ""
    return _("{part} av {whole} ({share}{span})").format(
        part=number(rate.part), whole=number(rate.whole), share=share, span=span(rate)
    )


def large(rate: Rate) -> str:
    """What stands in large type: the share, or below ten the interval alone."""
    if not rate.whole:
        return "–"
    return percent(rate.part / rate.whole) if rate.publishable else span(rate)


def detail(rate: Rate) -> str:
    """What stands below it."""
    if not rate.whole:
        return _("Inga ärenden med utgången svarsfrist än.")
    words = {"part": number(rate.part), "whole": number(rate.whole), "span": span(rate)}
    if rate.publishable:
        return _("{part} av {whole} med utgången svarsfrist, osäkerhet {span}.").format(**words)
    return _(
        "{part} av {whole} med utgången svarsfrist: för få för en andel, så det här är osäkerheten."
    ).format(**words)


def median(median: Median) -> tuple[str, str]:
    """In large type, and below it."""
    if median.value is None:
        return "–", _("Hälften är inte besvarade än, så tiden går inte att säga.")
    days = _("{n} dagar").format(n=number(median.value)) if median.value != 1 else _("1 dag")
    low = number(median.low) if median.low is not None else "0"
    if median.high is None:
        return days, _(
            "Så lång tid tog det tills hälften var besvarade; osäkerhet {low} dagar eller mer."
        ).format(low=low)
    return days, _("Så lång tid tog det tills hälften var besvarade; osäkerhet {low}–{high} dagar.").format(
        low=low, high=number(median.high)
    )


def finding(whole: Line) -> str:
    """Both directions in one sentence: what the chart shows, and what a screen reader hears."""
    ours, theirs = whole.incoming.answer_rate, whole.outgoing.answer_rate
    if not ours.whole and not theirs.whole:
        return _("Inget ärende har passerat sin svarsfrist än.")
    if not theirs.whole:
        return _("Av det som kom till oss har vi besvarat {ours} ärenden med utgången svarsfrist.").format(
            ours=of(ours)
        )
    if not ours.whole:
        return _("Av det vi skickade har {theirs} ärenden med utgången svarsfrist fått svar.").format(
            theirs=of(theirs)
        )
    return _(
        "Av ärendena med utgången svarsfrist har vi besvarat {ours} av dem som kom till oss, och fått svar på "
        "{theirs} av dem vi skickade."
    ).format(ours=of(ours), theirs=of(theirs))


def runs(overview: Overview, first: date, last: date) -> tuple[Run, ...]:
    """What the chart draws: both directions, month by month."""
    labels = [
        (months.code(month), _axis_label(month, year=month == first or month.month == 1))
        for month in months.between(first, last)
    ]
    both = [
        (_("Till oss: andel som vi har besvarat"), [line.incoming.answer_rate for line in overview.by_month]),
        (_("Från oss: andel som har fått svar"), [line.outgoing.answer_rate for line in overview.by_month]),
    ]
    return tuple(
        Run(title, tuple(Month(*label, rate) for label, rate in zip(labels, rates, strict=True)))
        for title, rates in both
    )


def _axis_label(month: date, *, year: bool) -> tuple[str, ...]:
    name = format_date(month, "MMM", locale="sv").removesuffix(".")
    return (f"{name} {month:%y}" if year else name,)


def imported(n: Counts) -> str:
    """How many of the cases come from an older system; that they were reported there may show in the figures."""
    return _("Varav {n} importerade.").format(n=number(n.imported)) if n.imported else ""


def rows(overview: Overview) -> dict[str, list[list[str]]]:
    """The rows of each table."""
    return {
        "month": [_row(line) for line in overview.by_month],
        "counterpart": [_row(line) for line in overview.by_counterpart],
        "unit": [_row(line) for line in overview.by_unit],
        "category": [_row(line) for line in overview.by_category],
    }


def _row(line: Line) -> list[str]:
    """The name, then both directions beside each other."""
    return [
        line.name,
        number(line.incoming.sent),
        of(line.incoming.answer_rate),
        number(line.outgoing.sent),
        of(line.outgoing.answer_rate),
    ]


def head(first: str) -> list[str]:
    return [first, _("Till oss"), _("Vi har besvarat"), _("Från oss"), _("Vi har fått svar på")]


def beside(whole: Line, left: Left) -> list[list[str]]:
    """What is not in the rates, and so stands beside them; and what became of the answers."""
    ours, theirs = whole.incoming, whole.outgoing
    rows = [
        (_("Pågår: svarsfristen har inte gått ut"), ours.ongoing, theirs.ongoing),
        (_("Goda exempel: kräver inget svar"), ours.good_examples, theirs.good_examples),
        (_("Med en part utan inloggning"), ours.external, theirs.external),
        (_("Återtagna av avsändaren"), left.taken_back_from_us, theirs.withdrawn),
        (_("Avböjda av mottagaren"), left.declined_by_us, theirs.declined),
        (_("Avslutade som oenighet"), ours.disagreed, theirs.disagreed),
        (_("Skickade vidare till en annan enhet"), left.sent_on_by_us, left.sent_on_by_them),
        (_("Svaret godtaget av avsändaren"), ours.accepted, theirs.accepted),
        (_("Svaret godtaget genom tystnad"), ours.accepted_by_silence, theirs.accepted_by_silence),
        (_("Varav importerade från ett äldre system"), ours.imported, theirs.imported),
    ]
    return [[label, number(into), number(out)] for label, into, out in rows]


def days(held: Held, name: str = "") -> list[str]:
    """How long the cases between us and one party lay with each, or those of all parties under a name of its own."""
    return [
        name or held.name,
        *(number(days) for days in (held.with_us, held.with_them, held.back_with_us)),
    ]


def days_head() -> list[str]:
    return [
        _("Part"),
        _("Till oss: dagar hos oss"),
        _("Från oss: dagar hos dem"),
        _("Från oss: dagar hos oss, avböjda"),
    ]


def definitions() -> list[tuple[str, str]]:
    """How it is counted, for whoever asks."""
    return [
        (
            _("Utgången svarsfrist"),
            _(
                "Sista svarsdagen är över. Bara de ärendena räknas i andelen; de andra pågår, även om de redan är besvarade. "
                "En fråga till avsändaren ger fler dagar om den ställs i tid, men inte när sista svarsdagen redan är över."
            ),
        ),
        (
            _("Besvarad"),
            _(
                "Ett första svar har kommit. Det ändras inte av att svaret skickas tillbaka eller att ärendet öppnas igen."
            ),
        ),
        (_("I tid"), _("Svaret kom senast den sista svarsdagen.")),
        (
            _("Osäkerhet"),
            _(
                "Wilsons 95-procentsintervall: med så få ärenden kan slumpen ensam flytta andelen så mycket. "
                "Under tio ärenden visas bara osäkerheten."
            ),
        ),
        (
            _("Svarstid"),
            _(
                "Antalet dagar tills hälften är besvarade, skattat med Kaplan–Meier så att även de som väntar "
                "räknas med. Ett medelvärde av de besvarade skulle se bättre ut än det är."
            ),
        ),
        (_("Månad"), _("Ärendet hör till månaden då det skickades, och till den som har det nu.")),
        (
            _("Återtaget"),
            _(
                "Avsändaren tog tillbaka ärendet senast den sista svarsdagen. Senare återtagna ligger kvar i andelen. "
                "Till oss visas alla som har återtagits från oss."
            ),
        ),
        (
            _("Avböjt"),
            _(
                "Mottagaren sade att ärendet inte var deras, och avsändaren har inte skickat det till någon annan. Det "
                "räknas inte i andelen, eftersom ingen har det. Till oss visas alla som vi har avböjt."
            ),
        ),
        (
            _("Oenighet"),
            _("Parterna kom inte överens och ärendet avslutades så. Det räknas inte i andelen."),
        ),
        (
            _("Skickat vidare"),
            _(
                "En mottagare skickade ärendet till en annan enhet. I andelen räknas det hos den som har det nu."
            ),
        ),
        (
            _("Dagar"),
            _(
                "Varje dag räknas hos den som hade ärendet när dagen började, fram till svaret eller till dess att ingen "
                "längre väntade på ett. Ett ärende som har lämnat er räknas för de dagar ni hade det. Medan ett avböjt "
                "ärende ligger hos avsändaren är dagarna avsändarens. Tiden då mottagaren väntar på svar på en fråga "
                "räknas hos mottagaren, men flyttar svarsfristen. Goda exempel, och ärenden med en part utan inloggning, "
                "räknas inte."
            ),
        ),
        (
            _("Godtaget genom tystnad"),
            _(
                "Avsändaren hörde inte av sig om svaret i tid, så ärendet avslutades. Räknas för sig, skilt från dem där "
                "avsändaren har godtagit svaret. Båda gäller ärenden med utgången svarsfrist."
            ),
        ),
    ]
