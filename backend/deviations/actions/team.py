"""Working together on one side of a case. Nothing of this is the other side's to see."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.audit import actions as audit
from backend.core import clock
from backend.core.errors import ConflictError, Fault, ForbiddenError, InvalidError, NotFoundError
from backend.core.text import gettext as _
from backend.deviations import queries, rules, searching
from backend.deviations.actions.drafts import refuse_personnummer
from backend.deviations.actions.moving import forbidden, lock, refuse_resting, tell
from backend.deviations.forms import (
    AnswerForm,
    AssignForm,
    CommentForm,
    FlagForm,
    InviteForm,
    NoteForm,
    ReferenceForm,
    RegistryForm,
    RiskForm,
    TakeOverForm,
)
from backend.deviations.models import (
    AnswerDraft,
    CoInvestigator,
    Deviation,
    Note,
    RiskFlag,
    SealedCopy,
    Side,
)
from backend.directory import actions as directory_actions
from backend.directory import queries as directory

KEPT = (
    *(name for name in AnswerForm.model_fields if name != "actions"),
    "actions",
    "actions_owner",
    "actions_due_on",
)
LONGEST = 5000
# A name that each opened page of the answer gives itself, kept with the draft to know it by.
WRITER = "writer"


def note(db: Session, me: Identity, deviation: Deviation, form: NoteForm) -> Note:
    """Write an internal note; colleagues who are mentioned get a mail. Only people of the branch can be mentioned."""
    if not rules.may_work_on(me, deviation):
        raise forbidden()
    colleagues = {person.id for person in queries.colleagues(db, me, deviation)}
    if not set(form.mention) <= colleagues:
        raise InvalidError(Fault("mention", _("Välj bland kollegorna i listan.")))
    written = _write(db, me, deviation, form.text, form.mention)
    record(db, me, deviation, "note")
    return written


def _write(db: Session, me: Identity, deviation: Deviation, text: str, mentioned: list[int]) -> Note:
    """A note of one's own side's; whom it mentions is owed a mail."""
    written = Note(
        deviation_id=deviation.id,
        branch_id=me.branches[0],
        person_id=me.person_id,
        text=text,
        mentioned=mentioned,
        written_at=clock.now(),
    )
    db.add(written)
    db.flush()
    for person_id in mentioned:
        tell(db, deviation, "mention", me.branches[0], person_id)
    return written


def assign(db: Session, me: Identity, deviation: Deviation, form: AssignForm) -> Side:
    """Say who handles the case on one's own side. A handler may take it; a manager may give it to any handler of the
    unit. The one who gets it from somebody else is told.
    """
    side = own_party(me, deviation, Permission.RECEIVE)
    if form.person != me.person_id and rules.reaches(me, deviation, Permission.MANAGE) is None:
        raise ForbiddenError(_("Du kan ta ärendet själv. Att ge det till någon annan gör er chef."))
    unit_id = deviation.receiver_unit_id if side == "receiver" else deviation.sender_unit_id
    if form.person not in {person.id for person in directory.handlers(db, unit_id)}:
        raise InvalidError(Fault("person", _("Välj någon som handlägger ärenden på enheten.")))
    own = own_side(db, me, deviation)
    own.handler_id = form.person
    db.flush()
    if form.person != me.person_id:
        tell(db, deviation, "assigned", me.branches[0], form.person)
    record(db, me, deviation, "assign", person=form.person)
    return own


def unassign(
    db: Session, me: Identity, deviation: Deviation, *, given: int | None, before: int | None
) -> Side:
    """Give the case back from the one it was given to, to whoever handled it before, or to nobody. For the one who may
    assign it. ConflictError where somebody else has got it since, or taken it: it is theirs.
    """
    own_party(me, deviation, Permission.RECEIVE)
    if given != me.person_id and rules.reaches(me, deviation, Permission.MANAGE) is None:
        raise ForbiddenError(_("Ärendet är tilldelat någon annan. Bara er chef kan ändra det."))
    own = own_side(db, me, deviation)
    # Asked and written in one: whoever takes it at this very moment keeps it.
    changed = db.execute(
        update(Side)
        .where(Side.deviation_id == deviation.id, Side.branch_id == own.branch_id, Side.handler_id == given)
        .values(handler_id=before)
        .returning(Side.handler_id)
    )
    if changed.one_or_none() is None:
        raise ConflictError(_("Någon annan har blivit handläggare sedan dess."))
    record(db, me, deviation, "unassign", person=before or 0)
    return own


def invite(db: Session, me: Identity, deviation: Deviation, form: InviteForm) -> CoInvestigator:
    """Let a colleague of any profession into this one case, on one's own side. They see it and write notes and the
    answer's draft; nothing else of the branch opens to them.
    """
    own_party(me, deviation, Permission.RECEIVE)
    person = directory.person_by_email(db, form.email)
    if person is None:
        raise InvalidError(
            Fault("email", _("Ingen med den adressen finns här. Be er administratör lägga till personen."))
        )
    if not directory.may_be_lent_a_place(db, person.id, me.branches[0]):
        # Another authority: to let them in would be to disclose the case.
        raise InvalidError(
            Fault("email", _("Personen arbetar inte i er organisation och kan inte bjudas in."))
        )
    row = {
        "deviation_id": deviation.id,
        "branch_id": me.branches[0],
        "person_id": person.id,
        "invited_by_id": me.person_id,
        "invited_at": clock.now(),
        "ended_at": None,
    }
    db.execute(
        insert(CoInvestigator)
        .values(row)
        .on_conflict_do_update(
            index_elements=["deviation_id", "branch_id", "person_id"],
            set_={name: row[name] for name in ("invited_by_id", "invited_at", "ended_at")},
        )
    )
    directory_actions.lend_place(db, person.id, me.branches[0])
    tell(db, deviation, "invited", me.branches[0], person.id)
    record(db, me, deviation, "invite", person=person.id)
    return db.get_one(CoInvestigator, (deviation.id, me.branches[0], person.id), populate_existing=True)


def end_invitation(db: Session, me: Identity, deviation: Deviation, person_id: int) -> None:
    """Let someone out of the case again; at once, whatever page they have open."""
    own_party(me, deviation, Permission.RECEIVE)
    found = db.get(CoInvestigator, (deviation.id, me.branches[0], person_id))
    if found is None or found.ended_at is not None:
        raise NotFoundError
    found.ended_at = clock.now()
    db.flush()
    others = db.scalar(
        select(CoInvestigator.person_id)
        .where(
            CoInvestigator.person_id == person_id,
            CoInvestigator.branch_id == me.branches[0],
            CoInvestigator.ended_at.is_(None),
        )
        .limit(1)
    )
    if others is None:
        directory_actions.take_back_place(db, person_id, me.branches[0])
    record(db, me, deviation, "end_invitation", person=person_id)


def save_answer_draft(
    db: Session, me: Identity, deviation: Deviation, typed: Mapping[str, Sequence[str]], revision: int
) -> AnswerDraft:
    """Keep the answer as it stands. `revision` is the draft one began from (0 for none): ConflictError where a
    colleague has saved since, so that nobody writes over what they have not read. InvalidError, and nothing kept, where
    a field holds a personnummer.
    """
    lock(db, deviation)
    check_writer(me, deviation)
    kept = {
        name: [value[:LONGEST].replace("\x00", "") for value in typed[name]]
        for name in (*KEPT, WRITER)
        if any(typed.get(name, ()))
    }
    refuse_personnummer({name: values for name, values in kept.items() if name != WRITER})
    found = queries.answer_draft(db, deviation)
    if found is None:
        found = AnswerDraft(
            deviation_id=deviation.id, branch_id=deviation.receiver_branch_id, revision=0, typed={}
        )
        db.add(found)
    elif is_news(found, typed, revision):
        raise ConflictError(_("En kollega har sparat utkastet efter att du öppnade det."))
    found.typed, found.person_id, found.saved_at = kept, me.person_id, clock.now()
    found.revision, found.for_approval_at = found.revision + 1, None
    db.flush()
    record(db, me, deviation, "answer_draft")
    return found


def is_news(draft: AnswerDraft, typed: Mapping[str, Sequence[str]], revision: int) -> bool:
    """Whether the draft holds what this page has not seen. What it has saved itself is none, even where it never got
    the answer: it was being left, or had more to save already.
    """
    own = any(typed.get(WRITER, ())) and list(typed[WRITER]) == draft.typed.get(WRITER)
    return draft.revision != revision and not own


def check_writer(me: Identity, deviation: Deviation) -> None:
    """Raises ForbiddenError unless the person writes on the receiver's side."""
    receiver = deviation.receiver_branch_id in me.branches
    if not receiver or not rules.may_work_on(me, deviation):
        raise ForbiddenError(_("Det är mottagaren som svarar."))
    refuse_resting(deviation)


