"""Reading the code as text: which module imports what, calls what, and how long things are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Module:
    """One Python file."""

    name: str
    path: Path
    tree: ast.Module
    lines: int

    @property
    def imports(self) -> set[str]:
        """Every module of ours it imports, wherever in the file."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
        return {name for name in found if name.split(".")[0] in {"portal", "sandbox"}}

    @property
    def names(self) -> set[str]:
        """Every dotted name it mentions."""
        return {ast.unparse(node) for node in ast.walk(self.tree) if isinstance(node, ast.Attribute)}

    def calls(self) -> Iterator[str]:
        """The dotted names of everything called."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func)

    def functions(self) -> Iterator[tuple[str, int]]:
        """Each function and its length in lines."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def read_module(name: str, text: str, path: Path = Path("sample.py")) -> Module:
    return Module(name, path, ast.parse(text), text.count("\n"))


@lru_cache
def modules() -> tuple[Module, ...]:
    """Every module of portal and sandbox."""
    files = [file for folder in ("portal", "sandbox") for file in sorted((ROOT / folder).rglob("*.py"))]
    return tuple(read_module(_name(file), file.read_text(), file) for file in files)


def _name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
