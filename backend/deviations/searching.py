"""The words by which a case is found: small letters, no endings, and the parts of compounds.

What is typed in the search box is taken apart in the same way as what was written in the case, so that
"läkemedelslistor" and "lista" both find "läkemedelslistan". Every action that changes a text or a party of a case
calls `index` in the same transaction. Why so: `backend/decisions/0014`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.core.db import reaching
from backend.deviations.models import Deviation
from backend.deviations.stemming import stem

# A longer word is no word; and an index has a limit to the length of what it holds.
LONGEST = 40
# One who types much means it, but each word more costs a look per case.
MOST_TERMS = 8
PREFIX_FROM = 3

# Words, numbers, and what is held together without a space: "e-post", "A-12/34", "2026-05-19".
_CHUNK = re.compile(r"[^\W_]+(?:[-–.:/][^\W_]+)*")
_SEPARATOR = re.compile(r"[-–.:/]")
_UNACCENTED = str.maketrans("éèêëáàâïíìôóòúùûüñçæø", "eeeeaaaiiiooouuuuncäö")


def _read(file: str) -> frozenset[str]:
    lines = (Path(__file__).parent / file).read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


STOP_WORDS = _read("stop_words.txt")
PARTS = _read("word_parts.txt")
_LONGEST_PART = max(map(len, PARTS))


def _stem(word: str) -> str:
    """Twice for a known word whose own last letters look like an ending: "ansvaret", "ansvar", "ansv"."""
    bare = stem(word)
    return stem(bare) if bare in PARTS else bare


_PART_STEMS = frozenset(map(_stem, PARTS))


def words_of(text: str) -> set[str]:
    """Every word that finds this text: stems, the parts of compounds, numbers, and marks such as "A-12/34"."""
    return {word for token in _tokens(text) for word in _analysed(token)}


@dataclass(frozen=True)
class Term:
    """One thing that must stand in the case: the word, or, while it is being typed, any that begins so."""

    word: str
    prefix: str | None = None


def terms_of(typed: str) -> list[Term]:
    """What is asked for. The last word may be half typed, unless a space or a sign follows it."""
    tokens = [token for chunk in _chunks(typed) for token in _joined(chunk)]
    terms = {token: Term(_whole(token)) for token in tokens if _tells(token)}
    if tokens and typed[-1:].isalnum() and len(tokens[-1]) >= PREFIX_FROM:
        last = tokens[-1]
        # Half a word may look like a stop word: "und" on the way to "undersökning".
        terms[last] = Term(_whole(last), last[:LONGEST])
    return list(dict.fromkeys(terms.values()))[:MOST_TERMS]


def _chunks(text: str) -> Iterator[str]:
    yield from _CHUNK.findall(unicodedata.normalize("NFC", text).lower().translate(_UNACCENTED))


def _tokens(text: str) -> Iterator[str]:
    for chunk in _chunks(text):
        pieces = _SEPARATOR.split(chunk)
        yield from pieces
        if len(pieces) > 1:
            yield from _joined(chunk)


def _joined(chunk: str) -> list[str]:
    return [_SEPARATOR.sub("", chunk)]


def _tells(token: str) -> bool:
    return len(token) > 1 and token not in STOP_WORDS


def _whole(token: str) -> str:
    return _analysed(token)[0] if _tells(token) else token


@lru_cache(maxsize=20_000)
def _analysed(token: str) -> tuple[str, ...]:
    """The whole word first, then the parts of a compound. Nothing for a word that tells nothing."""
    if not _tells(token):
        return ()
    if not token.isalpha():
        return (token[:LONGEST],)
    if _stem(token) in _PART_STEMS or len(token) > LONGEST:
        return (_stem(token)[:LONGEST],)
    parts = _split(token)
    if parts:
        # By its last part, so that "vårdplan" and "vårdplanen" come out alike.
        return (token[: len(token) - len(parts[-1])] + _stem(parts[-1]), *map(_stem, parts))
    return (_stem(token), *map(_stem, _beginning(token) + _end(token)))


def _split(word: str) -> list[str]:
    """The known parts that make up the whole word, or nothing where some of it is unknown."""
    for part in _parts_first_in(word):
        for joint in ("", "s"):
            rest = word[len(part) :]
            if not rest.startswith(joint) or len(rest) - len(joint) < 2:
                continue
            rest = rest[len(joint) :]
            if _stem(rest) in _PART_STEMS:
                return [part, rest]
            if more := _split(rest):
                return [part, *more]
    return []


def _beginning(word: str) -> list[str]:
    """The known part that a word begins with, where a whole word may follow: "vårdlärare"."""
    return [part for part in _parts_first_in(word) if len(part) >= 4 and len(word) - len(part) >= 4][:1]


def _end(word: str) -> list[str]:
    """The known part that a word ends with: "dörrkarmslista"."""
    ends = (word[at:] for at in range(3, len(word) - 3))
    return [end for end in ends if _stem(end) in _PART_STEMS][:1]


def _parts_first_in(word: str) -> Iterator[str]:
    for length in range(min(_LONGEST_PART, len(word) - 2), 1, -1):
        if word[:length] in PARTS:
            yield word[:length]


# What each branch that sees a case may find it by, and under which of its own units. Its own reference and nobody
# else's: `sides` is joined by branch.
_TEXTS = text("""
    select d.id, v.branch_id,
        case v.branch_id when d.sender_branch_id then d.sender_unit_id when d.receiver_branch_id then d.receiver_unit_id end,
        right(d.case_number, 6), c.label, su.name, ru.name, d.description, d.consequence_patient, d.consequence_work,
        d.immediate_action, d.suggestion, d.shared_reference,
        (select reference from sides s where s.deviation_id = d.id and s.branch_id = v.branch_id),
        (select string_agg(concat_ws(' ', cause, consequence, no_action_reason, follow_up), ' ') from answers a
            where a.deviation_id = d.id and (a.leg >= d.first_leg or v.branch_id = any(d.sender_branches))),
        (select string_agg(concat_ws(' ', text, owner), ' ') from answer_actions aa join answers a on a.id = aa.answer_id
            where a.deviation_id = d.id and (a.leg >= d.first_leg or v.branch_id = any(d.sender_branches)))
    from deviations d
    cross join unnest(d.visible_branches) as v (branch_id)
    join categories c on c.id = d.category_id
    join units su on su.id = d.sender_unit_id
    join units ru on ru.id = d.receiver_unit_id
    where d.id = any(:ids)
