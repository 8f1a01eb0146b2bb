"""What wrk asks for: Lua scripts that hand out keys in turn, and never send the same new record twice."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench import customers

PLACEHOLDER = '"EMAIL"'
_STEP = 1_000_003
_firsts = itertools.count(_STEP, _STEP)

_SCRIPT = """
local keys, paths, number = {%(keys)s}, {%(paths)s}, %(first)d
%(functions)s
request = function()
  number = number + 1
  if #keys > 0 then wrk.headers["Authorization"] = "Bearer " .. keys[number %% #keys + 1] end
  return ask(paths[number %% #paths + 1])
end
"""
_READ = """
local function ask(path) return wrk.format("GET", path) end
"""
_READ_AFRESH = """
local function respelt(query)
  local left = number
  return (query:gsub("%a", function(letter)
    local bit = left % 2
    left = (left - bit) / 2
    if bit == 1 then return string.format("%%%02X", letter:byte()) end
  end))
end
local function ask(path)
  local start = path:find("?", 1, true)
  return wrk.format("GET", path:sub(1, start) .. respelt(path:sub(start + 1)))
end
"""
_CREATE = """
local before, after = %s, %s
local function ask(path)
  wrk.headers["Content-Type"] = "application/json"
  return wrk.format("POST", path, nil, before .. '"b' .. number .. '@bench.example"' .. after)
end
"""


@dataclass(frozen=True)
class Ask:
    """One kind of call: which paths in turn, and whether a new customer goes along.

    With `afresh` each call spells its query in another way (letters percent-encoded or not), so that it means the
    same and no server can give an answer it has kept.
    """

    paths: Sequence[str]
    creates: bool = False
    afresh: bool = False

    def script(self, keys: Sequence[str] = ()) -> str:
        """The script for wrk; each key is used in turn."""
        functions = _creating() if self.creates else _READ_AFRESH if self.afresh else _READ
        values = {"keys": _listed(keys), "paths": _listed(self.paths), "first": next(_firsts)}
        return _SCRIPT % {**values, "functions": functions}


def new_mark() -> int:
    """A number that no script or body had before in this run, with room for a million behind it."""
    return next(_firsts)


def _creating() -> str:
    before, _, after = json.dumps(customers.NEW).partition(PLACEHOLDER)
    return _CREATE % (json.dumps(before), json.dumps(after))


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(json.dumps(text) for text in texts)