def propose_answer(
    db: Session, me: Identity, deviation: Deviation, typed: Mapping[str, Sequence[str]], revision: int
) -> AnswerDraft:
    """Hand a finished answer to the manager, where the branch wants answers approved or the writer is a guest."""
    draft = save_answer_draft(db, me, deviation, typed, revision)
    check_open = rules.is_open(deviation, rules.MOVES["answer"], clock.now())
    if not check_open:
        raise ConflictError(_("Ärendet går inte att besvara som det nu står. Läs vad som har hänt."))
    draft.for_approval_at = clock.now()
    # The case has not moved since it was handed on before, but it is news again.
    tell(db, deviation, "for_approval", me.branches[0], again=draft.revision)
    record(db, me, deviation, "propose_answer")
    return draft


def give_back_answer(db: Session, me: Identity, deviation: Deviation, form: CommentForm) -> Note:
    """Give an answer that waits for a yes back to its writer, with what it needs as a note of one's own side's. The
    draft stays as it was written.

    Raises ForbiddenError for whoever may not send the answer, ConflictError where none waits.
    """
    lock(db, deviation)
    check_gives_back(me, deviation)
    draft = queries.answer_draft(db, deviation)
    if draft is None or draft.for_approval_at is None:
        raise ConflictError(_("Inget svar väntar på godkännande. Läs vad som har hänt."))
    draft.for_approval_at = None
    written = _write(db, me, deviation, form.comment, [draft.person_id])
    record(db, me, deviation, "give_back_answer", person=draft.person_id)
    return written


