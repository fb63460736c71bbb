"""Hiding a slip: the same words wherever they stand, in whatever case and however the line was broken, and no other."""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "▒▒▒"
# Shorter names are often common words too ("Dag", "Per"), which are left where they do not look like a name.
ANY_CASE_FROM = 4
_LETTER = r"[^\W\d_]"
# A date or a moment, or a code.
_NO_TEXT = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:.+Z-]+)?|[a-z]+(?:[_.][a-z]+)*")


def wherever(slip: str) -> re.Pattern[str] | None:
    """What finds the slip in any text: whole words, with or without the s of a genitive after it, across any white
    space. From four signs on in any case; two or three as they were written or with capitals. None for an initial,
    which is hidden only where it was pointed at.
    """
    words = slip.split()
    if len("".join(words)) < 2:
        return None
    length = len(" ".join(words))
    spellings = (
        [words] if length >= ANY_CASE_FROM else [words, _each(str.upper, words), _each(str.title, words)]
    )
    found = "|".join(dict.fromkeys(r"\s+".join(map(re.escape, one)) for one in spellings))
    begins = rf"(?<!{_LETTER})" if words[0][0].isalpha() else ""
    ends = rf"(?=[sS]?(?!{_LETTER}))" if words[-1][-1].isalpha() else ""
    return re.compile(f"{begins}(?:{found}){ends}", re.IGNORECASE if length >= ANY_CASE_FROM else 0)


def _each(change: Any, words: list[str]) -> list[str]:
    return [change(word) for word in words]


def hide(text: str, slip: re.Pattern[str] | None, exact: tuple[int, int] | None = None) -> str:
    """The text without the slip, nor what stands from the first to the second of `exact`."""
    if exact:
        text = text[: exact[0]] + HIDDEN + text[exact[1] :]
    return slip.sub(HIDDEN, text) if slip else text


def hide_deep(
    content: Any, slip: re.Pattern[str] | None, changed: Mapping[str, str], *, codes: bool = False
) -> Any:
    """The same in a stored form: texts that were masked themselves (`changed`), and the slip inside others. With
    `codes`, what the form says in codes and dates is no text: "2026" hidden in a date would leave a page that cannot
    be read.
    """
    if isinstance(content, str):
        if codes and content not in changed and _NO_TEXT.fullmatch(content):
            return content
        return hide(changed.get(content, content), slip)
    if isinstance(content, list):
        return [hide_deep(item, slip, changed, codes=codes) for item in content]
    if isinstance(content, dict):
        return {name: hide_deep(item, slip, changed, codes=codes) for name, item in content.items()}
    return content
