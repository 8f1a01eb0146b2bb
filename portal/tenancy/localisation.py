"""What a tenant's settings may say of money and time: currencies of ISO 4217, zones of the IANA database."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic import WithJsonSchema as JsonSchema

from portal.api.schema import refuse, rule, typed_line

CURRENCIES = frozenset(
    [
        "AED",
        "AFN",
        "ALL",
        "AMD",
        "AOA",
        "ARS",
        "AUD",
        "AWG",
        "AZN",
        "BAM",
        "BBD",
        "BDT",
        "BHD",
        "BIF",
        "BMD",
        "BND",
        "BOB",
        "BRL",
        "BSD",
        "BTN",
        "BWP",
        "BYN",
        "BZD",
        "CAD",
        "CDF",
        "CHF",
        "CLP",
        "CNY",
        "COP",
        "CRC",
        "CUP",
        "CVE",
        "CZK",
        "DJF",
        "DKK",
        "DOP",
        "DZD",
        "EGP",
        "ERN",
        "ETB",
        "EUR",
        "FJD",
        "FKP",
        "GBP",
        "GEL",
        "GHS",
        "GIP",
        "GMD",
        "GNF",
        "GTQ",
        "GYD",
        "HKD",
        "HNL",
        "HTG",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "IQD",
        "IRR",
        "ISK",
        "JMD",
        "JOD",
        "JPY",
        "KES",
        "KGS",
        "KHR",
        "KMF",
        "KPW",
        "KRW",
        "KWD",
        "KYD",
        "KZT",
        "LAK",
        "LBP",
        "LKR",
        "LRD",
        "LSL",
        "LYD",
        "MAD",
        "MDL",
        "MGA",
        "MKD",
        "MMK",
        "MNT",
        "MOP",
        "MRU",
        "MUR",
        "MVR",
        "MWK",
        "MXN",
        "MYR",
        "MZN",
        "NAD",
        "NGN",
        "NIO",
        "NOK",
        "NPR",
        "NZD",
        "OMR",
        "PAB",
        "PEN",
        "PGK",
        "PHP",
        "PKR",
        "PLN",
        "PYG",
        "QAR",
        "RON",
        "RSD",
        "RUB",
        "RWF",
        "SAR",
        "SBD",
        "SCR",
        "SDG",
        "SEK",
        "SGD",
        "SHP",
        "SLE",
        "SOS",
        "SRD",
        "SSP",
        "STN",
        "SVC",
        "SYP",
        "SZL",
        "THB",
        "TJS",
        "TMT",
        "TND",
        "TOP",
        "TRY",
        "TTD",
        "TWD",
        "TZS",
        "UAH",
        "UGX",
        "USD",
        "UYU",
        "UZS",
        "VED",
        "VES",
        "VND",
        "VUV",
        "WST",
        "XAF",
        "XCD",
        "XCG",
        "XOF",
        "XPF",
        "YER",
        "ZAR",
        "ZMW",
        "ZWG",
    ]
)
"""Currencies in circulation in 2026 (ISO 4217 list one), without funds, metals and codes for testing."""

_OF_ONE_MACHINE = frozenset({"localtime", "Factory"})


@cache
def time_zones() -> frozenset[str]:
    """The names of the IANA time zone database."""
    return frozenset(zoneinfo.available_timezones()) - _OF_ONE_MACHINE


def _check_currency(value: str) -> str:
    if value not in CURRENCIES:
        raise refuse("{label} must be a currency code of ISO 4217, in capitals, such as INR")
    return value


def _check_time_zone(value: str) -> str:
    if value not in time_zones():
        raise refuse("{label} must be a zone of the IANA time zone database, such as Asia/Kolkata")
    return value


Currency = Annotated[
    str,
    BeforeValidator(typed_line),
    AfterValidator(_check_currency),
    JsonSchema({"type": "string", "enum": sorted(CURRENCIES), "description": "ISO 4217", "examples": ["INR"]}),
]
TimeZone = Annotated[
    str,
    BeforeValidator(typed_line),
    AfterValidator(_check_time_zone),
    JsonSchema(
        {
            "type": "string",
            "pattern": "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$",
            "description": "IANA time zone database",
            **rule("a zone that it names"),
            "examples": ["Asia/Kolkata"],
        }
    ),
]