def check_gives_back(me: Identity, deviation: Deviation) -> None:
    """Raises ForbiddenError unless the person may send the answer, and so say that it is not ready."""
    check_writer(me, deviation)
    if not rules.may_send_answer(me, deviation):
        raise ForbiddenError(_("Det är den som får skicka svaret som kan lämna tillbaka det."))


def discard_answer_draft(db: Session, deviation: Deviation) -> None:
    """The draft has become the answer."""
    db.execute(
        delete(AnswerDraft).where(
            AnswerDraft.deviation_id == deviation.id, AnswerDraft.branch_id == deviation.receiver_branch_id
        )
    )


def judge_risk(db: Session, me: Identity, deviation: Deviation, form: RiskForm) -> Side:
    """One's own party's judgement: how severe, and how likely to happen again, 1–4 each. The score is their product."""
    own_party(me, deviation, Permission.RECEIVE)
    own = own_side(db, me, deviation)
    own.severity, own.probability = form.severity, form.probability
    db.flush()
    record(db, me, deviation, "judge_risk")
    return own


def flag(db: Session, me: Identity, deviation: Deviation, form: FlagForm) -> RiskFlag:
    """Note that lex Maria or lex Sarah may apply on one's own side. It is recorded here and reported elsewhere."""
    own_party(me, deviation, Permission.FLAG)
    raised = queries.risk_flag(db, me, deviation, form.law)
    if raised is not None:
        raise ConflictError(_("Flaggan är redan satt."))
    raised = RiskFlag(
        deviation_id=deviation.id,
        branch_id=me.branches[0],
        law=form.law,
        raised_at=clock.now(),
        raised_by_id=me.person_id,
        comment=form.comment,
    )
    db.add(raised)
    db.flush()
    record(db, me, deviation, "flag", law=form.law)
    return raised


