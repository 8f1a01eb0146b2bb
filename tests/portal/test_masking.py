"""One rule masks secrets, whatever their name's spelling and whatever they stand in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.masking import MASK, is_secret_header, is_secret_name, mask_fields, mask_headers, mask_text, mask_value

SECRET = "hunter2-Zx81!"
NAMES = [
    *("password", "Password", "PASSWORD", "pass_word1", "userPassword", "user-password", "passwd", "pwd", "dbPwd"),
    *("apiKey", "api_key", "API-KEY", "x.api.key", "accessKey", "access_key_id", "privateKey", "signing_key"),
    *("token", "auth.token", "accessToken", "refresh_token", "ID_TOKEN", "X-Api-Token", "csrf_token", "tokens"),
    *("secret", "clientSecret", "webhook_secret", "authorization", "Authorization", "Proxy-Authorization", "auth"),
    *("credentials", "passphrase", "Set-Cookie", "session_id", "otp", "cvv", "bearer", "jwt", "password2"),
]
PUBLIC = [
    *("customer_id", "email", "secretary", "secretary_name", "token_type", "max_token_count", "author", "compass"),
    *("old_secret_until", "publishable_key", "idempotency_key", "sort_key", "authorized_at", "keyboard", "pin", "zip"),
]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "pass_word1"])
def test_a_secret_name_is_known_in_any_case_and_spelling(name: str) -> None:
    assert is_secret_name(name)
    assert is_secret_header(name)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_name_that_only_resembles_a_secret_is_not_taken_for_one(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", ["X-Subscription-Key", "X-Acme-Key", "x-slipway-visitor", "X-Auth"])
def test_any_key_header_is_secret(name: str) -> None:
    assert is_secret_header(name)


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-Publishable-Key", "webhook-signature", "Accept"])
def test_a_public_header_stays(name: str) -> None:
    assert mask_headers([(name, "v1,abc=")]) == [[name, "v1,abc="]]


@pytest.mark.parametrize(
    "text",
    [
        '{"Password": "hunter2-Zx81!"}',
        '{"api\\u004bey": "hunter2-Zx81!"}',
        '{"a": 1, "apiKey" : "hunter2-Zx81!", "b": 2}',
        '{"auth": {"kind": "basic", "list": ["}", "hunter2-Zx81!"]}, "b": 2}',
        '{"auth.token": "hunter2-Zx81!',
        '{"tokens": ["hunter2-Zx81!", "hunter2-Zx81!"]}',
        '"{\\"authorization\\": \\"hunter2-Zx81!\\", \\"b\\": 2}"',
        '{"body": "{\\"auth\\": {\\"token\\": \\"hunter2-Zx81!\\"}}"}',
        "grant_type=client_credentials&client_secret=hunter2-Zx81!&scope=x",
        "pass%77ord=hunter2-Zx81!&b=2",
        "password=a hunter2-Zx81! b&c=d",
        "/inbox/abc?token=hunter2-Zx81!&b=2",
        "/inbox/abc?key=hunter2-Zx81!",
        "/inbox/abc?api_key=hunter2-Zx81!#x",
        "https://storage.example/file?Signature=hunter2-Zx81!&X-Amz-Security-Token=hunter2-Zx81!",
        "https://user:hunter2-Zx81!@partner.example/path",
        "https://hunter2-Zx81!@partner.example/path",
        '{"url": "https:\\/\\/user:hunter2-Zx81!@partner.example"}',
        "postgresql+psycopg://slipway:hunter2-Zx81!@db/name",
        "The partner said: invalid password: hunter2-Zx81!",
        "Authorization: Bearer hunter2-Zx81!",
        "{'password': 'hunter2-Zx81!'}",
        "<Login><Password>hunter2-Zx81!</Password></Login>",
        '<s:token type="a">hunter2-Zx81!</s:token>',
        "<password><![CDATA[hunter2-Zx81!]]></password>",
        '<login password="hunter2-Zx81!"/>',
        '--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2-Zx81!\r\n--x--',
        "sent with bearer hunter2-Zx81! in it",
        "sk_test_hunter2Zx81hunter2Zx81hunter2Zx81!",
    ],
)
def test_no_text_shows_a_secret(text: str) -> None:
    masked = mask_text(text)
    assert "hunter2-Zx81" not in masked
    assert "hunter2Zx81hunter2" not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    "text",
    [
        '{"account": "John Doe", "note": "the key to it", "secretary": "Ann", "author": "B"}',
        '{"password": null, "secret": false, "token_type": "Bearer", "expires_in": 3600}',
        '{"message": "Invalid API key or unauthorized access", "code": "unauthorized"}',
        "city=Mumbai&sort=-created_at&search=monkey",
        "https://docs.example/errors/unauthorized?page=2",
        '{"email": "ann@example.com", "docs_url": "https://docs.example/errors/x"}',
        "Use Basic authentication or a Bearer credential.",
    ],
)
def test_what_is_no_secret_stays_as_it_was(text: str) -> None:
    assert mask_text(text) == text


def test_what_stands_beside_a_secret_stays() -> None:
    text = '{"a": [1, {"password": 12345}, "x"], "auth": {"b": "]}"}, "city": "Pune"}'
    assert json.loads(mask_text(text)) == {"a": [1, {"password": MASK}, "x"], "auth": MASK, "city": "Pune"}


def test_values_are_masked_in_depth() -> None:
    value = {"headers": [{"name": "n", "apiKey": SECRET}], "url": f"https://u:{SECRET}@x.example", "total": 3}
    assert SECRET not in json.dumps(mask_value(value))
    assert mask_value(value)["total"] == 3
    assert mask_value(None, "password") is None


def test_named_fields_are_masked_whatever_their_name() -> None:
    assert mask_fields('{"value": "x1", "name": "value"}', ("value",)) == f'{{"value": "{MASK}", "name": "value"}}'


@given(
    before=st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers() | st.none(), max_size=3),
    name=st.sampled_from(["password", "apiKey", "X-Api-Token", "Authorization"]),
    value=st.text(alphabet='ab"\\{}[],: é\u2028', min_size=1, max_size=20),
    depth=st.integers(0, 2),
)
def test_a_secret_of_any_characters_is_masked_and_json_stays_json(
    before: dict[str, object], name: str, value: str, depth: int
) -> None:
    marked = f"Zq7{value}Zq7"
    body: object = {**before, name: marked, "after": "kept"}
    for _ in range(depth):
        body = [body]
    masked = mask_text(json.dumps(body))
    found = json.loads(masked)
    for _ in range(depth):
        found = found[0]
    assert "Zq7" not in masked
    assert found["after"] == "kept"
