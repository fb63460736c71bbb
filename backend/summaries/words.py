"""The month in Swedish."""

from backend.core.text import count, moment, number, short_date
from backend.core.text import gettext as _
from backend.directory.models import County
from backend.statistics import months
from backend.statistics.words import of
from backend.summaries.models import Snapshot
from backend.summaries.queries import Pair, Told


def opening(county: County, snapshot: Snapshot, told: Told) -> str:
    """The month in one sentence."""
    month, n = months.name(snapshot.month), told.month
    if not told.pairs:
        return _("Under {month} skickades inga ärenden mellan parterna i {county}.").format(
            month=month, county=county.name
        )
    sent, answered = (
        count(n.sent, _("ärende"), _("ärenden")),
        count(n.answered, _("ärende"), _("ärenden")),
    )
    if not told.year.whole:
        return _(
            "Under {month} skickade parterna i {county} {sent} till varandra, och {answered} fick svar."
        ).format(month=month, county=county.name, sent=sent, answered=answered)
    return _(
        "Under {month} skickade parterna i {county} {sent} till varandra, och {answered} fick svar; av det senaste "
        "årets ärenden med utgången svarsfrist är {rate} besvarade."
    ).format(month=month, county=county.name, sent=sent, answered=answered, rate=of(told.year))


def short(told: Told) -> str:
    """For the list of months."""
    n = told.month
    return _("{sent} skickade, {answered} besvarade.").format(
        sent=number(n.sent), answered=number(n.answered)
    )


def issue(snapshot: Snapshot) -> str:
    """Which issue it is, when it was made, and up to when it counts."""
    return _("Räknat till och med {day}. Utgåva {issue}, gjord {made}.").format(
        day=last_day(snapshot), issue=snapshot.issue, made=moment(snapshot.made_at)
    )


def last_day(snapshot: Snapshot) -> str:
    return short_date(months.last_day(snapshot.month))


def pair_title(pair: Pair) -> str:
    return _("{one} och {other}").format(one=pair.names[0], other=pair.names[1])


def pair_head(pair: Pair) -> list[str]:
    return [_("Ärenden"), *(_("Från {sender}").format(sender=way.sender) for way in pair.ways)]


def pair_rows(pair: Pair) -> list[list[str]]:
    """Both directions beside each other."""
    here, there = (way.month for way in pair.ways)
    rows: list[tuple[str, int, int]] = [
        (_("Skickade"), here.sent, there.sent),
        (_("Kvitterade av mottagaren"), here.acknowledged, there.acknowledged),
        (_("Besvarade av mottagaren"), here.answered, there.answered),
        (_("varav i tid"), here.on_time, there.on_time),
        (_("Utan svar efter svarsfristen, vid månadens slut"), here.overdue, there.overdue),
    ]
    if here.exhausted or there.exhausted:
        rows.append((_("varav alla påminnelser är gjorda"), here.exhausted, there.exhausted))
    if here.imported or there.imported:
        rows.insert(1, (_("varav importerade från ett äldre system"), here.imported, there.imported))
    year = [
        _("Besvarade det senaste året, av dem med utgången svarsfrist"),
        *(of(way.year) for way in pair.ways),
    ]
    return [*([label, number(a), number(b)] for label, a, b in rows), year]


def definitions() -> list[tuple[str, str]]:
    """How it is counted, on the page itself."""
    return [
        (
            _("Skickade, kvitterade, besvarade"),
            _(
                "Det som hände under månaden, även om ärendet skickades tidigare. Besvarade är det första svaret."
            ),
        ),
        (_("I tid"), _("Månadens svar som kom senast den sista svarsdagen.")),
        (
            _("Utan svar efter svarsfristen"),
            _(
                "Ärenden som vid månadens slut inte var besvarade eller återtagna fast sista svarsdagen var över."
            ),
        ),
        (
            _("Alla påminnelser är gjorda"),
            _(
                "Ärenden utan svar där även den som organisationen har satt sist på sin lista har fått veta det."
            ),
        ),
        (
            _("Det senaste året"),
            _(
                "Ärenden som skickades under de tolv månader som slutar med den här och vars svarsfrist var ute vid "
                "månadens slut. Inom parentes står andelen och osäkerheten (95 %). Är ärendena färre än tio visas bara "
                "osäkerheten."
            ),
        ),
        (
            _("Räknas inte"),
            _("Goda exempel, som inte kräver något svar, och ärenden med en part utan inloggning."),
        ),
        (
            _("Fryst"),
            _(
                "Siffrorna räknas en gång och ändras inte. Kommer äldre ärenden in i efterhand görs en ny utgåva."
            ),
        ),
    ]
