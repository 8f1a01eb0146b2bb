"""What the page shows of an exchange: pretty, highlighted, sized, with its code and its notice."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from portal.api.body import parse_json
from portal.api.exchanges import BODY_KEPT, Exchange
from portal.core.clock import system_now
from portal.core.errors import MalformedJson
from portal.docs.calls import Call
from portal.docs.samples import samples_of
from portal.docs.service import current_docs
from sandbox.console.drafts import NO_KEY, Draft, printable
from sandbox.console.sending import Answer

PAINTED = 100_000
NOTICE_KINDS = {"success": "success", "warning": "warning", "failure": "failure", "upgrade_required": "upgrade"}
_CODE = re.compile(r"[a-z_]{1,60}")


@dataclass(frozen=True)
class Painted:
    """A body: safe markup, the text behind it, the name of its language, and the document if it is JSON."""

    markup: Markup
    text: str
    language: str
    document: Any


@dataclass(frozen=True)
class Shown:
    """One answer, ready for the template. `body` is safe markup."""

    status: int
    time: str
    size: str
    request_id: str
    headers: tuple[tuple[str, str], ...]
    body: Markup
    language: str
    code: str
    code_url: str
    notice: tuple[str, str, str] | None
    is_cut: bool


def show_answer(answer: Answer) -> Shown:
    """The live answer of a request that was just sent."""
    text = answer.body.decode("utf-8", "replace")
    return _show(
        answer.status,
        text,
        answer.headers,
        time=f"{answer.duration:,} ms",
        size=size_of(len(answer.body)),
        is_cut=answer.is_cut,
    )


def show_logged(exchange: Exchange) -> Shown:
    """The answer of a logged exchange, secrets masked."""
    headers = tuple((name, value) for name, value in exchange.response_headers)
    length = next((value for name, value in headers if name.lower() == "content-length"), "")
    kept = len(exchange.response_body.encode())
    shown = _show(
        exchange.status,
        exchange.response_body,
        headers,
        time=duration_of(exchange.duration),
        size=size_of(int(length) if length.isdigit() else kept),
        is_cut=len(exchange.response_body) >= BODY_KEPT,
    )
    return replace(shown, request_id=exchange.request_id)


def _show(status: int, text: str, headers: Sequence[tuple[str, str]], *, time: str, size: str, is_cut: bool) -> Shown:
    body = paint_body(text)
    code = body.document.get("code") if isinstance(body.document, dict) else None
    code = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    return Shown(
        status=status,
        time=time,
        size=size,
        request_id=next((value for name, value in headers if name.lower() == "x-request-id"), ""),
        headers=tuple(headers),
        body=body.markup,
        language=body.language,
        code=code,
        code_url=f"/errors/{code}" if code and current_docs().library.error(code) else "",
        notice=_notice(body.document),
        is_cut=is_cut,
    )


def _notice(document: Any) -> tuple[str, str, str] | None:
    notice = document.get("notice") if isinstance(document, dict) else None
    if not isinstance(notice, dict) or notice.get("type") not in NOTICE_KINDS:
        return None
    return NOTICE_KINDS[notice["type"]], str(notice.get("title", "")), str(notice.get("text", ""))


def paint_body(text: str) -> Painted:
    """A body as the page shows it: JSON indented and coloured, anything else as it came."""
    text = printable(text)
    try:
        document = msgspec.json.decode(text)
        pretty = msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return Painted(escape(text), text, "Text" if text.strip() else "", None)
    return Painted(paint(pretty, "json"), pretty, "JSON", document)


def paint(text: str, lexer: str) -> Markup:
    """Spans of Pygments classes, escaped; a long text is escaped only, since nobody waits for its colours."""
    if len(text) > PAINTED:
        return escape(text)
    lexed = get_lexer_by_name(lexer, stripnl=False, ensurenl=False)
    return Markup(highlight(text, lexed, HtmlFormatter(nowrap=True)).rstrip("\n"))  # noqa: S704 — escaped there


def write_samples(draft: Draft, publishable_key: str | None, *, has_token: bool) -> list[tuple[str, str, Markup]]:
    """The same call in every language of the documentation, with variables where the key or token belongs."""
    headers = dict(draft.given_headers)
    if draft.operation.is_public and publishable_key:
        headers["X-Publishable-Key"] = publishable_key
    bare = draft.operation.is_public or draft.role == NO_KEY
    credential = ("bearer" if has_token else "") if bare else draft.operation.call.credential
    call = Call(
        method=draft.operation.method,
        path=draft.filled_path,
        query=draft.given_query,
        headers=headers,
        body=_sample_body(draft),
        media_type="application/json" if draft.takes_body else "",
        credential=credential,
    )
    return [
        (sample.language.slug, sample.language.label, paint(sample.text, sample.language.lexer))
        for sample in samples_of(call)
    ]


def _sample_body(draft: Draft) -> Any:
    """The body as a document where it is one, so that each language writes it its own way; else as text."""
    if not draft.takes_body or not draft.body:
        return None
    try:
        document = parse_json(draft.body.encode())
    except MalformedJson:
        return draft.body
    return document if isinstance(document, dict | list) else draft.body


def size_of(count: int) -> str:
    """A number of bytes for people."""
    return f"{count:,} B" if count < 1024 else f"{count / 1024:,.1f} kB"


def duration_of(microseconds: int) -> str:
    """A duration for people."""
    return f"{microseconds / 1000:,.1f} ms" if microseconds < 10_000 else f"{round(microseconds / 1000):,} ms"


def time_left(end: dt.datetime) -> tuple[int, int]:
    """Whole hours and minutes until `end`."""
    minutes = max(0, int((end - system_now()).total_seconds() // 60))
    return divmod(minutes, 60)


def length_of(seconds: int) -> str:
    """A length of time in its two largest units: `40 min`, `2 h 5 min`, `31 d`."""
    parts = (seconds // 86_400, "d"), (seconds // 3_600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")
    return " ".join([f"{count} {unit}" for count, unit in parts if count][:2])
