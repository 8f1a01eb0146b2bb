"""A browser in plain words, from what its User-Agent says. The words are a help to the eye, they prove nothing."""

from __future__ import annotations

from ua_parser import parse

_SYSTEMS = {"Mac OS X": "macOS"}


def describe_device(user_agent: str) -> str:
    """Return words such as `Firefox on Windows` or `Mobile Safari on iPhone`."""
    read = parse(user_agent)
    browser = read.user_agent.family if read.user_agent else "Unknown browser"
    if read.device and read.device.family in {"iPhone", "iPad"}:
        return f"{browser} on {read.device.family}"
    return f"{browser} on {_SYSTEMS.get(read.os.family, read.os.family)}" if read.os else browser
