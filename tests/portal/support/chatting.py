"""A visitor and a colleague in a chat, without scripts."""

from __future__ import annotations

import html as markup
import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.portal.people import fill_in, new_email


def start(client: FlaskClient, **fields: Any) -> TestResponse:
    """Begin a conversation."""
    typed = {"fullName": "Jane Smith", "email": new_email(), "message": "My call answers 401."} | fields
    return fill_in(client, "/support", "/support", **typed)


def say(client: FlaskClient, text: str, **fields: Any) -> TestResponse:
    """Write a further message."""
    return fill_in(client, "/support", "/support/messages", **{"message": text, "client_msg_id": text} | fields)


def texts(client: FlaskClient, path: str = "/support/panel") -> list[str]:
    """The lines that a page shows."""
    page = client.get(path).get_data(as_text=True)
    return [markup.unescape(text) for text in re.findall(r'class="message-text">(.*?)</p>', page, re.DOTALL)]


def all_lines(client: FlaskClient) -> list[str]:
    """Every line of this browser's conversation, read on and on as a script would."""
    found: list[str] = []
    while lines := texts(client, f"/support/panel?after={len(found)}"):
        found += lines
    return found


def chat_at_desk(sam: FlaskClient, email: str) -> str:
    """The page at the desk about the chat of this address."""
    page = sam.get("/staff", query_string={"q": email}).get_data(as_text=True)
    found = re.search(r'href="(/staff/chats/cnv_\w+)">(?:(?!</a>).)*' + re.escape(email), page, re.DOTALL)
    assert found, f"{email} is not at the desk"
    return found.group(1)


def answer(sam: FlaskClient, chat: str, text: str) -> TestResponse:
    """Reply as staff."""
    return fill_in(sam, chat, f"{chat}/messages", message=text, client_msg_id=text)
