"""Mask secrets in everything that is logged, shown or exported: one rule for headers, bodies, addresses and texts.

Names are compared without case and separators, so that `api_key`, `apiKey` and `X-API-Key` are one name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import unquote_plus

import re2

MASK = "••••"
HEADERS_KEPT = 60
HEADER_LENGTH_KEPT = 500

_SEPARATORS = re.compile(r"[^a-z0-9]+")
_SECRET_NAME = re.compile(
    r"passw(?:or)?d|passphrase|passcode|secret(?!ar)|credential|authorization|cookie|sessionid|csrf|xsrf"
    r"|(?:api|access|private|signing|encryption|auth|subscription|security|shared|account|master|license)key"
    r"|(?:token|link)hash|(?:token|pwd|jwt)\Z|\A(?:auth|pass|bearer|tokens|otp|cvv|cvc|sid)\Z"
)
_PUBLIC_NAMES = frozenset({"oldsecretuntil"})
_SECRET_HEADERS = frozenset({"xslipwayvisitor", "xauth", "xsignaturekey"})
_PUBLIC_HEADERS = frozenset({"idempotencykey", "xpublishablekey", "secwebsocketkey"})
_SECRET_PARAMETERS = frozenset({"key", "sig", "signature"})

_MARKS = re2.compile(
    r"(?i)passw|passphrase|passcode|secret|credential|authorization|cookie|session[\W_]?id|csrf|xsrf|pwd|jwt"
    r"|(?:api|access|private|signing|encryption|auth|subscription|security|shared|account|master|license)[\W_]?key"
    r"|sk_(?:test|live)_|\bat_|\bgst_|whsec_|\beyj|\b(?:bearer|basic|digest)\s|%[4-7][0-9a-f]|token\s"
    r"|(?:token|tokens|hash|auth|pass|bearer|otp|cvv|cvc|sid|key|sig|signature)[0-9]*[\"'\\]*\s?[:=>]"
)
"""What every text with a secret has somewhere; looked for in one pass, as most texts hold none."""

_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\u00(5f|3[0-9]|[46][1-9a-f]|[57][0-9a])", re.IGNORECASE)
_OUR_SECRET = re.compile(
    r"\b((?:sk_(?:test|live)|at|gst)_[0-9A-Za-z]{0,4})[0-9A-Za-z_]{8,}|\b(whsec_[0-9A-Za-z+/]{0,4})[0-9A-Za-z+/=]{8,}"
)
_WEB_TOKEN = re.compile(r"\b(eyJ[\w-]{2})[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?")
_USER_INFO = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}:(?:\\*/){2})[^\s/\"'<>?#\\]+@", re.IGNORECASE)
_BEARER = re.compile(r"\b((?:Bearer|Basic|Digest)\s+)(?=[^\s\"',;<>\\]*[0-9=])[^\s\"',;<>\\]{6,}", re.IGNORECASE)
_JSON_NAME = re.compile(r'(\\*")((?:[^"\\\n]|\\+u[0-9a-fA-F]{4}){1,100})\1\s*:\s*')
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_JSON_PLAIN = re.compile(r"[^\s\[\]{},\"]+")
_JSON_PUNCTUATION = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_JSON_EMPTY = frozenset({"null", "true", "false"})
_UNICODE_ESCAPE = re.compile(r"\\+u([0-9a-fA-F]{4})")
_FORM = re.compile(r"\A[^\s{}\[\]\"<>=&:]{1,100}=")
_FORM_FIELD = re.compile(r"(\A|&)([^=&]{1,100})=([^&]*)")
_PAIR = re.compile(r"(?<![\w%.\-])([A-Za-z%][\w.\-%\[\]]{1,100})'?\s?([:=])\s?'?")
_PLAIN_VALUE = re.compile(r"(?:Bearer|Basic|Digest|Token)\s+[^\s,;\"'<>\\]+|[^\s,;&\"'<>\\{}\[\]#]+", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b([A-Za-z][\w.\-]{1,100})(\s*=\s*)\"([^\"]*)\"")
_ELEMENT = re.compile(r"<((?:[\w.-]+:)?([\w.-]{1,100})(?:\s[^<>]*)?)>(?:<!\[CDATA\[.*?\]\]>|[^<]+)(?=<)", re.DOTALL)
_PART = re.compile(r"(name=\"([^\"]{1,100})\"[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n)(.*?)(?=\r?\n--|\Z)", re.DOTALL)


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Return True if a field of this name holds a secret, in whatever case and spelling."""
    plain = _squash(name)
    return plain not in _PUBLIC_NAMES and _SECRET_NAME.search(plain) is not None


@lru_cache(maxsize=4096)
def is_secret_header(name: str) -> bool:
    """Return True if a header of this name holds a secret: a secret name, or any key that is not public."""
    plain = _squash(name)
    if plain in _PUBLIC_HEADERS:
        return False
    return plain in _SECRET_HEADERS or plain.endswith("key") or is_secret_name(name)


@lru_cache(maxsize=4096)
def _is_secret_parameter(name: str) -> bool:
    return _squash(name) in _SECRET_PARAMETERS or is_secret_name(name)


def mask_text(text: str) -> str:
    """Return `text` without secrets: JSON, form, XML, address or prose, whole or cut.

    Most texts hold none, which a plain search tells at once. A secret field that holds a list or an object is
    masked as a whole. `null`, `true` and `false` stay.
    """
    if "\\u00" in text:
        text = _ESCAPED.sub(lambda code: code[1] + chr(int(code[2], 16)), text)
    if "@" in text and ("://" in text or "\\/" in text):
        text = _USER_INFO.sub(rf"\1{MASK}@", text)
    return _mask_marked(text) if _MARKS.search(text) else text


