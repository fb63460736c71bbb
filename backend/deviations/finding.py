"""Finding cases: by number, and by words. What is found passes through `visible_to` before it is shown.

The index answers for the branch, newest first; a person who follows only some units is narrowed in the index too,
so that nobody's search walks through the cases of others (`backend/decisions/0014`).
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    ScalarSelect,
    Text,
    any_,
    func,
    literal,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from backend.access import Identity, Permission
from backend.core import clock
from backend.core.errors import NotFoundError
from backend.core.text import sort_key
from backend.deviations import queries
from backend.deviations.models import Batch, CaseWord, CoInvestigator, Deviation, SavedView, Search, Side
from backend.deviations.queries import PAGE, Row
from backend.deviations.rules import visible_to
from backend.deviations.searching import Term, terms_of
from backend.directory.models import Branch, County, Organisation

MOST_HITS = 200
KEPT_SEARCH = timedelta(hours=8)
RESTORED_WITHIN = timedelta(minutes=10)
# What begins as the word being typed: so many words are tried, in the order of the alphabet.
_MOST_ENDINGS = 40
_LAST = "\U0010ffff"

_CODE = re.compile(r"(?:(?P<county>[A-ZÅÄÖ]{2,4})?(?P<year>2[0-9OIL]{3}))?(?P<code>[0-9A-Z]{6})")
_READ_AS = str.maketrans("OIL", "011")
_FIRST_YEAR = 2000


def by_number(db: Session, me: Identity, typed: str) -> str | None:
    """The one case that this person may see and means by a number, however it is spelled: small letters, spaces, O
    for 0, I or L for 1, without county or year. None where there is no such case, or several.
    """
    found = _CODE.fullmatch(re.sub(r"[\s–-]", "", typed.upper()))
    if found is None:
        return None
    code = found["code"].translate(_READ_AS)
    this_year = clock.today().year + 1
    years = [found["year"].translate(_READ_AS)] if found["year"] else range(_FIRST_YEAR, this_year + 1)
    counties = [found["county"]] if found["county"] else db.scalars(select(County.code)).all()
    candidates = [f"{county}-{year}-{code}" for county, year in product(counties, years)]
    numbers = db.scalars(
        select(Deviation.case_number).where(Deviation.case_number.in_(candidates), visible_to(me)).limit(2)
    ).all()
    return numbers[0] if len(numbers) == 1 else None


def looks_like_number(typed: str) -> bool:
    """Whether somebody means a case number, found or not: a digit in it tells it from a word."""
    return bool(_CODE.fullmatch(re.sub(r"[\s–-]", "", typed.upper()))) and any(map(str.isdigit, typed))


@dataclass(frozen=True)
class Found:
    """A page of what was found; `total` stops at MOST_HITS, and `more` says that it did."""

    rows: list[Row]
    total: int
    more: bool


def by_words(db: Session, me: Identity, typed: str, page: int = 1) -> Found:
    """The newest cases that hold every word, one page of them."""
    ids = _hits(db, me, terms_of(typed), MOST_HITS + 1)
    rows = queries.these(db, me, ids[:MOST_HITS]) if ids else []
    return Found(rows[(page - 1) * PAGE : page * PAGE], len(rows), len(ids) > MOST_HITS)


def _hits(db: Session, me: Identity, terms: Sequence[Term], limit: int) -> Sequence[int]:
    """Ids, newest first. The rarest term leads, and each case it gives is asked for the others: one look in the index
    for each, however common they are.
    """
    if not terms or not me.branches:
        return []
    leading, *others = _rarest_first(db, me, [_words_meant(db, me, term) for term in terms])
    hit = aliased(CaseWord)
    asked = _asked(me, leading)
    wanted: list[ColumnElement[bool]] = [
        hit.branch_id == asked.c.branch_id,
        hit.word == asked.c.word,
        *_within_reach(db, me, hit),
    ]
    for words in others:
        other = aliased(CaseWord)
        same = other.deviation_id == hit.deviation_id, other.branch_id == hit.branch_id
        # A look for each case, by the limit that keeps it from being made a join: what leads is not known to the
        # planner, which would read a common word from end to end to meet a rare one.
        wanted.append(select(literal(True)).where(*same, other.word.in_(words)).limit(1).scalar_subquery())
    newest = select(hit.deviation_id).where(*wanted).order_by(hit.deviation_id.desc()).limit(limit).lateral()
    return db.scalars(
        select(newest.c.deviation_id)
        .distinct()
        .select_from(asked)
        .join(newest, true())
        .order_by(newest.c.deviation_id.desc())
        .limit(limit)
    ).all()


def _asked(me: Identity, words: Sequence[str]) -> Any:
    """Each word in each branch, as rows: in each, PostgreSQL reads the index backwards and stops when it has enough."""
    pairs = list(product(me.branches, words))
    return (
        func.unnest(
            literal([branch for branch, _word in pairs], ARRAY(Integer)),
            literal([word for _branch, word in pairs], ARRAY(Text)),
        )
        .table_valued("branch_id", "word", name="asked")
        .render_derived()
    )


def _within_reach(db: Session, me: Identity, hit: type[CaseWord]) -> list[ColumnElement[bool]]:
    """What `visible_to` will let through, as far as the index knows it; a case seen for its own sake is named."""
    if me.everywhere(Permission.SEE_CASES) or me.everywhere(Permission.REGISTER):
        return []
    reported = select(Side.deviation_id).where(
        Side.reporter_id == me.person_id, Side.branch_id.in_(me.branches)
    )
    invited = select(CoInvestigator.deviation_id).where(
        CoInvestigator.person_id == me.person_id,
        CoInvestigator.branch_id.in_(me.branches),
        CoInvestigator.ended_at.is_(None),
    )
    singly = db.scalars(union_all(reported, invited)).all()
    units = sorted(me.units(Permission.SEE_CASES))
    own = hit.deviation_id == any_(literal(singly, ARRAY(BigInteger)))
    return [or_(hit.unit_id.in_(units), own) if units else own]


def _rarest_first(db: Session, me: Identity, terms: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """By where the thousandth newest case lies: the further back, the rarer. Costs a thousand steps in the index for
    each, where counting them all would cost as many as there are.
    """
    if len(terms) == 1:
        return terms

    def depth(words: Sequence[str]) -> ScalarSelect[int]:
        hit, asked = aliased(CaseWord), _asked(me, words)
        here = hit.branch_id == asked.c.branch_id, hit.word == asked.c.word
        one = (
            select(hit.deviation_id)
            .where(*here)
            .order_by(hit.deviation_id.desc())
            .offset(999)
            .limit(1)
            .lateral()
        )
        return (
            select(func.coalesce(func.max(one.c.deviation_id), 0))
            .select_from(asked)
            .join(one, true())
            .scalar_subquery()
        )

    depths = db.execute(select(*map(depth, terms))).one()
    return [words for _depth, words in sorted(zip(depths, terms, strict=True), key=lambda pair: pair[0])]


# From word to word, one look each, however many cases hold them.
_BEGINNING = text("""
    with recursive found (branch_id, word) as (
        select b.branch_id, (select min(c.word) from case_words c
            where c.branch_id = b.branch_id and c.word >= :first and c.word < :past)
        from unnest(cast(:branches as int[])) as b (branch_id)
        union all
        select found.branch_id, (select min(c.word) from case_words c
            where c.branch_id = found.branch_id and c.word > found.word and c.word < :past)
        from found where found.word is not null
    )
    select word from found where word is not null limit :most
