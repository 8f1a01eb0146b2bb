"""Reading a request's JSON strictly: UTF-8, distinct keys, exact numbers, bounded depth (contract sections 3, 4)."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any, NoReturn

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from portal.core.errors import MalformedJson, PayloadTooLarge, UnsupportedMediaType

BODY_LIMIT = 1024 * 1024
DEPTH_LIMIT = 32
WIDTH_LIMIT = 1000
DIGIT_LIMIT = 40


def read_body(request: Request) -> bytes:
    """The body as it was sent. Raises PayloadTooLarge, naming the operation's limit."""
    limit = request.max_content_length or BODY_LIMIT
    too_large = PayloadTooLarge(f"The body may have {limit} bytes at most.")
    try:
        raw = request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise too_large from None
    if request.content_length is None and len(raw) >= limit:
        raise too_large  # A body of unstated length is read up to the limit, then cut.
    return raw


def read_json(request: Request) -> Any:
    """The body as Python values; numbers with a point become Decimal, no body at all becomes an empty object.

    Raises UnsupportedMediaType, PayloadTooLarge, MalformedJson.
    """
    raw = read_body(request)
    if not raw:
        return {}
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    return parse_json(raw)


def parse_json(raw: bytes) -> Any:
    """Parse one document. Raises MalformedJson, telling what is wrong."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedJson("The body is not UTF-8.") from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_distinct,
            parse_float=_number,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise MalformedJson(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise MalformedJson(f"The body is not valid JSON: {error.msg} at line {error.lineno}.") from None
    _refuse_depth(value)
    return value


_TOO_DEEP = f"The body is nested deeper than {DEPTH_LIMIT} levels."


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise MalformedJson(f"The key {twice[:60]!a} stands twice in one object.")
    if len(values) > WIDTH_LIMIT:
        raise MalformedJson(f"An object may have {WIDTH_LIMIT} keys at most.")
    return values


def _number(digits: str) -> Decimal | int:
    """A number with a point; 12.0 is the whole number 12, as JSON Schema has it."""
    if len(digits) > DIGIT_LIMIT or abs(int(digits.lower().partition("e")[2] or 0)) > DIGIT_LIMIT:
        raise MalformedJson(f"A number may have {DIGIT_LIMIT} digits at most.")
    number = Decimal(digits)
    return int(number) if number == number.to_integral_value() else number


def _integer(digits: str) -> int:
    if len(digits) > DIGIT_LIMIT:
        raise MalformedJson(f"A number may have {DIGIT_LIMIT} digits at most.")
    return int(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is not a JSON number.")


def _refuse_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH_LIMIT + 1:
            raise MalformedJson(_TOO_DEEP)
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
