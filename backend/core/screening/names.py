"""Names of persons in Swedish prose: a small list of common names, and what stands beside a name.

A word is judged with its neighbours. A common first name is a name by itself; one that is also an ordinary word
("Stig", "Sten") only beside a surname, after a word for a person, or with a capital inside a sentence. After a word
for a person ("fru", "patienten", "dottern") a rare name counts too. Medicines, systems, places, wards and laws
("Pascal", "Sölvesborg", "lex Maria", "avdelning Linnea") are left alone. Source of the list: names.txt says.
"""

import re
from enum import Enum
from pathlib import Path

from backend.core.screening.hits import Hit


class _Sort(Enum):
    """What a word is by itself; the values are the headings of names.txt."""

    FIRST = "first"
    WORDY_FIRST = "first, also a word"
    SURNAME = "surname"
    WORDY_SURNAME = "surname, also a word"
    NO_NAME = "no name"
    INITIAL = "initial"
    UNKNOWN = "unknown"


def _read() -> dict[str, list[str]]:
    """The words of names.txt by heading, in small letters."""
    lists: dict[str, list[str]] = {}
    words: list[str] = []
    for line in (Path(__file__).parent / "names.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            words = lists.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            words += line.casefold().split()
    return lists


_LISTS = _read()
# A word under several headings is what the last of these says.
_WORDS = {
    word: sort
    for sort in (_Sort.WORDY_SURNAME, _Sort.WORDY_FIRST, _Sort.SURNAME, _Sort.FIRST, _Sort.NO_NAME)
    for word in _LISTS[sort.value]
}
# Typed in small letters only these count: "fru karin andersson".
_SMALL = frozenset(word for word, sort in _WORDS.items() if sort in (_Sort.FIRST, _Sort.SURNAME))

_TITLES, _ROLES = frozenset(_LISTS["title"]), frozenset(_LISTS["role"])
_NO_PERSON_BEFORE, _PLACE_BEFORE = frozenset(_LISTS["no person after"]), frozenset(_LISTS["place after"])
_PARTICLES = frozenset(_LISTS["particle"])
_PLACE_AFTER = re.compile(
    r"(?:barn)?sjukhus\w*|vårdcentral\w*|hälsocentral\w*|gata[ns]?|gränd\w*|väg(?:en)?|plats|torg|park|kyrka\w*|stiftelse\w*"
    r"|hemmet|gården|skola[ns]?|förskola[ns]?|gymnasium|ab|hb|omsorg|assistans|care|apotek"
)
# What follows a name at the beginning of a sentence, where any word has a capital.
_DOES = re.compile(
    r"(?!ansikte)\w{2,}(?:ade|dde|tte|[nrlgmv]de|[kps]te)s?|är|var|har|hade|kom|fick|får|gick|går|bor|bodde|föll|låg|ligger|sov|blev|blir|ville|vill"
    r"|skulle|ska|säger|sa|ringer|mår|skrevs|skrivs|åkte|lades|tog|behöver|kunde|kan|saknar|saknade|insjuknade"
)

# Endings that no other word has, but for a slip in Parkinson: "Hjalmarsson", "Nordenqvist".
_SURNAME_ENDINGS = ("sson", "qvist", "ssons", "qvists")

# In words: "Karl Gustav Adolf von Essen Berg".
_LONGEST = 6

# Letters with what may join them inside one word; digits are never part of a name.
_WORD = re.compile(r"[^\W\d_]+(?:[-'’:][^\W\d_]+)*")
_SPACE = frozenset((" ", "  ", "\u00a0"))
_COLON = frozenset((": ", ":"))
_POINT = frozenset((". ", "."))
_ABBREVIATED = frozenset(("pat", "dr", "ssk", "usk"))


_NAMES = frozenset((_Sort.FIRST, _Sort.WORDY_FIRST, _Sort.SURNAME, _Sort.WORDY_SURNAME))
_GOES_ON = _NAMES | {_Sort.INITIAL}


def names(text: str) -> list[Hit]:
    """Where persons are named, with the surnames and initials that follow a first name."""
    return _Prose(text).hits()


class _Prose:
    """A text as its words, each with what stands between it and the word before."""

    def __init__(self, text: str) -> None:
        found = list(_WORD.finditer(text))
        self.text = text
        self.words = [match.group() for match in found]
        self.spans = [match.span() for match in found]

    def hits(self) -> list[Hit]:
        hits = []
        after = 0
        for at, word in enumerate(self.words):
            # Nearly every word is in small letters and no name: asked first, and cheaply.
            if word.islower() and word not in _SMALL and not word.endswith(("sson", "ssons")):
                continue
            if at < after:
                continue
            after = self._person(at)
            if after > at:
                hits.append(Hit(self.spans[at][0], self.spans[after - 1][1], "name"))
        return hits

    def _gap(self, at: int) -> str:
        """What stands between word `at` and the one before; a full stop at either end of the text."""
        if at == 0 or at == len(self.words):
            return "\n"
        return self.text[self.spans[at - 1][1] : self.spans[at][0]]

    def _before(self, at: int) -> str:
        return self.words[at - 1].casefold() if at and self._gap(at) in _SPACE else ""

    def _after(self, at: int) -> str:
        return self.words[at].casefold() if self._gap(at) in _SPACE else ""

    def _titled(self, at: int, titles: frozenset[str]) -> bool:
        """Whether a word of `titles` leads to word `at`: "fru Berg", "pat. Karin", "Dotter: Eva"."""
        if at == 0:
            return False
        title, gap = self.words[at - 1].casefold(), self._gap(at)
        return title in titles and (
            gap in _SPACE or gap in _COLON or (gap in _POINT and title in _ABBREVIATED)
        )

    def _person(self, at: int) -> int:
        """The word after the last of a name that begins with word `at`; `at` itself where none does."""
        word = self.words[at]
        sort = _sort(word)
        titled = self._titled(at, _TITLES) or (sort in _NAMES and self._titled(at, _ROLES))
        if sort is _Sort.NO_NAME or (sort is _Sort.UNKNOWN and not titled):
            return at
        if self._before(at) in _NO_PERSON_BEFORE:
            return at
        small = word.islower()
        end = self._end(at, small=small)
        if small:
            named = sort is _Sort.SURNAME or titled or end > at + 1
        elif word.isupper() and len(word) > 1:
            named = (sort in _NAMES and titled) or (end > at + 1 and self.words[end - 1].isupper())
        else:
            named = self._named(at, end, sort, titled=titled)
        return end if named and not self._is_place(at, end) else at

    def _named(self, at: int, end: int, sort: _Sort, *, titled: bool) -> bool:
        alone = end == at + 1
        if sort in (_Sort.FIRST, _Sort.SURNAME):
            return True
        if sort is _Sort.WORDY_FIRST:
            # "LiV" is a region.
            return (
                titled
                or not alone
                or (self.words[at].istitle() and self._has_a_capital_for_a_reason(at, end))
            )
        if sort is _Sort.WORDY_SURNAME:
            return titled
        if sort is _Sort.INITIAL:
            # "I Maj" is a month, "K. Maj" nobody we know.
            return not alone and _sort(self.words[end - 1]) in _NAMES - {_Sort.WORDY_FIRST}
        # "patienten Xhevahire", but "Patienten Hade feber", "Fel pat. Listan saknas" and "patienten SIP" are no names.
        gap = self._gap(at)
        if sort is not _Sort.UNKNOWN or _DOES.fullmatch(self.words[at].casefold()):
            return False
        return titled and (gap in _SPACE or self.words[at - 1].casefold() == "dr")

    def _has_a_capital_for_a_reason(self, at: int, end: int) -> bool:
        """Whether "Stig" stands inside a sentence or does something in it; "i Maj" and "3 Maj" are months."""
        before = self._before(at)
        if before == "i" or any(sign.isdigit() for sign in self._gap(at)[-4:]):
            return False
        return before != "" or bool(_DOES.fullmatch(self._after(end)))

    def _end(self, at: int, *, small: bool) -> int:
        """Where the name ends: first names, initials, particles, and one surname that may be any word."""
        end = at + 1
        sort = _sort(self.words[at])
        if sort not in _GOES_ON:
            return end
        # "Karin Blomdahl" is one name though nobody has told us of Blomdahl; but only a first name leads to it.
        open_ended = sort in (_Sort.FIRST, _Sort.WORDY_FIRST) and not small
        while end < min(at + _LONGEST, len(self.words)):
            gap, word = self._gap(end), self.words[end]
            joined = gap in _SPACE or (gap in _POINT and sort is _Sort.INITIAL)
            if not joined:
                break
            sort = _sort(word)
            if small:
                goes_on = word.islower() and sort is _Sort.SURNAME
            elif word.islower():
                goes_on = (
                    word in _PARTICLES and self._after(end + 1) != "" and not self.words[end + 1].islower()
                )
            else:
                goes_on = sort in _GOES_ON or (open_ended and sort is _Sort.UNKNOWN and not word.isupper())
                open_ended = open_ended and sort is not _Sort.UNKNOWN
            if not goes_on:
                break
            end += 1
        return end

    def _is_place(self, at: int, end: int) -> bool:
        """ "Astrid Lindgrens barnsjukhus", "avdelning Linnea", "Marias väg"."""
        if _PLACE_AFTER.fullmatch(self._after(end)):
            return True
        return end == at + 1 and self._before(at) in _PLACE_BEFORE


def _sort(word: str) -> _Sort:
    """With or without the s of the genitive: a place in the genitive is no name either."""
    if len(word) == 1:
        return _Sort.INITIAL if word.isupper() else _Sort.NO_NAME
    low = word.casefold()
    known = _WORDS.get(low) or _WORDS.get(low.removesuffix("s").removesuffix("'").removesuffix("’"))
    if known:
        return known
    if low.endswith(_SURNAME_ENDINGS) and not low.startswith("parkin"):
        return _Sort.SURNAME
    if "-" in low:
        return _of_parts(word.split("-"))
    return _Sort.UNKNOWN if len(low) > 2 else _Sort.NO_NAME


def _of_parts(parts: list[str]) -> _Sort:
    """ "Anna-Stina" is a first name, "Lindberg-Hult" a surname; "SIP-möte" and "Prator-ärende" are neither."""
    sorts = [_sort(part) for part in parts]
    if all(sort in (_Sort.FIRST, _Sort.WORDY_FIRST) for sort in sorts):
        return _Sort.FIRST
    if all(sort in _NAMES for sort in sorts):
        return _Sort.SURNAME
    # "Al-Rashid", but not "Prator-ärende" or "EKG-remiss".
    may_be = all(part.istitle() for part in parts) and _Sort.NO_NAME not in sorts[-1:]
    return _Sort.UNKNOWN if may_be else _Sort.NO_NAME
