"""Swedish words without their endings, so that "listan", "listor" and "listornas" are one word.

After Snowball's Swedish rules (Porter), with what they lack and the trade needs: the definite forms in -an, -et and
-n ("listan", "mötet", "artikeln"), the vowel that falls out ("läkemedel", "läkemedlet"), and the doubled m
("rum", "rummet"). Written here and not asked of PostgreSQL's `swedish_stem`: its rules follow the server's
version, and words indexed by one version would be sought by another.
"""

import re
from functools import lru_cache

_VOWELS = "aeiouyåäö"
# The ending lies in what follows the first consonant after a vowel, and at least three letters stay.
_ROOT = re.compile(rf"[^{_VOWELS}]*[{_VOWELS}]+[^{_VOWELS}]")
_ENDINGS = re.compile(
    r"(?:heter(?:nas?)?|het(?:en)?s?|(?:ar|er|or)(?:nas?)?|arnes?|(?:ar)?ens?|enas?|ades?|ad|and(?:en|et|ena|e)s?"
    r"|ares?|aste|ast|at|ans?|as|a|erns?|orns?|es|e)$"
)
_ET = re.compile(r"(?<!it)(?<!ak)(?<!h)ets?$")
_GENITIVE = re.compile(r"(?<=[bcdfghjklmnoprtvy])s$")
_DEFINITE = re.compile(r"(?<=[eo][lr])n$")
_SUFFIX = re.compile(r"(?:lig|ig|els)$|(?<=lös)t$|(?<=full)t$")


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The word, in small letters, without its ending. Not always a word itself: "vänliga" gives "vän"."""
    root = _ROOT.match(word)
    if root is None:
        return word
    start = max(3, root.end())

    def cut(pattern: re.Pattern[str], word: str) -> str:
        found = pattern.search(word, start)
        return word[: found.start()] if found else word

    bare = cut(_ENDINGS, word)
    if bare == word:
        bare = cut(_ET, word)
    if bare == word:
        bare = cut(_DEFINITE, cut(_GENITIVE, word))
    if len(bare) > start and bare[-2:] in ("dd", "gd", "nn", "dt", "gt", "kt", "tt"):
        bare = bare[:-1]
    bare = cut(_SUFFIX, bare)
    if bare.endswith("mm"):
        bare = bare[:-1]
    # läkemed(e)l, nyck(e)l: as in "läkemedlen".
    if len(bare) > start + 1 and bare.endswith("el") and bare[-3] not in _VOWELS:
        bare = f"{bare[:-2]}l"
    return bare
