"""What the walkers do beside the course of a case: masks, links, and what a branch keeps to itself."""

from random import Random

from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core.calendar import local_date
from backend.deviations import actions
from backend.deviations.actions.mask import texts_of
from backend.deviations.forms import (
    AssignForm,
    FlagForm,
    IdentifiedForm,
    InviteForm,
    LinkForm,
    MaskForm,
    NoteForm,
    RegistryForm,
)
from backend.deviations.models import Deviation
from tests.deviations.life.cast import CAST
from tests.deviations.life.moves import VERBS, Step, World, refused, verb
from tests.deviations.life.trade import Case, Who

__all__ = ["VERBS"]


@verb
def mask(world: World, case: Case, who: Who, random: Random) -> Step:
    """A word of a text the person sees: also one that stands in others' texts too."""
    readable = sorted(case.read_by(who.branch) | case.own_words(who.branch))
    token = random.choice(readable) if readable else ""

    def act(db: Session, me: Identity, d: Deviation) -> object:
        found = [(field, text.find(token)) for field, text in texts_of(db, d) if token and token in text]
        field, start = random.choice(found) if found else ("nothing", 0)
        return actions.mask(db, me, d, MaskForm(field=field, start=start, end=start + len(token or "x")))

    def then() -> None:
        case.mask(token)
        for copy in world.copies:
            if copy.number == case.number:
                copy.tokens.discard(token)

    may = (case.side_of(who) is not None and who.safety) or case.reported_by(who)
    in_a_draft_only = not any(token in text.tokens and not text.draft for text in case.texts)
    return Step(refused((may, 403), (bool(token) and not in_a_draft_only, 422)), act, then)


@verb
def note(world: World, case: Case, who: Who, random: Random) -> Step:
    """Sometimes with words that were copied from the case."""
    token = world.token()
    copied = random.choice(sorted(case.read_by(who.branch)) or [""]) if random.random() < 0.5 else ""

    def then() -> None:
        case.write(token, own=who.branch)
        if copied:
            case.texts[-1].tokens.add(copied)

    return Step(
        refused((case.worked_on_by(who), 403)),
        lambda db, me, d: actions.note(db, me, d, NoteForm(text=f"Ring dem. {token} {copied}")),
        then,
    )


@verb
def flag(world: World, case: Case, who: Who, random: Random) -> Step:
    token, law = world.token(), random.choice(["lex_maria", "lex_sarah"])

    def then() -> None:
        case.flags.add((who.branch, law))
        case.write(token, own=who.branch)

    return Step(
        refused(
            (case.side_of(who) is not None and who.safety, 403),
            ((who.branch, law) not in case.flags, 409),
        ),
        lambda db, me, d: actions.flag(
            db, me, d, FlagForm.model_validate({"law": law, "comment": f"Bedöms. {token}"})
        ),
        then,
    )


@verb
def save_answer_draft(world: World, case: Case, who: Who, random: Random) -> Step:
    token = world.token()
    known = case.drafts.get(who.branch, 0)
    revision = known if random.random() < 0.8 else known + 1

    def then() -> None:
        case.discard_draft(who.branch)
        case.write(token, own=who.branch, draft=True)
        case.drafts[who.branch] = known + 1

    writes = case.held and who.branch == case.holder.branch and case.worked_on_by(who)
    return Step(
        refused((writes, 403), (known == 0 or revision == known, 409)),
        lambda db, me, d: actions.save_answer_draft(db, me, d, {"cause": [f"Kanske. {token}"]}, revision),
        then,
    )


@verb
def assign(world: World, case: Case, who: Who, random: Random) -> Step:
    other = who if random.random() < 0.4 else random.choice([one for one in CAST if one.branch])
    side = case.side_of(who)
    fits = side is not None and other.branch == who.branch and other.handles(side)
    may = case.handled_by(who) and (other == who or case.managed_by(who))
    return Step(
        refused((may, 403), (fits, 422)),
        lambda db, me, d: actions.assign(db, me, d, AssignForm(person=world.people[other.email])),
        lambda: None,
    )


@verb
def invite(world: World, case: Case, who: Who, random: Random) -> Step:
    """A colleague of the same branch who does not see the case otherwise, or one from elsewhere in the house."""
    of_branch = [one for one in CAST if one.branch == who.branch and one != who]
    other = random.choice(of_branch or [who])
    return Step(
        refused((case.handled_by(who), 403)),
        lambda db, me, d: actions.invite(db, me, d, InviteForm(email=other.email)),
        lambda: case.invited.add((who.branch, other.email)),
    )


@verb
def end_invitation(world: World, case: Case, who: Who, random: Random) -> Step:
    inside = sorted(email for branch, email in case.invited if branch == who.branch)
    email = random.choice(inside) if inside else who.email
    return Step(
        refused((case.handled_by(who), 403)) or ({404} if not inside else set()),
        lambda db, me, d: actions.end_invitation(db, me, d, world.people[email]),
        lambda: case.invited.discard((who.branch, email)),
    )


@verb
def link(world: World, case: Case, who: Who, random: Random) -> Step:
    other = random.choice(world.cases)
    seen = other is not case and other.opens_to(who)

    def then() -> None:
        world.links.setdefault(_pair(case, other), who.branch)

    return Step(
        refused((case.worked_on_by(who), 403), (seen, 422)),
        lambda db, me, d: actions.link(db, me, d, LinkForm(case_number=other.number)),
        then,
    )


@verb
def unlink(world: World, case: Case, who: Who, random: Random) -> Step:
    linked = [other for other in world.cases if _pair(case, other) in world.links]
    other = random.choice(linked or world.cases)
    own = other.opens_to(who) and world.links.get(_pair(case, other)) == who.branch
    return Step(
        refused((case.worked_on_by(who), 403)) or (set() if own else {404}),
        lambda db, me, d: actions.unlink(db, me, d, LinkForm(case_number=other.number)),
        lambda: world.links.pop(_pair(case, other), None) and None,
    )


def _pair(one: Case, other: Case) -> tuple[str, str]:
    first, second = sorted((one.number, other.number))
    return first, second


@verb
def patient_identified(world: World, case: Case, who: Who, _random: Random) -> Step:
    form = IdentifiedForm.model_construct(on=local_date(world.now), how="telephone", ground="consent")
    return Step(
        refused((case.handled_by(who) or case.reported_by(who), 403)),
        lambda db, me, d: actions.patient_identified(db, me, d, form),
        lambda: None,
    )


@verb
def register(world: World, case: Case, who: Who, _random: Random) -> Step:
    return Step(
        refused((who.registrar, 403)),
        lambda db, me, d: actions.register(db, me, d, RegistryForm(registry_number="2026/17")),
        lambda: None,
    )
