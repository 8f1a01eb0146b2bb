"""The ways an API document offers to prove who calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Credential:
    """A way to prove who calls. `kind` is `bearer`, `basic`, `header`, `query`, `cookie` or `oauth2`.

    `variable` is where the samples read it from.
    """

    kind: str
    name: str
    description: str
    variable: str = "SLIPWAY_KEY"


def read_credential(scheme: Mapping[str, Any]) -> Credential:
    """A security scheme of the document as what the caller sends."""
    kind = str(scheme.get("type", ""))
    description = str(scheme.get("description", ""))
    if kind == "http":
        variable = str(scheme.get("x-variable", "SLIPWAY_KEY"))
        return Credential(str(scheme.get("scheme", "")).lower(), "Authorization", description, variable)
    if kind == "apiKey":
        return Credential(str(scheme.get("in", "header")), str(scheme.get("name", "")), description)
    return Credential(kind.lower(), "Authorization", description)


def shown_in_samples(credentials: tuple[Credential, ...]) -> str:
    """The credential the samples use, as `Call.credential` takes it: a bearer token where one is taken."""
    kinds = {credential.kind: credential.name for credential in credentials}
    if kinds.keys() & {"bearer", "oauth2", "openidconnect"}:
        return "bearer"
    return "basic" if "basic" in kinds else kinds.get("header", "")
