"""Typed text: what people paste along is cleaned, and texts are compared whatever their case (contract section 4)."""

from __future__ import annotations

import re
import unicodedata

ISOLATES = "\u2066-\u2069"
INVISIBLE = r"\u200b-\u200f\u202a-\u202e\u2060\ufeff"
"""Characters that no reader sees, as a regular expression writes them in brackets."""
FORBIDDEN = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f"
"""Control characters, in the same way: a text that contains one is rejected."""
_INVISIBLE_IN_LINES = re.compile(f"[{INVISIBLE}{ISOLATES}]")
_INVISIBLE_IN_PARAGRAPHS = re.compile(f"[{INVISIBLE}]")
_NO_BREAK_SPACES = re.compile("[\u00a0\u2007\u202f]")
_FORBIDDEN = re.compile(rf"[{FORBIDDEN}\ud800-\udfff]")
_MARKS = frozenset({"Mn", "Me"})
MARKS_LIMIT = 8


def clean_line(text: str) -> str:
    """Return the text of a field of one line without surrounding blanks and without what no reader sees.

    No-break spaces become spaces.
    """
    if text.isascii():
        return text.strip()
    return _NO_BREAK_SPACES.sub(" ", drop_invisible(text))


def drop_invisible(text: str) -> str:
    """Return a text without surrounding blanks and without any invisible character; its blanks stay as they are."""
    return text.strip() if text.isascii() else _INVISIBLE_IN_LINES.sub("", text).strip()


def clean_paragraph(text: str) -> str:
    """Return a longer text without surrounding blanks and invisible characters; bidirectional isolates stay."""
    return text.strip() if text.isascii() else _INVISIBLE_IN_PARAGRAPHS.sub("", text).strip()


def find_forbidden(text: str) -> str | None:
    """Return the name of the first character that no text may contain, as in `U+0000`; None if there is none."""
    found = _FORBIDDEN.search(text)
    return f"U+{ord(found.group()):04X}" if found else None


def has_too_many_marks(text: str) -> bool:
    """Return True for a text with more than MARKS_LIMIT combining marks in a row."""
    run = 0
    for character in text if not text.isascii() else "":
        run = run + 1 if unicodedata.category(character) in _MARKS else 0
        if run > MARKS_LIMIT:
            return True
    return False


def fold(text: str) -> str:
    """Return the form in which texts are compared whatever their case, in every script (Unicode 3.13, canonical)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())
