"""The E.164 form beside each telephone number of the examples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from portal.api.operation import Answer, Done, Page
from portal.core.phones import e164_of


def with_e164(value: Any) -> Any:
    """Return an example whose records have their `phone_e164`."""
    if isinstance(value, list):
        return [with_e164(item) for item in value]
    if not isinstance(value, dict):
        return value
    shown = {name: with_e164(item) for name, item in value.items()}
    if "phone" in shown and "version" in shown:
        country = shown.get("country") or ("IN" if "gst_no" in shown else None)
        shown["phone_e164"] = e164_of(shown["phone"], country)
    return shown


def answer_with_e164(answer: Answer | None) -> Answer | None:
    """Return an example of a response whose records have their `phone_e164`."""
    if isinstance(answer, Done):
        return replace(answer, data=with_e164(answer.data))
    if isinstance(answer, Page):
        return replace(answer, items=with_e164(answer.items))
    return with_e164(answer) if isinstance(answer, dict) else answer
