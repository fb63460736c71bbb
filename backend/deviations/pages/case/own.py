"""What one's own side keeps to itself about a case. The other side is never shown any of it."""

from typing import Any

from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.core import clock, text
from backend.core.text import gettext as _
from backend.deviations import queries, rules, sentences, words
from backend.deviations.models import Deviation, RiskFlag, Side, State
from backend.deviations.queries import told


def side_of(me: Identity, deviation: Deviation) -> Side | None:
    return next((side for side in deviation.sides if side.branch_id in me.branches), None)


def rights(me: Identity, deviation: Deviation) -> dict[str, bool]:
    """What this person may do for their own side, whatever state the case is in."""
    handles = rules.reaches(me, deviation, Permission.RECEIVE) is not None
    return {
        "work": rules.may_work_on(me, deviation),
        "handle": handles,
        "give": rules.reaches(me, deviation, Permission.MANAGE) is not None,
        "flag": rules.reaches(me, deviation, Permission.FLAG) is not None,
        "register": me.everywhere(Permission.REGISTER),
        "mask": rules.may_mask(me, deviation),
        "open_masked": me.everywhere(Permission.MASK),
        "quiet": handles and not deviation.resting and State(deviation.state) in rules.WAITS_FOR,
        "resume": handles and deviation.resting and State(deviation.state) in rules.WAITS_FOR,
        "identify": handles or rules.reported_by(me, deviation),
    }


def flag_shown(flag: RiskFlag) -> dict[str, Any]:
    return {
        "law": flag.law,
        "name": words.LAWS[flag.law](),
        "at": text.moment(flag.raised_at),
        "comment": flag.comment,
        "by": flag.taken_over_by,
        "taken_at": text.moment(flag.taken_over_at) if flag.taken_over_at else None,
    }


def shown(db: Session, me: Identity, deviation: Deviation) -> dict[str, Any]:
    side, may = side_of(me, deviation), rights(me, deviation)
    flags = queries.risk_flags(db, me, deviation)
    notes = queries.notes(db, me, deviation)
    handler = queries.handler(db, me, deviation)
    asked = told.quiet_of(db, deviation, side.branch_id) if side else None
    quiet = told.is_quiet(asked, clock.today()) and State(deviation.state) in rules.WAITS_FOR
    risk = sentences.risk_words(deviation, side)
    rows = [
        (_("Handläggare"), handler.title if handler else (_("Ingen än") if may["handle"] else None)),
        (_("Egen referens"), side.reference if side else None),
        (_("Diarienummer"), side.registry_number if side else None),
        (_("Riskpoäng"), risk),
    ]
    return {
        "rows": [row for row in rows if row[1]],
        "reference": (side.reference if side else None) or "",
        "registry_number": (side.registry_number if side else None) or "",
        "severity": str((side.severity if side else None) or deviation.severity or ""),
        "probability": str((side.probability if side else None) or ""),
        "quiet": {
            "until": side.quiet_until,
            "since": side.quiet_at,
            "reason": side.quiet_reason,
            "by": queries.title_of(db, side.quiet_by_id) if side.quiet_by_id else None,
        }
        if quiet and side
        else None,
        "mine": handler is not None and handler.id == me.person_id,
        "handlers": [(str(one.id), one.title) for one in queries.handlers(db, me, deviation)]
        if may["give"]
        else [],
        "colleagues": [(str(one.id), one.title) for one in queries.colleagues(db, me, deviation)]
        if may["work"]
        else [],
        "notes": [
            {
                "what": note.who.partition(",")[0],
                "when": text.moment(note.at),
                "iso": note.at.isoformat(),
                "who": _("till {names}").format(names=text.join(note.mentioned)) if note.mentioned else "",
                "text": note.text,
                "internal": True,
            }
            for note in notes
        ],
        "invited": [
            (str(person.id), person.title, text.short_date(since.date()))
            for person, since in queries.invited(db, me, deviation)
        ],
        "flags": [flag_shown(flag) for flag in flags],
        "unflagged": [
            (law, word()) for law, word in words.LAWS.items() if law not in {flag.law for flag in flags}
        ],
    }
