"""Full-text search over guides, operations and errors: SQLite FTS5 in memory, forgiving typing mistakes."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup, escape

LONGEST_QUERY = 200
MOST_WORDS = 10
MOST_HITS = 40
FEW_HITS = 8
MOST_OF_A_KIND = 12
MOST_OF_A_PAGE = 3
NEAREST_WORDS = 60
KINDS = ("guide", "operation", "event", "error")

_word = re.compile(r"[^\W_]+")
_schema = """
CREATE VIRTUAL TABLE entry USING fts5(
    title, context, keywords, body, hidden, kind UNINDEXED, url UNINDEXED, label UNINDEXED,
    tokenize = "porter unicode61 remove_diacritics 2", prefix = '2 3');
CREATE VIRTUAL TABLE plain USING fts5(body, tokenize = "unicode61 remove_diacritics 2");
CREATE VIRTUAL TABLE plain_words USING fts5vocab(plain, row);
CREATE VIRTUAL TABLE word USING fts5(padded, plain UNINDEXED, tokenize = "trigram");
"""
_find = """
SELECT kind, url, label, title, context,
       snippet(entry, 3, char(1), char(2), '…', 24), bm25(entry, 12.0, 6.0, 4.0, 1.0, 0.5) AS weight
FROM entry WHERE entry MATCH ? ORDER BY weight LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to find: a section of a guide, an operation or an error.

    `context` says where it stands: the guide of a section, the path of an operation, the code of an error.
    `hidden` is searched but not shown; `label` is shown beside the title.
    """

    kind: str
    url: str
    title: str
    context: str = ""
    keywords: str = ""
    body: str = ""
    hidden: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A found entry; `excerpt` is escaped markup with `<mark>` around what matched."""

    kind: str
    url: str
    label: str
    title: str
    context: str
    excerpt: Markup


@dataclass(frozen=True, slots=True)
class Results:
    """What a search found, best first. `words` are what was searched where the typed ones are unknown."""

    query: str
    hits: tuple[Hit, ...]
    words: str = ""

    def of(self, kind: str) -> tuple[Hit, ...]:
        """The best hits of a kind, not more than a few of one page."""
        shown: dict[str, list[Hit]] = {}
        for hit in self.hits:
            if hit.kind == kind:
                shown.setdefault(hit.url.partition("#")[0], []).append(hit)
        chosen = {hit for hits in shown.values() for hit in hits[:MOST_OF_A_PAGE]}
        return tuple(hit for hit in self.hits if hit in chosen)[:MOST_OF_A_KIND]


class Index:
    """The search index. One connection behind a lock: a search takes far less than a request."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.connection = sqlite3.connect(":memory:", check_same_thread=False)
        self.lock = threading.Lock()
        with self.lock, self.connection:
            self.connection.executescript(_schema)
            self._fill(list(entries))
        self.correction = lru_cache(maxsize=512)(self._correction)

    def _fill(self, entries: list[Entry]) -> None:
        rows = [(e.title, e.context, e.keywords, e.body, e.hidden, e.kind, e.url, e.label) for e in entries]
        self.connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self.connection.executemany("INSERT INTO plain VALUES (?)", [(" ".join(row[:5]),) for row in rows])
        words = self.connection.execute("SELECT term, cnt FROM plain_words").fetchall()
        self.counts = {term: count for term, count in words if len(term) > 2 and not term.isdigit()}
        self.connection.executemany("INSERT INTO word VALUES (?, ?)", [(_padded(w), w) for w in self.counts])

    def search(self, query: str) -> Results:
        """Find entries for what a person typed, which is taken literally; the tenth word is the last."""
        query = query[:LONGEST_QUERY]
        typed = _words_of(query)
        if not typed:
            return Results(query, ())
        corrected = [self.correction(word) for word in typed]
        is_known = corrected == typed
        hits = self._hits(typed, " AND ") + ([] if is_known else self._hits(corrected, " AND "))
        if len(hits) < FEW_HITS:
            hits += self._hits([*typed, *corrected], " OR ")
        found: dict[str, Hit] = {}
        for hit in hits:
            found.setdefault(hit.url, hit)
        return Results(query, tuple(found.values())[:MOST_HITS], "" if is_known else " ".join(corrected))

    def _hits(self, words: list[str], joined: str) -> list[Hit]:
        """Entries that match all or one of the words; words of three letters match as beginnings too."""
        wanted = joined.join(f'"{word}"*' if len(word) > 2 else f'"{word}"' for word in dict.fromkeys(words))
        with self.lock:
            found = self.connection.execute(_find, (wanted, MOST_HITS)).fetchall()
        return [
            Hit(kind, url, label, title, context, _marked(excerpt))
            for kind, url, label, title, context, excerpt, _ in found
        ]

    def _correction(self, word: str) -> str:
        """The word itself if the index knows it (or words that begin so), else the nearest it knows."""
        if len(word) < 3 or any(char.isdigit() for char in word) or self._is_known(word):
            return word
        typed = _trigrams(_padded(word))
        wanted = " OR ".join(f'"{part}"' for part in typed)
        with self.lock:
            rows = self.connection.execute(
                "SELECT plain FROM word WHERE word MATCH ? ORDER BY bm25(word) LIMIT ?",
                (wanted, NEAREST_WORDS),
            ).fetchall()
        allowed = 1 if len(word) < 5 else 2
        near = [(_distance(word, row[0]), -_shared(typed, row[0]), -self.counts[row[0]], row[0]) for row in rows]
        best = min(near, default=None)
        return best[3] if best and best[0] <= allowed else word

    def _is_known(self, word: str) -> bool:
        if word in self.counts:
            return True
        with self.lock:
            return (
                self.connection.execute("SELECT 1 FROM entry WHERE entry MATCH ? LIMIT 1", (f'"{word}"*',)).fetchone()
                is not None
            )


def _words_of(query: str) -> list[str]:
    words = [word.lower() for word in _word.findall(query)]
    telling = [word for word in words if len(word) > 2 or word.isdigit()]
    return (telling or words)[:MOST_WORDS]


def _padded(word: str) -> str:
    return f"$${word}$$"


def _trigrams(text: str) -> list[str]:
    return list(dict.fromkeys(text[place : place + 3] for place in range(len(text) - 2)))


def _shared(trigrams: list[str], word: str) -> int:
    """Count the trigrams that a word has too: of two words one edit away, an omitted letter beats a wrong one."""
    return len(set(trigrams) & set(_trigrams(_padded(word))))


def _marked(excerpt: str) -> Markup:
    marked = str(escape(excerpt)).replace("\x01", "<mark>").replace("\x02", "</mark>")
    return Markup(marked)  # noqa: S704


def _distance(left: str, right: str) -> int:
    """Edits between two words, a swap of neighbours counted as one (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        above, row = row, [i]
        for j, b in enumerate(right, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1]
