"""Read requests for access tokens and name what is wrong with them (RFC 6749 sections 3.2, 4.4 and 5.2)."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError, UnsupportedGrantTypeError
from flask import Request

GRANT_TYPE = "client_credentials"
FORM_TYPE = "application/x-www-form-urlencoded"
FORMAT = "In sk_test_<id>_<secret>, the ID is the part before the last underscore and the secret the part after it."
INCORRECT = f"Client ID or secret is incorrect. Check that the key is neither revoked nor expired. {FORMAT}"
"""One description for an unknown ID and for a wrong secret, so that nobody can find out which IDs exist."""
_WHOLE_KEY = re.compile(r"\A[a-z]{2}_(?:test|live)_[0-9A-Za-z]+_[0-9A-Za-z]+\Z")


def check_token_request(request: Request) -> None:
    """Refuse a request for a token that is malformed, or that names no client.

    Raises InvalidRequestError, UnsupportedGrantTypeError or InvalidClientError with the remedy.
    """
    _check_form(request)
    _check_grant_type(request.form.get("grant_type", ""))
    header = request.headers.get("Authorization")
    if header is None:
        _check_client(request.form.get("client_id", ""), request.form.get("client_secret", ""))
        return
    if not header.lower().startswith("basic "):
        raise refused_client("Only HTTP Basic is accepted in the Authorization header. Use the ID and the secret.")
    if request.form.get("client_secret"):
        raise InvalidRequestError("Client credentials were sent twice. Use HTTP Basic or the form, not both.")
    _check_basic(request)


def refused_client(description: str) -> InvalidClientError:
    """Return the error for a client that could not be authenticated, status 401."""
    return InvalidClientError(status_code=401, description=description)


def _check_form(request: Request) -> None:
    is_json = request.get_data(cache=True).lstrip()[:1] in (b"{", b"[")
    if is_json or (request.mimetype and request.mimetype != FORM_TYPE):
        sent = "JSON" if is_json else request.mimetype or "a body of no stated type"
        raise InvalidRequestError(f"Send the parameters as {FORM_TYPE}, not as {sent[:60]}.")
    for name, values in request.form.lists():
        if len(values) > 1:
            raise InvalidRequestError(f"{name[:60]} was sent more than once. Send it once.")


def _check_grant_type(grant_type: str) -> None:
    if not grant_type:
        raise InvalidRequestError(f"grant_type is required. Use {GRANT_TYPE}.")
    if grant_type != GRANT_TYPE:
        error = UnsupportedGrantTypeError(grant_type)
        error.description = f"This grant_type is not supported. Use {GRANT_TYPE}."
        raise error


def _check_basic(request: Request) -> None:
    basic = request.authorization
    if basic is None or basic.type != "basic" or basic.username is None:
        raise refused_client("The Authorization header is malformed. Send Basic and base64 of id:secret.")
    client_id = unquote_plus(basic.username)
    _check_client(client_id, basic.password or "")
    if request.form.get("client_id") not in (None, "", client_id):
        raise InvalidRequestError("client_id differs from the ID sent by HTTP Basic. Leave it out of the form.")


def _check_client(client_id: str, client_secret: str) -> None:
    if not client_id and not client_secret:
        raise refused_client("Client credentials are missing. Send the ID and the secret of a key by HTTP Basic.")
    if not client_id:
        raise refused_client(f"client_id is missing. {FORMAT}")
    if not client_secret:
        raise refused_client(f"client_secret is missing. {FORMAT}")
    if _WHOLE_KEY.match(client_id):
        raise refused_client("Client ID is incorrect. Use the part of the key between its type and its secret.")
    if _WHOLE_KEY.match(client_secret):
        raise refused_client("Client secret is incorrect. Use the part of the key after the ID.")
