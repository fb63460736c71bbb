"""Leaving those who handle a case in peace for a while. It is still raised to others when its day has passed."""

from datetime import timedelta

from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.core import clock
from backend.core.errors import ConflictError, Fault, InvalidError
from backend.core.text import gettext as _
from backend.deviations import rules
from backend.deviations.actions.moving import lock, owe_chase, refuse_resting
from backend.deviations.actions.team import own_party, own_side, record
from backend.deviations.forms import QuietForm
from backend.deviations.models import Deviation, Side, State
from backend.deviations.queries import told

LONGEST = timedelta(days=60)


def quiet(db: Session, me: Identity, deviation: Deviation, form: QuietForm) -> Side:
    """Stop the reminders to those who handle the case on one's own side, until a working day at most 60 days ahead or
    until further notice. The reason is for the own team. What is raised to managers and safety still is.

    Raises ForbiddenError, ConflictError for a case that waits for nobody, and InvalidError for a day that is none.
    """
    own_party(me, deviation, Permission.RECEIVE)
    lock(db, deviation)
    refuse_resting(deviation)
    if State(deviation.state) not in rules.WAITS_FOR:
        raise ConflictError(_("Ärendet är avslutat, så ingen blir påmind om det. Inget har ändrats."))
    if form.until is not None:
        today = clock.today()
        if not today < form.until <= today + LONGEST:
            raise InvalidError(Fault("until", _("Välj en dag inom de närmaste 60 dagarna.")))
        if not told.county_calendar(deviation).is_working_day(form.until):
            raise InvalidError(Fault("until", _("Den dagen är ingen arbetsdag. Välj en annan.")))
    side = own_side(db, me, deviation)
    side.quiet_at, side.quiet_until = clock.now(), form.until
    side.quiet_reason, side.quiet_by_id = form.reason, me.person_id
    db.flush()
    if form.until is not None:
        # The day they want to hear of it again may come before the next look that was planned.
        owe_chase(db, deviation, form.until)
    record(db, me, deviation, "quiet", until=form.until.isoformat() if form.until else "")
    return side


def unquiet(db: Session, me: Identity, deviation: Deviation) -> Side:
    """Be reminded again, from the next step on. For anybody who could have asked for quiet; twice is once."""
    own_party(me, deviation, Permission.RECEIVE)
    side = own_side(db, me, deviation)
    side.quiet_at = side.quiet_until = side.quiet_reason = side.quiet_by_id = None
    db.flush()
    record(db, me, deviation, "unquiet")
    return side
