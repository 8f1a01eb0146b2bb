"""Column types: exact numbers, UTC instants, encrypted text; and texts compared whatever their case."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, LargeBinary, String, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from portal.core.secrets import derive_key

_WORTH_PACKING = 500
_ENCRYPTED = "encrypted"


def plain_number(value: Decimal) -> Decimal:
    """The same number without trailing zeros or exponent."""
    return shorten(value, 0)


def shorten(value: Decimal, places: int) -> Decimal:
    """Return the same number with as few decimals as it needs, but `places` at least."""
    short = value.quantize(Decimal(1).scaleb(-places))
    return short if short == value else value.normalize()


class Fixed(TypeDecorator[Decimal]):
    """A decimal with `scale` places, kept as a whole number so that sums are exact on every store.

    Trailing zeros beyond `shown` places are dropped on the way out: a quantity reads 1, not 1.000.
    """

    impl = BigInteger
    cache_ok = True

    def __init__(self, scale: int = 2, *, shown: int | None = None) -> None:
        super().__init__()
        self.scale = scale
        self.shown = scale if shown is None else shown

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else int(Decimal(value).scaleb(self.scale).to_integral_value(ROUND_HALF_UP))

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        number = Decimal(int(value)).scaleb(-self.scale)
        return number if self.shown == self.scale else shorten(number, self.shown)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self


Money = Fixed(2)
Rate = Fixed(4, shown=2)
Quantity = Fixed(3, shown=0)


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An instant, always aware and in UTC on this side of the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class EncryptedText(TypeDecorator[str]):
    """Text encrypted at rest with a key derived from SECRET_KEY; set once at boot by `use_secret`."""

    impl = Text
    cache_ok = True
    _cipher: Fernet | None = None

    @classmethod
    def use_secret(cls, secret_key: str) -> None:
        """Set the key for this process."""
        cls._cipher = Fernet(derive_key(secret_key, "encryption"))

    @classmethod
    def encrypt(cls, value: str) -> str:
        """Return the text as it is stored."""
        return cls._ready().encrypt(value.encode()).decode()

    @classmethod
    def decrypt(cls, stored: str) -> str:
        """Return the text that was encrypted."""
        return cls._ready().decrypt(stored.encode()).decode()

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.encrypt(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.decrypt(value)

    @classmethod
    def _ready(cls) -> Fernet:
        if cls._cipher is None:
            raise RuntimeError("EncryptedText.use_secret was not called at boot")
        return cls._cipher


class EncryptedJson(TypeDecorator[dict[str, Any]]):
    """A JSON object encrypted at rest, as EncryptedText is. Objects stored in the clear before stay readable."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        return None if value is None else {_ENCRYPTED: EncryptedText.encrypt(json.dumps(value))}

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        if value is None or value.keys() != {_ENCRYPTED}:
            return value
        return dict(json.loads(EncryptedText.decrypt(value[_ENCRYPTED])))


class PackedText(TypeDecorator[str]):
    """A long text that is kept but seldom read, compressed: an answer of 7 kB takes 2.

    The first byte tells how the rest is kept: `=` as it is, `z` by zlib (RFC 1950).
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else pack(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return (zlib.decompress(value[1:]) if value[:1] == b"z" else value[1:]).decode()


@lru_cache(maxsize=64)
def pack(text: str) -> bytes:
    """A text as PackedText keeps it. The same long text often comes again: a list that is read over and over."""
    raw = text.encode()
    packed = zlib.compress(raw, 1) if len(raw) > _WORTH_PACKING else raw
    return b"z" + packed if len(packed) < len(raw) else b"=" + raw


class lowered(FunctionElement[str]):
    """A text in small letters, whatever its script: SQLite's own `lower` knows the letters of ASCII only."""

    type = String()
    inherit_cache = True


@compiles(lowered)
def _write_lower(element: lowered, compiler: SQLCompiler, **details: Any) -> str:
    return f"lower({compiler.process(element.clauses, **details)})"


@compiles(lowered, "sqlite")
def _write_lowered(element: lowered, compiler: SQLCompiler, **details: Any) -> str:
    return f"lowered({compiler.process(element.clauses, **details)})"
