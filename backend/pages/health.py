"""Whether cases reach their receivers, for the organisation itself: the worst first, each with what mends it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity, Permission, Role
from backend.accounts import queries as accounts
from backend.accounts.identity import Me
from backend.audit import queries as audit
from backend.core import clock, text
from backend.core.db import Db
from backend.core.errors import ForbiddenError
from backend.core.text import gettext as _
from backend.core.web import render, url
from backend.deviations import queries as deviations
from backend.directory import health, rules
from backend.directory import queries as directory
from backend.directory.health import Finding, Kind, Reach, Receiver
from backend.directory.models import Branch

router = APIRouter()

# The word on a unit's card, by the worst that is wrong with it, and how it is drawn.
TAGS: dict[Kind, tuple[Callable[[], str], str]] = {
    "no_receiver": (lambda: _("Ingen tar emot"), "late"),
    "unreachable": (lambda: _("Nås inte"), "late"),
    "unanswered": (lambda: _("Svarar inte"), "late"),
    "silent": (lambda: _("Ingen loggar in"), "waiting"),
    "bounces": (lambda: _("Mejl kommer tillbaka"), "waiting"),
    "no_substitute": (lambda: _("Ingen ersättare"), "waiting"),
    "unconfirmed": (lambda: _("Adress att bekräfta"), "info"),
}


@dataclass(frozen=True)
class Way:
    """What mends it: words for the link, and where it leads."""

    text: str
    href: str


@router.get("/directory/health", name="directory.health")
def show(request: Request, db: Db, me: Me) -> Response:
    """The administrator sees no case, and so nothing that is counted from cases: that is for safety and managers."""
    if not rules.may_watch(me):
        raise ForbiddenError(_("Det här följs av administratören, cheferna och MAS, MAR eller SAS."))
    units = _known(db, me)
    now = clock.now()
    found = [(one, health.findings(one, now)) for one in units]
    wanting = sorted((pair for pair in found if pair[1]), key=lambda pair: health.weight(pair[1]))
    organisation_id = _organisation(db, me)
    administers = me.place == "organisation"
    administrators = [] if administers else directory.administrators_of(db, organisation_id)
    cards = [_card(me, one, findings, administrators) for one, findings in wanting]
    heads = directory.escalation_list(db, organisation_id)
    return render(
        request,
        "directory/health.html",
        nobody=[card for card in cards if card["alone"]],
        wanting=[card for card in cards if not card["alone"]],
        sound=[_line(one, counts=not administers) for one, findings in found if not findings],
        lead=_lead(len(wanting), len(found)),
        counts=not administers,
        administers=administers,
        no_heads=(administers or me.everywhere(Permission.MANAGE))
        and all(contact.ended for contact in heads),
        administrators=administrators,
    )


def wanting(db: Session, me: Identity) -> int:
    """How many of the units that this person watches need something."""
    now = clock.now()
    return sum(bool(health.findings(one, now)) for one in _known(db, me))


def _organisation(db: Session, me: Identity) -> int:
    return me.place_id if me.place == "organisation" else db.get_one(Branch, me.branches[0]).organisation_id


def _known(db: Session, me: Identity) -> list[Reach]:
    """All that may be known of the units: as many queries for one as for fifty."""
    units = directory.reached(db, rules.watched_by(me))
    people = {person.id for one in units for person in one.receivers}
    logins = accounts.last_log_ins(db, people)
    opened: Mapping[int, datetime] = audit.last_opened(db, me.branches, people) if me.branches else {}
    streaks = deviations.unanswered_streaks(db, me, [one.unit_id for one in units]) if me.branches else {}
    return [
        replace(
            one,
            last_login=_latest(logins, one),
            last_opened=_latest(opened, one),
            streak=streaks.get(one.unit_id, 0),
        )
        for one in units
    ]


def _latest(known: Mapping[int, datetime], one: Reach) -> datetime | None:
    return max((known[person.id] for person in one.receivers if person.id in known), default=None)


def _lead(wanting: int, units: int) -> str:
    if not units:
        return _("Det finns inga enheter att följa här.")
    if not wanting:
        return _("Allt är som det ska.")
    return _("{n} av {m} enheter behöver något. Det värsta står först.").format(
        n=text.number(wanting), m=text.number(units)
    )


def _card(me: Identity, one: Reach, found: list[Finding], administrators: list[str]) -> dict[str, Any]:
    word, kind = TAGS[found[0].kind]
    return {
        "id": f"unit-{one.hsa_id.lower()}",
        "unit": one.unit,
        "branch": one.branch,
        "intake": one.intake,
        # Nothing more to say than that nobody receives: those are gathered, since they may be many.
        "alone": [finding.kind for finding in found] == ["no_receiver"],
        "tag": word(),
        "tag_kind": kind,
        "findings": [
            {"sentence": _sentence(one, finding), "way": _way(me, one, finding, administrators)}
            for finding in found
        ],
        "receives": _receives(one),
        "known": _facts(one, counts=me.place != "organisation"),
    }


def _line(one: Reach, *, counts: bool) -> list[str]:
    seen = [_day(one.last_login)]
    return [one.unit, _receives(one), *seen, *([_day(one.last_opened)] if counts else [])]


def _day(at: datetime | None) -> str:
    return text.short_date(clock.local(at).date()) if at else "–"


def _who(people: tuple[Receiver, ...]) -> str:
    return text.join([person.email for person in people])


def _receives(one: Reach) -> str:
    if not one.receivers:
        return _("Ingen")
    names = text.join([f"{person.title} ({person.email})" for person in one.receivers])
    return _("{names}, på {unit}").format(names=names, unit=one.at) if one.at else names


def _facts(one: Reach, *, counts: bool) -> str:
    if not one.receivers:
        return ""
    known = [
        _("Senast inloggad {day}.").format(day=_day(one.last_login))
        if one.last_login
        else _("Har inte loggat in än.")
    ]
    if counts:
        known.append(
            _("Öppnade senast ett ärende {day}.").format(day=_day(one.last_opened))
            if one.last_opened
            else _("Har inte öppnat något ärende än.")
        )
    return " ".join(known)


def _sentence(one: Reach, finding: Finding) -> str:
    """What is wrong, as one would say it to a colleague."""
    who = _who(finding.people)
    runs = [person.bounces for person in finding.people if person.bounces]
    latest = _day(max(run.latest for run in runs)) if runs else ""
    sentences: dict[Kind, str] = {
        "no_receiver": _("Ingen har i uppdrag att ta emot, varken här eller på en enhet ovanför."),
        "unreachable": _("Mejlen till {who} kommer tillbaka, senast {day}.").format(who=who, day=latest),
        "unanswered": _("Svarsfristen har gått ut utan svar för {n} i rad, de senaste som kom.").format(
            n=text.count(one.streak, _("ärende"), _("ärenden"))
        ),
        "silent": _("Ingen som tar emot har loggat in på två månader.")
        if one.last_login
        else _("Ingen som tar emot har loggat in än."),
        "bounces": _("{n} till {who} har kommit tillbaka, senast {day}.").format(
            n=text.count(sum(run.count for run in runs), _("mejl"), _("mejl")).capitalize(),
            who=who,
            day=latest,
        ),
        "no_substitute": _("Bara en person tar emot, och ingen är utsedd att ersätta."),
        "unconfirmed": _("Att mejl till {who} kommer fram är inte bekräftat på ett år.").format(who=who),
    }
    return sentences[finding.kind]


def _way(me: Identity, one: Reach, finding: Finding, administrators: list[str]) -> Way | None:
    """The page that mends it; where that is another's to mend, a mail to them."""
    first = finding.people[0] if finding.people else None
    if first and finding.kind in ("unconfirmed", "silent"):
        if finding.kind == "unconfirmed" and first.id == me.person_id:
            return Way(_("Bekräfta din adress"), url("directory.confirm_address"))
        return Way(_("Skriv till dem"), _mail_to([person.email for person in finding.people]))
    if me.place == "organisation":
        return _administrators_way(one, finding, first)
    if finding.kind == "unanswered":
        query = {"direction": "in", "unit": one.hsa_id, "late": "true"}
        return Way(_("Visa ärendena"), url("deviations.list", query))
    if finding.kind == "no_substitute":
        return Way(_("Utse ersättare"), url("settings") + "#substitutes")
    return Way(_("Be administratören"), _mail_to(administrators)) if administrators else None


def _administrators_way(one: Reach, finding: Finding, first: Receiver | None) -> Way | None:
    if first is None:
        preset = {"place": f"unit:{one.hsa_id}", "role": Role.HANDLER}
        return Way(_("Lägg till någon"), url("directory.new_person", preset))
    if finding.kind == "no_substitute":
        return Way(_("Utse ersättare"), url("directory.person", person_id=first.id) + "#substitutes")
    return Way(_("Rätta adressen"), url("directory.person", person_id=first.id) + "#account")


def _mail_to(addresses: list[str]) -> str:
    return "mailto:" + ",".join(quote(address, safe="@") for address in addresses)
