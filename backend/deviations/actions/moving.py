"""The one writer of a case's state, and of its log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import date, datetime, time, timedelta

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.audit import actions as audit
from backend.core import clock, jobs, text
from backend.core.calendar import at_hour, end_of_day
from backend.core.db import COUNTER, Scope, reaching, unit_of_work
from backend.core.errors import ConflictError, ForbiddenError, NotFoundError
from backend.core.text import gettext as _
from backend.deviations import deadlines, queries, rules
from backend.deviations.models import Deviation, Event, EventActor, Handover, Side, State
from backend.directory import queries as directory

# Before anybody's hour for the day's letter: what the morning finds stands in it.
CHASED_AT = time(6)
HOME = "deviations.go_home"

HAPPENED: dict[str, Callable[[], str]] = {
    "sent": lambda: _("Ärendet skickades"),
    "acknowledge": lambda: _("Ärendet kvitterades"),
    "review": lambda: _("Utredningen påbörjades"),
    "unacknowledge": lambda: _("Kvittensen togs tillbaka"),
    "answer": lambda: _("Ärendet besvarades"),
    "question": lambda: _("En fråga ställdes"),
    "reply": lambda: _("Frågan besvarades"),
    "redirect": lambda: _("Ärendet skickades vidare inom verksamheten"),
    "propose_redirect": lambda: _("Annan mottagare föreslogs"),
    "confirm_redirect": lambda: _("Avsändaren skickade ärendet vidare"),
    "refuse_redirect": lambda: _("Avsändaren sade nej till annan mottagare"),
    "decline": lambda: _("Ärendet avböjdes"),
    "dispute": lambda: _("Ärendet avböjdes en andra gång"),
    "resend": lambda: _("Ärendet skickades till ny mottagare"),
    "settle_proposed": lambda: _("En lösning föreslogs"),
    "settle": lambda: _("Parterna enades"),
    "disagree": lambda: _("Parterna enades om att de är oeniga"),
    "accept": lambda: _("Svaret godtogs och ärendet avslutades"),
    "return": lambda: _("Svaret skickades tillbaka"),
    "withdraw": lambda: _("Ärendet återtogs"),
    "reopen": lambda: _("Ärendet öppnades igen"),
    "resume": lambda: _("Det importerade ärendet togs upp"),
    "delay_notice": lambda: _("Besked om försening"),
    "patient_identified": lambda: _("Patienten identifierad mellan parterna"),
    "mask": lambda: _("En uppgift maskerades"),
    "follow": lambda: _("Enheten har upphört, och ärendet följde med till den som tog över"),
    "late": lambda: _("Svarstiden gick ut"),
    "exhausted": lambda: _("Alla påminnelser är gjorda, och ärendet är inte besvarat"),
    "expire_question": lambda: _("Frågan fick inget svar i tid, ärendet gick tillbaka till mottagaren"),
    "expire_redirect": lambda: _("Förslaget om ny mottagare fick inget svar i tid"),
    "accept_silently": lambda: _("Svaret godtogs genom tystnad och ärendet avslutades"),
    "withdraw_silently": lambda: _("Ärendet låg kvar avböjt och återtogs genom tystnad"),
    "disagree_silently": lambda: _("Parterna enades inte i tid, ärendet avslutades som oenighet"),
}


def lock(db: Session, deviation: Deviation) -> None:
    """Take the case for the rest of the transaction and read it anew: of two who act at once, one waits here.

    NotFoundError where it left this party's sight while we waited; ForbiddenError for a branch that only follows it.
    """
    case_id = deviation.id
    try:
        # A key that is shared may be looked at meanwhile: else whoever opens the case, and notes that, and whoever acts
        # on it could each hold what the other waits for.
        db.refresh(deviation, with_for_update={"of": Deviation, "key_share": True})
    except InvalidRequestError:
        # What the walls let a party change, it may lock; whoever only follows a case sees it without.
        if queries.for_job(db, case_id) is not None:
            raise forbidden() from None
        raise NotFoundError from None


def as_both(deviation_id: int, do: Callable[[Session, Deviation], str]) -> str:
    """Do something to a case as a job: in a unit of work of both its parties, with the case locked. Gives what `do` says
    became of it.
    """
    with unit_of_work(COUNTER) as db:
        branches = queries.parties(db, deviation_id)
    if branches is None:
        return "not there"
    with unit_of_work(Scope(branches=branches)) as db:
        deviation = queries.for_job(db, deviation_id)
        if deviation is None:
            return "not there"
        lock(db, deviation)
        return do(db, deviation)


def check(db: Session, me: Identity, deviation: Deviation, verb: str) -> rules.Move:
    """The move, if this person may make it now. ForbiddenError where the role does not reach, ConflictError where
    the case has moved on.
    """
    step = rules.MOVES[verb]
    if not rules.may_move(me, deviation, step):
        raise forbidden()
    refuse_resting(deviation)
    if not rules.is_open(deviation, step, clock.now()):
        raise ConflictError(what_happened(db, deviation))
    return step


def forbidden() -> ForbiddenError:
    return ForbiddenError(_("Ditt uppdrag räcker inte till det här. Be en kollega som handlägger ärendet."))


def refuse_resting(deviation: Deviation) -> None:
    if deviation.resting:
        raise ConflictError(
            _("Ärendet är importerat ur ett äldre system och ligger still. Inget har ändrats.")
        )


def move(
    db: Session,
    me: Identity,
    deviation: Deviation,
    verb: str,
    *,
    next_due_on: date | None,
    comment: str | None = None,
    leg: int | None = None,
    to_unit: int | None = None,
) -> None:
    """Make an allowed move: state, revision, log, access log. The case must be locked. Raises as `check` does.

    `leg` is the handover it belongs to, unless that is the one the case is on.
    """
    step = check(db, me, deviation, verb)
    before = deviation.state
    on_leg = leg or queries.handover(db, deviation).position
    side = rules.party_of(me.branches, deviation) or "sender"
    unit = deviation.receiver_unit_id if side == "receiver" else deviation.sender_unit_id
    touch(db, me, deviation)
    with _leaving(db, deviation, step, side):
        _stand(db, deviation, step.target, clock.now(), next_due_on)
        log(db, me, deviation, verb, before, unit, comment, leg=on_leg, to_unit=to_unit)
        audit.record(db, me, f"deviations.{verb}", cases=[deviation.case_number])


@contextmanager
def _leaving(db: Session, deviation: Deviation, step: rules.Move, side: rules.Party) -> Iterator[None]:
    """A receiver's move may take the case out of its own sight, which the walls let nobody do alone."""
    leaves = side == "receiver" and step.target in rules.LEFT_RECEIVER
    with reaching(db, deviation.sender_branch_id) if leaves else nullcontext():
        yield


