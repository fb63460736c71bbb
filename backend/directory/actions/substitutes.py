"""Standing in for one another: while it is in force the substitute has the absent person's roles in that branch,
and the mail.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.audit import actions as audit
from backend.core import clock
from backend.core.errors import Fault, InvalidError, NotFoundError
from backend.core.text import gettext as _
from backend.directory import queries, rules
from backend.directory.forms import SubstituteForm
from backend.directory.models import Branch, Substitute


def absentees(db: Session, me: Identity, branch: Branch) -> list[queries.Colleague]:
    """The people of a branch for whom this person may name a substitute."""
    return [
        colleague
        for colleague in queries.colleagues(db, branch.id)
        if rules.may_name_substitute(me, colleague.id, colleague.units, branch)
    ]


def name_substitute(db: Session, me: Identity, branch: Branch, form: SubstituteForm) -> Substitute:
    """Both work in the branch, and one stands in for another at a time. An administrator, who opens no case, does
    not stand in by their own word.

    Raises NotFoundError for an absent person who is not theirs to name for.
    """
    if form.person not in {colleague.id for colleague in absentees(db, me, branch)}:
        raise NotFoundError
    faults = []
    if form.substitute == form.person:
        faults.append(Fault("substitute", _("Välj någon annan än den som är borta.")))
    elif form.substitute not in {colleague.id for colleague in queries.colleagues(db, branch.id)}:
        faults.append(Fault("substitute", _("Välj en kollega i samma verksamhet.")))
    elif not me.branches and form.substitute == me.person_id:
        faults.append(Fault("substitute", _("Du kan inte utse dig själv. Be en annan administratör.")))
    if form.valid_to < clock.today():
        faults.append(Fault("valid_to", _("Dagen har varit. Välj en dag framåt.")))
    overlapping = select(Substitute.id).where(
        Substitute.person_id == form.person,
        Substitute.branch_id == branch.id,
        Substitute.valid_from <= form.valid_to,
        Substitute.valid_to >= max(form.valid_from, clock.today()),
    )
    if not faults and db.scalar(overlapping.limit(1)) is not None:
        faults.append(Fault("valid_from", _("Det finns redan en ersättare de dagarna. Avsluta den först.")))
    if faults:
        raise InvalidError(*faults)
    substitute = Substitute(
        person_id=form.person,
        substitute_id=form.substitute,
        branch_id=branch.id,
        valid_from=form.valid_from,
        valid_to=form.valid_to,
        made_by_id=me.person_id,
    )
    db.add(substitute)
    db.flush()
    audit.record(
        db,
        me,
        "directory.name_substitute",
        subject=form.person,
        substitute=form.substitute,
        branch=branch.hsa_id,
        valid_from=form.valid_from.isoformat(),
        valid_to=form.valid_to.isoformat(),
    )
    return substitute


def end_substitute(db: Session, me: Identity, substitute_id: int) -> Substitute:
    """Over at once. May be done by whoever may name one, and by the substitute."""
    substitute = db.get(Substitute, substitute_id)
    branch = db.get_one(Branch, substitute.branch_id) if substitute else None
    if substitute is None or branch is None:
        raise NotFoundError
    units = {colleague.id: colleague.units for colleague in queries.colleagues(db, branch.id)}
    theirs = units.get(substitute.person_id, frozenset())
    standing_in = branch.id in me.branches and substitute.substitute_id == me.person_id
    if not standing_in and not rules.may_name_substitute(me, substitute.person_id, theirs, branch):
        raise NotFoundError
    if substitute.valid_to >= clock.today():
        substitute.valid_to = clock.today() - timedelta(days=1)
        audit.record(db, me, "directory.end_substitute", subject=substitute.person_id, branch=branch.hsa_id)
    return substitute
