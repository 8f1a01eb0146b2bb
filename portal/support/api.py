"""The public operations of guest chat. Browsers prove themselves by a cookie, servers by a token."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response, after_this_request, request
from pydantic import Field

from portal.api.lists import WholeNumber
from portal.api.operation import Call, Done, Operation
from portal.api.schema import ApiModel, Instant
from portal.core.errors import Forbidden
from portal.core.remedies import Remedy
from portal.limits import (
    CHATS_BY_ADDRESS,
    CHATS_BY_EMAIL,
    MESSAGES_BY_ADDRESS,
    MESSAGES_BY_GUEST,
    READS_BY_ADDRESS,
    READS_BY_GUEST,
)
from portal.support.models import Conversation, Message
from portal.support.proof import cookie_with, given_token, is_browser, is_foreign_script, renew_cookie, silence_of
from portal.support.reading import read_events
from portal.support.service import (
    Author,
    GuestMessage,
    Introduction,
    Status,
    close_conversation,
    post_as_guest,
    start_conversation,
)
from portal.support.tokens import find_guests_conversation
from portal.support.visits import desk_address, note_reading

BASE = "/api/v1/support/guest"
PROOF = "Send the guest token as a bearer token, or the cookie. Without either the response is 404."
PATH = {"path:conversation": "The conversation's public id"}


class ConversationView(ApiModel):
    """Where a conversation stands. Open: an answer is due. Pending: it was given."""

    public_id: str
    status: Status
    last_seq: int


class StartedView(ConversationView):
    """A new conversation."""

    guest_token: str | None = Field(
        None,
        description="For servers, and for scripts of other sites that send a publishable key. Returned only here; "
        "store it. Browsers on the portal's own site get a cookie instead",
    )


class LineView(ApiModel):
    """One line: a message, or a change of state."""

    seq: int
    type: Literal["message", "status"]
    author: Author
    author_name: str | None = Field(description="Display name of the staff member who wrote it")
    text: str
    status: Status | None = Field(description="The state the conversation changed to")
    client_msg_id: str | None
    created_at: Instant


class EventsView(ConversationView):
    """What happened since `after`, in order, at most 200 lines."""

    events: list[LineView]


class EventsQuery(ApiModel):
    """Where to go on reading."""

    after: Annotated[WholeNumber, Field(ge=0, le=999_999_999, description="The last `seq` you have handled")] = 0


CONVERSATION = "cnv_5f0d8c1b7a3e9d2460c8b1f7"
EXAMPLE = {"public_id": CONVERSATION, "status": "Open", "last_seq": 2}
EXAMPLE_LINE = {
    "seq": 2,
    "type": "message",
    "author": "guest",
    "author_name": None,
    "text": "The key has a line break at its end.",
    "status": None,
    "client_msg_id": "7d0f3a52",
    "created_at": "2026-11-21T09:12:44Z",
}


def refuse_foreign_script(call: Call) -> None:
    """Raises Forbidden for another site's script without a publishable key: it could not read its conversation."""
    if is_foreign_script() and not request.headers.get("X-Publishable-Key"):
        raise Forbidden(
            "A script of another site needs the publishable key of its tenant. Send it as X-Publishable-Key, or let "
            "your server start the conversation.",
            remedy=Remedy("field", None, "X-Publishable-Key"),
            required="publishable key",
        )


def begin(call: Call) -> Done:
    """Start a conversation and hand over its proof, in the body or as a cookie."""
    _keep_private()
    started = start_conversation(call.session, call.settings.secret_key, call.body, tell=_whom_to_tell())
    data = describe(started.conversation)
    if is_foreign_script() or not is_browser():
        return Done(data | {"guest_token": started.token})
    path = _cookie_path(started.conversation)
    cookie = cookie_with(started.token, path=path, is_secure=call.settings.is_secure)
    return Done(data, {"Set-Cookie": cookie})


def find_own(call: Call) -> Conversation:
    """Return the conversation of the path, if the caller proves to hold it. Raises NotFound."""
    _keep_private()
    token, silence, public_id = given_token(), silence_of(), call.path["conversation"]
    found = find_guests_conversation(call.session, call.settings.secret_key, token, public_id, silence=silence)
    if silence is not None:
        renew_cookie(token, path=_cookie_path(found), is_secure=call.settings.is_secure)
    return found


def read(call: Call) -> dict[str, Any]:
    """Return what is new, and note that the guest was shown it."""
    conversation: Conversation = call.record
    lines = read_events(call.session, conversation, call.query.after)
    note_reading(conversation, lines[-1].seq if lines else 0)
    return describe(conversation) | {"events": [describe_line(line) for line in lines]}