def take_over(db: Session, me: Identity, deviation: Deviation, form: TakeOverForm) -> RiskFlag:
    """Note who has taken the matter over (a function, not a name), and when."""
    own_party(me, deviation, Permission.FLAG)
    return _take_over(db, me, deviation, form)


def take_over_left(db: Session, me: Identity, copy: SealedCopy, form: TakeOverForm) -> RiskFlag:
    """The same for a case that has left the branch, by its sealed copy: the law did not leave with it."""
    if not me.everywhere(Permission.FLAG):
        raise forbidden()
    return _take_over(db, me, copy, form)


def _take_over(db: Session, me: Identity, of: Deviation | SealedCopy, form: TakeOverForm) -> RiskFlag:
    raised = queries.risk_flag(db, me, of, form.law)
    if raised is None:
        raise NotFoundError
    if not form.taken_over_by:
        raise InvalidError(Fault("taken_over_by", _("Skriv vilken funktion som har tagit över.")))
    raised.taken_over_by, raised.taken_over_at = form.taken_over_by, clock.now()
    db.flush()
    audit.record(db, me, "deviations.take_over", cases=[of.case_number], law=form.law)
    return raised


def set_reference(db: Session, me: Identity, deviation: Deviation, form: ReferenceForm) -> Side:
    """One's own reference, that only one's own party sees."""
    if not rules.may_work_on(me, deviation):
        raise forbidden()
    own = own_side(db, me, deviation)
    own.reference = form.reference or None
    db.flush()
    searching.index(db, deviation)
    record(db, me, deviation, "reference")
    return own


def register(db: Session, me: Identity, deviation: Deviation, form: RegistryForm) -> Side:
    """The registry number (diarienummer) of one's own authority."""
    if not me.everywhere(Permission.REGISTER):
        raise forbidden()
    own = own_side(db, me, deviation)
    own.registry_number = form.registry_number or None
    db.flush()
    record(db, me, deviation, "register")
    return own


def register_copy(db: Session, me: Identity, copy: SealedCopy, form: RegistryForm) -> SealedCopy:
    """The registry number of a sealed copy."""
    if not me.everywhere(Permission.REGISTER):
        raise forbidden()
    db.execute(
        update(SealedCopy)
        .where(SealedCopy.id == copy.id)
        .values(registry_number=form.registry_number or None)
    )
    audit.record(db, me, "deviations.register_copy", cases=[copy.case_number])
    return copy


def own_party(me: Identity, deviation: Deviation, permission: Permission) -> rules.Party:
    """The side of the case on which the person has the permission. Raises ForbiddenError where they have it on none."""
    side = rules.reaches(me, deviation, permission)
    if side is None:
        raise forbidden()
    return side


def own_side(db: Session, me: Identity, deviation: Deviation) -> Side:
    """One's own branch's row about the case, made when first needed."""
    db.execute(
        insert(Side)
        .values(deviation_id=deviation.id, branch_id=me.branches[0])
        .on_conflict_do_nothing(index_elements=["deviation_id", "branch_id"])
    )
    return db.get_one(Side, (deviation.id, me.branches[0]))


def record(db: Session, me: Identity, deviation: Deviation, verb: str, **details: str | int) -> None:
    """What was done on one's own side, in the access log."""
    audit.record(db, me, f"deviations.{verb}", cases=[deviation.case_number], **details)