""")

# Every branch that may hold words of the case: those that see it, and those that once did.
_PARTIES = text("""
    select distinct branch from deviations d
    cross join lateral (
        select unnest(d.visible_branches) as branch
        union all select branch_id from handovers h where h.deviation_id = d.id
        union all select u.commissioned_by_id from handovers h join units u on u.id = h.unit_id
            where h.deviation_id = d.id
    ) parties
    where d.id = :id and branch is not null
""")

# In one statement: what is gone, what is new, and what has another unit now.
_WRITE = text("""
    with wanted as (
        select deviation_id, branch_id, word collate "C" as word, unit_id
        from unnest(cast(:ids as bigint[]), cast(:branches as int[]), cast(:words as text[]), cast(:units as int[]))
            as w (deviation_id, branch_id, word, unit_id)
    ), gone as (
        delete from case_words c where c.deviation_id = any(:of) and not exists (
            select from wanted w
            where w.deviation_id = c.deviation_id and w.branch_id = c.branch_id and w.word = c.word
        )
    )
    insert into case_words (deviation_id, branch_id, word, unit_id)
    select deviation_id, branch_id, word, unit_id from wanted
    on conflict (deviation_id, branch_id, word) do update set unit_id = excluded.unit_id
        where case_words.unit_id is distinct from excluded.unit_id
""")


def index(db: Session, deviation: Deviation) -> None:
    """Make the case found by the words it has now, by the branches that see it now, and by no other.

    To be called last in every action that changes a text, a unit or a party: words that are masked, and branches
    that see the case no more, are gone at once.
    """
    db.flush()
    with reaching(db, deviation.sender_branch_id, deviation.receiver_branch_id):
        parties = db.scalars(_PARTIES, {"id": deviation.id}).all()
        with reaching(db, *parties):
            _index(db, [deviation.id])


def index_many(db: Session, ids: Sequence[int]) -> None:
    """The same for many cases, in the operator's scope: what an import has read, or all of it anew."""
    for start in range(0, len(ids), 500):
        _index(db, ids[start : start + 500])


def _index(db: Session, ids: Sequence[int]) -> None:
    rows = [row for case in db.execute(_TEXTS, {"ids": list(ids)}) for row in _words_of_case(case)]
    db.execute(
        _WRITE,
        {
            "of": list(ids),
            "ids": [row[0] for row in rows],
            "branches": [row[1] for row in rows],
            "units": [row[2] for row in rows],
            "words": [row[3] for row in rows],
        },
    )


def _words_of_case(case: Row[*tuple[Any, ...]]) -> Iterator[tuple[int, int, int | None, str]]:
    deviation_id, branch_id, unit_id, *texts = tuple(case)
    for word in sorted(words_of("\n".join(some for some in texts if some))):
        yield deviation_id, branch_id, unit_id, word
