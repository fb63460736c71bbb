"""What somebody keeps for themselves: what they searched for last, and filters they have given a name."""

from collections.abc import Mapping
from urllib.parse import urlencode

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.audit import actions as audit
from backend.core import clock
from backend.core.errors import Fault, InvalidError
from backend.core.text import gettext as _
from backend.deviations import finding
from backend.deviations.filters import Filters
from backend.deviations.forms import SearchForm, ViewForm
from backend.deviations.models import SavedView, Search

MOST_VIEWS = 12


def search(db: Session, me: Identity, form: SearchForm) -> None:
    """Remember what is searched for, instead of what was; nothing typed is nothing sought."""
    own = Search.person_id == me.person_id, Search.branch_id == me.branches[0]
    if not form.q.strip():
        db.execute(delete(Search).where(*own))
        return
    row = {"typed": form.q.lstrip(), "searched_at": clock.now()}
    db.execute(
        insert(Search)
        .values(person_id=me.person_id, branch_id=me.branches[0], **row)
        .on_conflict_do_update(index_elements=["person_id", "branch_id"], set_=row)
    )


def save_view(db: Session, me: Identity, form: ViewForm, query: Mapping[str, str]) -> SavedView:
    """Keep the filters of an address under a name. The same name again means the new filters.

    Raises InvalidError where there are too many to find one's way among.
    """
    _clear(db, me)
    views = finding.views(db, me)
    kept = urlencode(Filters.read(query).query())
    now = clock.now()
    for view in views:
        if view.name == form.name:
            view.query, view.saved_at = kept, now
            break
    else:
        if len(views) >= MOST_VIEWS:
            text = _("Du har redan {n} vyer. Ta bort en först.").format(n=MOST_VIEWS)
            raise InvalidError(Fault("name", text))
        view = SavedView(
            person_id=me.person_id, branch_id=me.branches[0], name=form.name, query=kept, saved_at=now
        )
        db.add(view)
    db.flush()
    audit.record(db, me, "deviations.save_view", view=view.id)
    return view


def rename_view(db: Session, me: Identity, view: SavedView, form: ViewForm) -> SavedView:
    """Raises InvalidError where another view has the name."""
    if any(other.name == form.name and other.id != view.id for other in finding.views(db, me)):
        raise InvalidError(Fault("name", _("Du har redan en vy med det namnet.")))
    view.name = form.name
    db.flush()
    audit.record(db, me, "deviations.rename_view", view=view.id)
    return view


def remove_view(db: Session, me: Identity, view: SavedView) -> SavedView:
    """It can be had back for ten minutes (`finding.removed_view`)."""
    view.removed_at = clock.now()
    db.flush()
    audit.record(db, me, "deviations.remove_view", view=view.id)
    return view


def restore_view(db: Session, me: Identity, view: SavedView) -> SavedView:
    """Take back a removal. Where another view has got the name meanwhile, the old one is marked."""
    if any(other.name == view.name for other in finding.views(db, me)):
        view.name = _("{name} (åter)").format(name=view.name)
    view.removed_at = None
    db.flush()
    audit.record(db, me, "deviations.restore_view", view=view.id)
    return view


def _clear(db: Session, me: Identity) -> None:
    """Whoever makes a new view has no more use for those that were removed."""
    db.execute(
        delete(SavedView).where(SavedView.person_id == me.person_id, SavedView.removed_at.is_not(None))
    )
