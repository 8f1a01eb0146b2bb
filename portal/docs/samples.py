"""Copyable samples of a call, one writer per language. A further language is one line in LANGUAGES."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.docs.calls import Call, plain_text
from portal.docs.exact_json import pretty


@dataclass(frozen=True, slots=True)
class Language:
    """A language samples are written in; `lexer` is its Pygments name."""

    slug: str
    label: str
    lexer: str
    write: Callable[[Call], str]


@dataclass(frozen=True, slots=True)
class Sample:
    """A call written out in one language."""

    language: Language
    text: str


def samples_of(call: Call) -> tuple[Sample, ...]:
    """The call in every language, in the order of LANGUAGES."""
    return tuple(Sample(language, language.write(call)) for language in LANGUAGES.values())


def curl(call: Call) -> str:
    """For a POSIX shell; reads SLIPWAY_URL and SLIPWAY_KEY from the environment."""
    words = [f'curl "$SLIPWAY_URL{call.target}"']
    if call.method != "GET":
        words.append("--head" if call.method == "HEAD" else f"--request {call.method}")
    words += [f'--header "{line}"' for line in _shell_credential(call)]
    if call.credential == "basic":
        words.append('--user "$SLIPWAY_KEY_ID:$SLIPWAY_KEY_SECRET"')
    words += [f"--header {_shell(f'{name}: {value}')}" for name, value in _headers(call).items()]
    words += _shell_body(call)
    return " \\\n  ".join(words)


def _shell_credential(call: Call) -> list[str]:
    if call.credential == "bearer":
        return [f"Authorization: Bearer ${call.variable}"]
    return [f"{call.credential}: ${call.variable}"] if call.credential not in ("", "basic") else []


def _shell_body(call: Call) -> list[str]:
    if call.body is None:
        return []
    if call.is_form:
        return [f"--data-urlencode {_shell(f'{name}={plain_text(value)}')}" for name, value in call.body.items()]
    return [f"--data-raw {_shell(_body_text(call))}"]


def _shell(text: str) -> str:
    """Single quotes, in which a shell reads nothing but the closing quote."""
    return "'" + text.replace("'", "'\\''") + "'"


def python(call: Call) -> str:
    """For Python 3 with `requests`."""
    arguments = []
    if call.query:
        arguments.append(f"params={_python_pairs(call.query)},")
    if call.credential == "basic":
        arguments.append('auth=(os.environ["SLIPWAY_KEY_ID"], os.environ["SLIPWAY_KEY_SECRET"]),')
    headers = [f"{_quoted(name)}: {value}," for name, value in _python_headers(call)]
    if headers:
        arguments += ["headers={", *(f"    {line}" for line in headers), "},"]
    if call.body is not None:
        word = "json" if call.is_json else "data"
        arguments.append(f"{word}={_python_literal(call.body)},")
    arguments.append("timeout=30,")
    inside = "\n".join(arguments).replace("\n", "\n    ")
    return (
        "import os\n\nimport requests\n\n"
        f"response = requests.{call.method.lower()}(\n"
        f'    os.environ["SLIPWAY_URL"] + {_quoted(call.path)},\n'
        f"    {inside}\n)\n"
        "print(response.status_code, response.text)"
    )


def _python_headers(call: Call) -> list[tuple[str, str]]:
    given = {name: _quoted(value) for name, value in _headers(call, json_is_implied=True).items()}
    if call.credential == "bearer":
        return [("Authorization", f"f\"Bearer {{os.environ['{call.variable}']}}\""), *given.items()]
    if call.credential not in ("", "basic"):
        return [(call.credential, f'os.environ["{call.variable}"]'), *given.items()]
    return list(given.items())


def _python_pairs(pairs: tuple[tuple[str, str], ...]) -> str:
    if len({name for name, _ in pairs}) == len(pairs):
        return "{" + ", ".join(f"{_quoted(name)}: {_quoted(value)}" for name, value in pairs) + "}"
    return "[" + ", ".join(f"({_quoted(name)}, {_quoted(value)})" for name, value in pairs) + "]"


def _python_literal(value: Any, indent: str = "") -> str:
    inner = indent + "    "
    if isinstance(value, dict) and value:
        lines = [f"{inner}{_quoted(str(key))}: {_python_literal(each, inner)},\n" for key, each in value.items()]
        return "{\n" + "".join(lines) + indent + "}"
    if isinstance(value, list | tuple) and value:
        lines = [f"{inner}{_python_literal(each, inner)},\n" for each in value]
        return "[\n" + "".join(lines) + indent + "]"
    if isinstance(value, str):
        return _quoted(value)
    return str(value) if isinstance(value, Decimal) else repr(value)


def javascript(call: Call) -> str:
    """For a server that runs JavaScript: the key has no place in a browser."""
    options = [] if call.method == "GET" else [f"method: {_quoted(call.method)},"]
    headers = [f"{_quoted(name)}: {value}," for name, value in _javascript_headers(call)]
    if headers:
        options += ["headers: {", *(f"  {line}" for line in headers), "},"]
    if call.body is not None:
        options.append(f"body: {_javascript_body(call)},")
    url = "`${process.env.SLIPWAY_URL}" + call.target + "`"
    inside = "\n".join(options).replace("\n", "\n  ")
    request = f"fetch({url}, {{\n  {inside}\n}})" if options else f"fetch({url})"
    return f"const response = await {request};\nconsole.log(response.status, await response.text());"


def _javascript_headers(call: Call) -> list[tuple[str, str]]:
    given = [(name, _quoted(value)) for name, value in _headers(call).items()]
    if call.credential == "bearer":
        return [("Authorization", f"`Bearer ${{process.env.{call.variable}}}`"), *given]
    if call.credential == "basic":
        pair = "`${process.env.SLIPWAY_KEY_ID}:${process.env.SLIPWAY_KEY_SECRET}`"
        return [("Authorization", '"Basic " + btoa(' + pair + ")"), *given]
    return [(call.credential, f"process.env.{call.variable}"), *given] if call.credential else given


def _javascript_body(call: Call) -> str:
    if call.is_form:
        return f"new URLSearchParams({pretty(call.body)})"
    return f"JSON.stringify({pretty(call.body)})" if call.is_json else _quoted(_body_text(call))


def _headers(call: Call, json_is_implied: bool = False) -> dict[str, str]:
    headers = dict(call.headers)
    implied = call.is_form or (call.is_json and json_is_implied)
    if call.media_type and call.body is not None and not implied:
        headers["Content-Type"] = call.media_type
    return headers


def _body_text(call: Call) -> str:
    return pretty(call.body) if call.is_json else str(call.body)


def _quoted(text: str) -> str:
    """A string literal that Python and JavaScript read alike."""
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


LANGUAGES = {
    language.slug: language
    for language in (
        Language("curl", "curl", "bash", curl),
        Language("python", "Python", "python", python),
        Language("javascript", "JavaScript", "javascript", javascript),
    )
}