def move_by_itself(db: Session, deviation: Deviation, *, next_due_on: date | None) -> str:
    """Take a case home that nobody has moved in time. In a scope of both parties; the case must be locked.

    Gives the verb.
    """
    before = State(deviation.state)
    home = rules.HOMES[before]
    leg = queries.handover(db, deviation).position
    _stand(db, deviation, home.target, clock.now(), next_due_on)
    db.execute(
        insert(Event).values(
            deviation_id=deviation.id,
            verb=home.verb,
            from_state=before,
            to_state=deviation.state,
            at=deviation.updated_at,
            recorded_at=deviation.updated_at,
            branch_id=deviation.sender_branch_id,
            unit_id=deviation.sender_unit_id,
            leg=leg,
            automatic=True,
        )
    )
    audit.record_system(
        db, f"deviations.{home.verb}", branch_id=deviation.sender_branch_id, case=deviation.case_number
    )
    return home.verb


def _stand(db: Session, deviation: Deviation, state: State, now: datetime, next_due_on: date | None) -> None:
    deviation.state = state
    deviation.revision += 1
    deviation.updated_at = now
    deviation.next_due_on = next_due_on
    _owe_home(db, deviation)
    owe_chase(db, deviation)


def owe_chase(db: Session, deviation: Deviation, on: date | None = None) -> None:
    """Look at the case on that morning, the next one if no day is said: who is to be reminded is decided then, from
    how it then stands. The look itself owes the one after it, so a case is never out of sight while it waits.
    """
    if deviation.next_due_on is None or deviation.resting:
        return
    if on is None:
        today = clock.today()
        on = today if clock.now() < at_hour(today, CHASED_AT) else today + timedelta(days=1)
    jobs.owe(
        db,
        "deviations.chase",
        subject_id=deviation.id,
        branch_id=deviation.receiver_branch_id,
        due_at=at_hour(on, CHASED_AT),
        key=f"chase:{deviation.id}:{deviation.revision}:{on}",
    )


def _owe_home(db: Session, deviation: Deviation) -> None:
    if State(deviation.state) in rules.HOMES and deviation.next_due_on is not None:
        jobs.owe(
            db,
            HOME,
            subject_id=deviation.id,
            # Whoever administers the holder sees it if it should stick; the job acts as both parties.
            branch_id=deviation.receiver_branch_id,
            due_at=end_of_day(deviation.next_due_on),
            key=f"home:{deviation.id}:{deviation.revision}",
        )


def take_up(db: Session, me: Identity, deviation: Deviation, next_due_on: date | None) -> None:
    """Let resting history wait for somebody again, from where it stands. The case must be locked."""
    deviation.resting = False
    deviation.next_due_on = next_due_on
    note_change(db, me, deviation, "resume")
    _owe_home(db, deviation)
    owe_chase(db, deviation)


def note_change(
    db: Session, me: Identity, deviation: Deviation, verb: str, *, comment: str | None = None
) -> None:
    """Write down, for both sides, something that leaves the state as it is."""
    deviation.revision += 1
    deviation.updated_at = clock.now()
    side = rules.party_of(me.branches, deviation) or "sender"
    unit = deviation.receiver_unit_id if side == "receiver" else deviation.sender_unit_id
    leg = queries.handover(db, deviation).position
    log(db, me, deviation, verb, deviation.state, unit, comment, leg=leg)
    audit.record(db, me, f"deviations.{verb}", cases=[deviation.case_number])


