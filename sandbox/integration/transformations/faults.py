"""What cannot work in a transformation, by its place: `rows.3.transformations.0.format`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.integration.transformations.dates import is_zone, parse_format
from sandbox.integration.transformations.step import Step

Faults = Iterator[tuple[str, str]]
_NEEDS: dict[str, tuple[str, ...]] = {
    "case": ("case",),
    "date_format": ("format",),
    "number_format": ("decimal",),
    "default": ("value",),
    "constant": ("value",),
    "lookup": ("table",),
    "join": ("sources",),
}


def faults_of_step(place: str, step: Step) -> Faults:
    """What cannot work in a step, whatever row it belongs to. Whether its sources exist is the mapping's to say."""
    yield from what_is_missing(place, step, _NEEDS)
    if step.format is not None:
        yield from faults_of_format(f"{place}.format", step.format)
    if step.zone is not None and not is_zone(step.zone):
        yield f"{place}.zone", "No such time zone; use a name such as Asia/Kolkata"
    if step.kind == "number_format" and step.thousands == step.decimal:
        yield f"{place}.thousands", "Thousands and decimal cannot be marked alike"


def what_is_missing(place: str, item: Any, needs: Mapping[str, tuple[str, ...]]) -> Faults:
    """What an item of this kind needs and does not have."""
    for name in needs.get(item.kind, ()):
        if getattr(item, name) is None or getattr(item, name) in ({}, []):
            yield f"{place}.{name}", f"{name.capitalize()} is required for {item.kind}"


def faults_of_format(place: str, text: str) -> Faults:
    """What is wrong with a date's format."""
    try:
        parse_format(text)
    except ValueError as fault:
        yield place, f"The format {text}: {fault}"


def is_sound(text: str) -> bool:
    """Return whether dates can be read and written by the format."""
    return not list(faults_of_format("", text))