def post(call: Call) -> Done:
    body: GuestMessage = call.body
    line = post_as_guest(call.session, call.record, body.message, body.client_msg_id, tell=_whom_to_tell())
    return Done(describe_line(line))


def close(call: Call) -> Done:
    close_conversation(call.session, call.record, "guest")
    return Done(describe(call.record))


def describe(conversation: Conversation) -> dict[str, Any]:
    """A conversation as an answer shows it."""
    return {name: getattr(conversation, name) for name in ConversationView.model_fields}


def describe_line(line: Message) -> dict[str, Any]:
    """One line as an answer shows it."""
    return {
        "seq": line.seq,
        "type": "status" if line.state else "message",
        "author": line.author,
        "author_name": line.author_name,
        "text": line.text,
        "status": line.state,
        "client_msg_id": line.client_msg_id if line.author == "guest" else None,
        "created_at": line.created_at,
    }


def _cookie_path(conversation: Conversation) -> str:
    return f"{BASE}/{conversation.public_id}" if request.headers.get("X-Publishable-Key") else "/"


def _whom_to_tell() -> str:
    return "" if request.headers.get("X-Publishable-Key") else desk_address()


def _keep_private() -> None:
    @after_this_request
    def add_header(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        return response


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="guest-chat.start",
        method="POST",
        path=BASE,
        summary="Start a conversation",
        outcome="Conversation started",
        description=(
            "Begins a conversation with its first message. A server gets a guest token in the response, and so does "
            "a script of another site that sends a publishable key; without the key it is denied (403). A browser on "
            "the portal's own site gets an HttpOnly cookie instead. An email address proves nothing: whoever types a "
            "known one sees no history."
        ),
        handle=begin,
        find=refuse_foreign_script,
        family="public",
        codes=("forbidden",),
        body=Introduction,
        returns=StartedView,
        status=201,
        sample={
            "fullName": "Jane Smith",
            "email": "jane@example.com",
            "phoneNumber": "9876543210",
            "message": "My call answers 401 and I do not see why.",
        },
        example=Done(EXAMPLE | {"last_seq": 1, "guest_token": "gst_kX2…"}),
        wraps=(CHATS_BY_EMAIL, CHATS_BY_ADDRESS),
    ),
    Operation(
        id="guest-chat.events",
        method="GET",
        path=f"{BASE}/{{conversation}}/events",
        summary="Read what is new",
        outcome="What is new",
        description=f"Messages and changes of state since `after`, each with a growing `seq`. {PROOF}",
        handle=read,
        family="public",
        find=find_own,
        takes_guest_token=True,
        sample_path={"conversation": CONVERSATION},
        query=EventsQuery,
        returns=EventsView,
        sample_query={"after": "0"},
        example=EXAMPLE | {"events": [EXAMPLE_LINE]},
        headers=PATH,
        wraps=(READS_BY_GUEST, READS_BY_ADDRESS),
    ),
    Operation(
        id="guest-chat.post",
        method="POST",
        path=f"{BASE}/{{conversation}}/messages",
        summary="Post a message",
        outcome="Message stored",
        description=(
            "Adds a message of the guest. Sent again with the same `client_msg_id` and text, it gives the message "
            "stored first; another text under a known id answers 409 `duplicate`. What support had closed is open "
            f"again; what the guest closed answers 409 `conflict`. {PROOF}"
        ),
        handle=post,
        family="public",
        find=find_own,
        takes_guest_token=True,
        sample_path={"conversation": CONVERSATION},
        body=GuestMessage,
        returns=LineView,
        status=201,
        codes=("conflict", "duplicate"),
        sample={"message": EXAMPLE_LINE["text"], "client_msg_id": EXAMPLE_LINE["client_msg_id"]},
        example=Done(EXAMPLE_LINE),
        headers=PATH,
        wraps=(MESSAGES_BY_GUEST, MESSAGES_BY_ADDRESS),
    ),
    Operation(
        id="guest-chat.close",
        method="POST",
        path=f"{BASE}/{{conversation}}/close",
        summary="Close the conversation",
        outcome="Conversation closed",
        description=f"Ends the conversation for good; closing it twice changes nothing. {PROOF}",
        handle=close,
        family="public",
        find=find_own,
        takes_guest_token=True,
        sample_path={"conversation": CONVERSATION},
        returns=ConversationView,
        example=Done(EXAMPLE | {"status": "Closed", "last_seq": 3}),
        headers=PATH,
        wraps=(MESSAGES_BY_GUEST, MESSAGES_BY_ADDRESS),
    ),
)
