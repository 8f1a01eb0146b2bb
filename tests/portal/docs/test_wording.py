"""Guides, error pages and event pages use short sentences and the field's terms."""

from __future__ import annotations

import re

import pytest

from tests.portal.docs.conftest import CONTENT

MOST_WORDS = 25
TERMS = {
    r"answer\w*": "response",
    r"refus\w+": "denied, rejected or failed",
    r"instants?": "time",
    r"ids?": "ID",
    r"e-mails?": "email",
    r"switch\w* (?:on|off)": "enable or disable",
    r"colours?|catalogues?|cancelled": "American spelling",
}
PAGES = sorted(CONTENT.glob("*/*.md"))
BLOCK = re.compile(r"^( *)```.*?^\1```\s*$", re.S | re.M)
UNREAD = re.compile(r"\]\([^)]*\)|\{#[^}]*\}|^#+ |^\s*(?:-|\d+\.) ", re.M)
END = re.compile(r"(?<=[.!?])\s+|\n|\|")


def read_sentences(source: str) -> list[str]:
    """Return the sentences and table cells that people read; code counts as one word."""
    _, _, body = source.partition("\n---\n")
    words = re.sub(r"`[^`\n]*`", "CODE", UNREAD.sub(" ", BLOCK.sub("", body)))
    return [sentence.strip() for sentence in END.split(words) if sentence.strip()]


def find_faults(source: str) -> list[str]:
    """Name each sentence that is too long, joined by a semicolon, or uses another word than the field's."""
    faults = []
    for sentence in read_sentences(source):
        if len(sentence.split()) > MOST_WORDS:
            faults.append(f"more than {MOST_WORDS} words: {sentence}")
        if ";" in sentence:
            faults.append(f"joined by a semicolon: {sentence}")
        faults += [
            f"use {term}: {sentence}" for pattern, term in TERMS.items() if re.search(rf"\b(?:{pattern})\b", sentence)
        ]
    return faults


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_a_page_is_written_in_short_sentences_and_standard_terms(page):
    assert find_faults(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "The answer names the field.",
        "A refused request changes nothing.",
        "Send the id; keep the key.",
        " ".join(["word"] * (MOST_WORDS + 1)) + ".",
    ],
)
def test_another_wording_is_named(sentence):
    assert find_faults(f"---\ntitle: T\n---\n\n{sentence}\n")


def test_code_and_addresses_are_not_read():
    body = "See [IDs](/docs/a#the-answer) and `answer_id`. {#when-the-answer-is-lost}\n\n```\nrefused;\n```\n"
    assert find_faults(f"---\ntitle: T\n---\n\n{body}") == []