def mask_fields(text: str, names: Iterable[str]) -> str:
    """Return `text`, which holds JSON or what was meant to be, without the values of the fields of these names."""
    wanted = frozenset(names)
    return _mask_json(text, wanted.__contains__) if wanted else text


def mask_headers(headers: Iterable[tuple[str, str]], hidden: frozenset[str] = frozenset()) -> list[list[str]]:
    """Return headers as a log shows them: names and values, secrets masked, those of `hidden` (lowercase) too."""
    return [
        [name, MASK if name.lower() in hidden or is_secret_header(name) else _short(value)]
        for name, value in islice(headers, HEADERS_KEPT)
    ]


def mask_value(value: Any, name: str = "") -> Any:
    """Return a value without secrets, nested lists and objects included; `name` is the field that holds it."""
    if name and is_secret_name(name) and not (value is None or isinstance(value, bool)):
        return MASK
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {key: mask_value(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [mask_value(inner) for inner in value]
    return value


def storable(text: str) -> str:
    """Return `text` without what PostgreSQL cannot store: NUL and lone surrogates."""
    if "\x00" in text:
        text = text.replace("\x00", "�")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _short(value: str) -> str:
    return storable(mask_text(value)[:HEADER_LENGTH_KEPT])


def _squash(name: str) -> str:
    plain = unquote_plus(name) if "%" in name else name
    return _SEPARATORS.sub("", plain.lower()).rstrip("0123456789")


def _mask_marked(text: str) -> str:
    text = _OUR_SECRET.sub(rf"\1\2{MASK}", text)
    text = _WEB_TOKEN.sub(rf"\1{MASK}", text)
    if '"' in text:
        text = _mask_json(text, is_secret_name)
        text = _ATTRIBUTE.sub(_masked_attribute, text)
        text = _PART.sub(_masked_part, text)
    if "<" in text:
        text = _ELEMENT.sub(_masked_element, text)
    if _FORM.match(text):
        text = _FORM_FIELD.sub(_masked_field, text)
    text = _BEARER.sub(rf"\1{MASK}", text)
    return _mask_pairs(text)


def _masked_field(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}={MASK}" if found[3] and _is_secret_parameter(found[2]) else found[0]


def _masked_attribute(found: re.Match[str]) -> str:
    return f'{found[1]}{found[2]}"{MASK}"' if found[3] and is_secret_name(found[1]) else found[0]


def _masked_element(found: re.Match[str]) -> str:
    return f"<{found[1]}>{MASK}" if is_secret_name(found[2]) else found[0]


def _masked_part(found: re.Match[str]) -> str:
    return f"{found[1]}{MASK}" if is_secret_name(found[2]) else found[0]


def _mask_json(text: str, is_secret: Callable[[str], bool]) -> str:
    """Mask the values of secret names, in JSON and in JSON that stands as a string in other JSON."""

    def find_end(name: re.Match[str]) -> int:
        if not is_secret(_UNICODE_ESCAPE.sub(_decoded, name[2])):
            return name.end()
        end = _end_of_value(text, name.end(), name[1])
        return name.end() if text[name.end() : end] in _JSON_EMPTY else end

    return _mask_values(text, _JSON_NAME, find_end, lambda name: f"{name[1]}{MASK}{name[1]}")


def _mask_pairs(text: str) -> str:
    """Mask query parameters, lines such as `Authorization: Bearer …`, settings in a text."""

    def find_end(name: re.Match[str]) -> int:
        is_secret = _is_secret_parameter(name[1]) if name[2] == "=" else is_secret_name(name[1])
        value = _PLAIN_VALUE.match(text, name.end()) if is_secret else None
        return value.end() if value and not value[0].endswith(MASK) else name.end()

    return _mask_values(text, _PAIR, find_end, lambda name: MASK)


def _mask_values(
    text: str,
    names: re.Pattern[str],
    find_end: Callable[[re.Match[str]], int],
    show: Callable[[re.Match[str]], str],
) -> str:
    """Replace what follows each name, up to where `find_end` says; nothing where that is the name's own end."""
    pieces: list[str] = []
    done = 0
    for name in names.finditer(text):
        end = find_end(name) if name.start() >= done else name.end()
        if end > name.end():
            pieces += (text[done : name.end()], show(name))
            done = end
    return "".join((*pieces, text[done:])) if pieces else text


def _decoded(code: re.Match[str]) -> str:
    return chr(int(code[1], 16))


def _end_of_value(text: str, start: int, quote: str) -> int:
    """Return where the JSON value that begins at `start` ends; the end of the text where it was cut."""
    if text.startswith(quote, start):
        return _end_of_string(text, start, quote)
    if text[start : start + 1] in ("{", "["):
        return _end_of_nested(text, start) if quote == '"' else len(text)
    plain = _JSON_PLAIN.match(text, start)
    return plain.end() if plain else start


def _end_of_string(text: str, start: int, quote: str) -> int:
    if quote == '"':
        whole = _JSON_STRING.match(text, start)
        return whole.end() if whole else start
    closing = re.compile(rf"(?<!\\){re.escape(quote)}").search(text, start + len(quote))
    return closing.end() if closing else len(text)


def _end_of_nested(text: str, start: int) -> int:
    depth = 0
    for token in _JSON_PUNCTUATION.finditer(text, start):
        if token[0] in ("{", "["):
            depth += 1
        elif token[0] in ("}", "]"):
            depth -= 1
            if not depth:
                return token.end()
    return len(text)