""")


def _words_meant(db: Session, me: Identity, term: Term) -> list[str]:
    """The words of the index that the term stands for: itself, and while it is typed all that begin so."""
    if term.prefix is None:
        return [term.word]
    first = {
        "branches": list(me.branches),
        "first": term.prefix,
        "past": term.prefix + _LAST,
        "most": _MOST_ENDINGS,
    }
    return list(dict.fromkeys([term.word, *db.scalars(_BEGINNING, first)]))


def every_case(db: Session) -> Sequence[int]:
    """All ids, for the operator who makes the words anew."""
    return db.scalars(select(Deviation.id).order_by(Deviation.id)).all()


def parties(db: Session, me: Identity) -> list[tuple[str, str]]:
    """The organisations one may have cases with: those of the county but one's own."""
    own = select(Branch.organisation_id).where(Branch.id.in_(me.branches))
    rows = db.execute(
        select(Organisation.hsa_id, Organisation.name).where(
            Organisation.county_id == me.county_id, Organisation.id.not_in(own)
        )
    )
    return sorted(((hsa_id, name) for hsa_id, name in rows), key=lambda row: sort_key(row[1]))


def last_search(db: Session, me: Identity) -> str:
    """What this person searched for last, in this branch and this working day; else nothing."""
    typed = db.scalar(
        select(Search.typed).where(
            Search.person_id == me.person_id,
            Search.branch_id.in_(me.branches),
            Search.searched_at > clock.now() - KEPT_SEARCH,
        )
    )
    return typed or ""


def views(db: Session, me: Identity) -> Sequence[SavedView]:
    """The person's own saved views in the branch they act for, in the order they were made."""
    return db.scalars(
        select(SavedView).where(*_own(me), SavedView.removed_at.is_(None)).order_by(SavedView.id)
    ).all()


def view(db: Session, me: Identity, view_id: int) -> SavedView:
    """One of them, also one that was removed a moment ago."""
    found = db.scalar(select(SavedView).where(*_own(me), SavedView.id == view_id))
    if found is None:
        raise NotFoundError
    return found


def removed_view(db: Session, me: Identity) -> SavedView | None:
    """The last one removed, while it can be had back."""
    return db.scalar(
        select(SavedView)
        .where(*_own(me), SavedView.removed_at > clock.now() - RESTORED_WITHIN)
        .order_by(SavedView.removed_at.desc())
        .limit(1)
    )


def _own(me: Identity) -> list[ColumnElement[bool]]:
    return [SavedView.person_id == me.person_id, SavedView.branch_id.in_(me.branches)]


def batch(db: Session, me: Identity, batch_id: uuid.UUID) -> Batch:
    """What this person did to many cases at once."""
    found = db.scalar(
        select(Batch).where(
            Batch.id == batch_id, Batch.person_id == me.person_id, Batch.branch_id.in_(me.branches)
        )
    )
    if found is None:
        raise NotFoundError
    return found
