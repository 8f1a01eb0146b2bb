"""Column types: exact numbers, UTC instants, encrypted text."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import BigInteger, DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

from portal.core.secrets import derive_key


class Fixed(TypeDecorator[Decimal]):
    """A decimal with `scale` places, kept as a whole number so that sums are exact on every store."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, scale: int = 2) -> None:
        super().__init__()
        self.scale = scale

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else int(Decimal(value).scaleb(self.scale).to_integral_value(ROUND_HALF_UP))

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)).scaleb(-self.scale)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self


Money = Fixed(2)
Rate = Fixed(2)
Quantity = Fixed(3)


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

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self._ready().encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self._ready().decrypt(value.encode()).decode()

    def _ready(self) -> Fernet:
        if self._cipher is None:
            raise RuntimeError("EncryptedText.use_secret was not called at boot")
        return self._cipher
