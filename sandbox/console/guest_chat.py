"""The guest conversation begun from the console: its token is kept as a browser keeps it, out of scripts' reach."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import session

from sandbox.console.sending import Answer, Silence

PLACE = "conversation"
_KEPT = "console_chat"


def remember_conversation(answer: Answer | Silence) -> None:
    """Keep id and token of a conversation that was just begun; any other answer is left alone."""
    if not isinstance(answer, Answer) or answer.status != 201 or b"guest_token" not in answer.body:
        return
    data: Any = msgspec.json.decode(answer.body).get("data")
    if isinstance(data, dict) and data.get("guest_token"):
        session[_KEPT] = [str(data["public_id"]), str(data["guest_token"])]


def known_conversation() -> str:
    """The conversation begun last; empty when there is none."""
    return str(session.get(_KEPT, ("", ""))[0])


def guest_token(conversation: str) -> str:
    """The token of this conversation, if it is the one begun last; else empty."""
    known, token = session.get(_KEPT, ("", ""))
    return str(token) if conversation and conversation == known else ""