def log(
    db: Session,
    me: Identity,
    deviation: Deviation,
    verb: str,
    before: str | None,
    unit_id: int,
    comment: str | None = None,
    *,
    leg: int = 1,
    to_unit: int | None = None,
) -> None:
    """Add to the case's log. Who it was goes in a row that only their own branch can read."""
    branch_id = me.branches[0]
    event_id = db.scalar(
        insert(Event)
        .values(
            deviation_id=deviation.id,
            verb=verb,
            from_state=before,
            to_state=deviation.state,
            at=deviation.updated_at,
            recorded_at=deviation.updated_at,
            branch_id=branch_id,
            unit_id=unit_id,
            leg=leg,
            to_unit_id=to_unit,
            profession=me.profession,
            comment=comment,
        )
        .returning(Event.id)
    )
    db.execute(insert(EventActor).values(event_id=event_id, branch_id=branch_id, person_id=me.person_id))


def what_happened(db: Session, deviation: Deviation) -> str:
    """For the one who came second: what the other did, when, and from where."""
    last = queries.happenings(db, deviation)[-1]
    if last.automatic:
        return _("{what} {when}. Läs vad som har hänt innan du går vidare.").format(
            what=HAPPENED[last.verb](), when=text.moment(last.at)
        )
    return _("{what} {when} av {who}, {unit}. Läs vad som har hänt innan du går vidare.").format(
        what=HAPPENED[last.verb](),
        when=text.moment(last.at),
        who=(last.who or "").partition(",")[0],
        unit=last.unit,
    )


def touch(db: Session, me: Identity, deviation: Deviation) -> None:
    """Note that somebody who handles cases has opened it or acted: they are the one to be reminded from now on.

    A manager or safety who looks in does not take that from the one of the unit who has it in hand.
    """
    party = rules.reaches(me, deviation, Permission.RECEIVE)
    if party is None or deviation.next_due_on is None:
        return
    receiving = party == "receiver"
    branch_id = deviation.receiver_branch_id if receiving else deviation.sender_branch_id
    own = next((side for side in deviation.sides if side.branch_id == branch_id), None)
    if own is not None and own.opened_at is not None:
        leg = queries.handover(db, deviation)
        # Opened before it came, on an earlier leg of its route, it has not been opened.
        if not receiving or own.opened_at >= deadlines.held_since(deviation, leg):
            unit_id = deviation.receiver_unit_id if receiving else deviation.sender_unit_id
            handling = {one.person_id for one in directory.recipients(db, unit_id)}
            if own.opened_by_id == me.person_id or (
                own.opened_by_id in handling and me.person_id not in handling
            ):
                return
    now = clock.now()
    db.execute(
        upsert(Side)
        .values(deviation_id=deviation.id, branch_id=branch_id, opened_at=now, opened_by_id=me.person_id)
        .on_conflict_do_update(
            index_elements=["deviation_id", "branch_id"],
            set_={"opened_at": now, "opened_by_id": me.person_id},
        )
    )


def note_acknowledged(db: Session, deviation: Deviation) -> None:
    """The first time counts, for the case and for the leg it is on."""
    leg: Handover = queries.handover(db, deviation)
    deviation.acknowledged_at = deviation.acknowledged_at or deviation.updated_at
    leg.acknowledged_at = leg.acknowledged_at or deviation.updated_at


def forget_promise(deviation: Deviation) -> None:
    """A delay was promised for one answer by one holder. What was said stays in the log."""
    deviation.delay_reason = deviation.delay_promised_on = None


def set_answer_due(db: Session, deviation: Deviation, as_of: datetime) -> date | None:
    """When the answer is due, pauses counted up to `as_of`. The figures keep the day of the first clock: once answered,
    returned or reopened it is fixed, and history keeps its own. Nor does a day that is over move, as by a question
    asked too late: what has matured stays so. None for a good example, which needs no answer.
    """
    if not rules.needs_answer(deviation.event_kind):
        return None
    due_on = deadlines.answer_due(deviation, queries.pauses(db, deviation), as_of=as_of).due_on
    begun = deviation.answered_at is None and deviation.reopened_at is None and not deviation.imported
    if begun and (deviation.due_on is None or deviation.due_on >= clock.today()):
        deviation.due_on = due_on
    return due_on


def tell(
    db: Session,
    deviation: Deviation,
    kind: str,
    branch_id: int,
    person_id: int | None = None,
    *,
    again: int | None = None,
) -> None:
    """Owe a mail about what just happened: to the branch's people at the case, or to one person. `again` tells apart
    what may happen several times without moving the case.
    """
    turn = f"{deviation.revision}" if again is None else f"{deviation.revision}.{again}"
    jobs.owe(
        db,
        f"notifications.{kind}",
        subject_id=deviation.id,
        branch_id=branch_id,
        person_id=person_id,
        # To one person each is news: a colleague may be mentioned twice in what is otherwise one and the same state.
        key=None if person_id else f"{kind}:{deviation.id}:{turn}:{branch_id}",
    )
