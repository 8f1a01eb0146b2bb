"""Access tokens: client credentials for an hour's bearer token, by Authlib (RFC 6749 section 4.4)."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any, Literal

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidScopeError, OAuth2Error
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from flask import Blueprint, Flask, Response, request
from pydantic import ConfigDict, Field

from portal.api.operation import Operation
from portal.api.schema import ApiModel, rule
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import Unauthorized
from portal.core.ownership import table_of
from portal.core.prepared import direct
from portal.core.retention import delete_in_steps
from portal.core.runtime import current_session, runtime
from portal.core.secrets import keyed_hash
from portal.limits import TOKENS_BY_ADDRESS
from portal.tenancy.clocks import TOKEN_LIFETIME
from portal.tenancy.credentials import TOKEN_PURPOSE, Caller, identify_by_key
from portal.tenancy.keys import KEY_TYPES
from portal.tenancy.models import AccessToken
from portal.tenancy.permissions import permissions_of
from portal.tenancy.token_requests import INCORRECT, check_token_request, refused_client

LIFETIME = int(TOKEN_LIFETIME.total_seconds())

blueprint = Blueprint("tokens", __name__)
server = AuthorizationServer()


class Client(ClientMixin):  # type: ignore[misc]
    """An API key as OAuth sees it: the key's short id, and the rest of the key as the secret."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.caller: Caller | None = None

    def get_client_id(self) -> str:
        return self.client_id

    def check_client_secret(self, client_secret: str) -> bool:
        settings = runtime().settings
        with direct(runtime().database.engine, write=False) as connection:
            for kind in KEY_TYPES:
                try:
                    key = f"{kind}_{self.client_id.removeprefix(f'{kind}_')}_{client_secret}"
                    self.caller = identify_by_key(connection, settings.secret_key, key)
                except Unauthorized:
                    continue
        return self.caller is not None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in {"client_secret_basic", "client_secret_post"}

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or " ".join(sorted(self.permissions))

    @property
    def permissions(self) -> frozenset[str]:
        """What the key may do: its role's permissions, narrowed to its scopes."""
        assert self.caller is not None
        own = permissions_of(self.caller.role, self.caller.mode)
        return own if self.caller.scopes is None else own & self.caller.scopes


class Grant(ClientCredentialsGrant):  # type: ignore[misc]
    """Client credentials; a scope beyond the key's is refused, never trimmed in silence."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def authenticate_token_endpoint_client(self) -> Any:
        try:
            return super().authenticate_token_endpoint_client()
        except InvalidClientError:
            raise refused_client(INCORRECT) from None

    def validate_requested_scope(self) -> None:
        missing = set((self.request.payload.scope or "").split()) - self.request.client.permissions
        if missing:
            named = ", ".join(sorted(missing)[:5])[:200]
            raise InvalidScopeError(f"The key does not have {named}. Request only permissions of the key.")


def init_tokens(app: Flask) -> None:
    """Set Authlib up on the application."""
    app.config["OAUTH2_ACCESS_TOKEN_GENERATOR"] = lambda *_, **__: f"at_{secrets.token_hex(24)}"
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"client_credentials": LIFETIME}
    server.init_app(app, query_client=Client, save_token=_save)
    server.register_grant(Grant)


def _save(token: dict[str, Any], request: Any) -> None:
    caller: Caller = request.client.caller
    session = current_session()
    session.bind_tenant(caller.tenant_id, caller.clock)
    now = session.clock.now()
    session.add(
        AccessToken(
            token_hash=keyed_hash(runtime().settings.secret_key, TOKEN_PURPOSE, token["access_token"]),
            api_key_id=caller.api_key_id,
            scopes=token["scope"].split(),
            issued_at=now,
            expires_at=now + TOKEN_LIFETIME,
        )
    )


@blueprint.post("/oauth/token")
@TOKENS_BY_ADDRESS  # type: ignore[untyped-decorator]
def issue_token() -> Response:
    try:
        check_token_request(request)
        response: Response = server.create_token_response()
    except OAuth2Error as error:
        response = server.handle_error_response(None, error)
    except ValueError:  # Authlib takes for granted that Basic credentials are text.
        response = server.handle_error_response(None, refused_client(INCORRECT))
    return response


def forget_ended_tokens(database: Database, settings: Settings) -> None:
    """Delete tokens that ended more than a day ago, every tenant's; no tenant's clock is behind this machine's."""
    table = table_of(AccessToken)
    delete_in_steps(database, table, table.c.expires_at < system_now() - dt.timedelta(days=1))


class TokenBody(ApiModel):
    """The form of RFC 6749 section 4.4.2; id and secret may come by HTTP Basic instead. More is ignored."""

    model_config = ConfigDict(extra="ignore")

    grant_type: Literal["client_credentials"]
    client_id: str | None = Field(None, json_schema_extra=rule("the id of a key in force"))
    client_secret: str | None = Field(None, json_schema_extra=rule("the secret of that key"))
    scope: str | None = Field(None, json_schema_extra=rule("permissions that the key holds, with spaces between"))


class TokenView(ApiModel):
    """The answer of RFC 6749 section 5.1."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


OPERATIONS = (
    Operation(
        id="tokens.issue",
        method="POST",
        path="/oauth/token",
        summary="Issue an access token",
        outcome="Access token",
        description="Trades a key's id and secret for a bearer token that lasts an hour and never outlives its key. "
        "In `sk_test_ID_SECRET` both stand behind the kind; they go by HTTP Basic or in the form. "
        "Failures have the form of RFC 6749: `invalid_request`, `invalid_client`, `invalid_scope`, "
        "`unsupported_grant_type`. "
        "`error_description` names the parameter and the remedy.",
        family="tokens",
        handle=lambda call: None,
        body=TokenBody,
        returns=TokenView,
        is_form=True,
        sample={"grant_type": "client_credentials", "scope": "crm:read"},
        example={
            "access_token": "at_5d0c8b1f7a3e9d2460c8b1f75d0c8b1f7a3e9d2460c8b1f7",
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "scope": "crm:read",
        },
    ),
)
