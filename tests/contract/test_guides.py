"""Documentation that proves itself: every curl sample of guides and error pages runs against a fresh sandbox."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, SandboxMaker

BLOCK = re.compile(r"```(\w+)[^\n]*\n(.*?)```", re.S)
LABELS = {"Answer:", "Response:"}
PAGES = sorted([*ROOT.glob("content/guides/*.md"), *ROOT.glob("content/errors/*.md")])


def read_samples(file: Path) -> list[tuple[str, Any]]:
    """Each curl command of a page, with the answer printed below it, or None."""
    text, samples = file.read_text(), []
    blocks = list(BLOCK.finditer(text))
    for block, following in zip(blocks, [*blocks[1:], None], strict=False):
        if block.group(1) != "bash" or not block.group(2).lstrip().startswith(("curl", "TAG=$(curl")):
            continue
        between = text[block.end() : following.start()] if following else ""
        is_answer = following is not None and following.group(1) == "json" and between.strip() in LABELS
        samples.append((block.group(2), json.loads(following.group(2)) if is_answer and following else None))
    return samples


def shape(value: Any) -> Any:
    """The names of a document, without its values; a list is known by its first entry."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "…"


def words(answer: Any) -> dict[str, Any]:
    """What an answer says to people and programs, which is the same in every sandbox; entity tags are not."""
    said = ("code", "message", "errors", "notice", "upgrade", "remedy")
    is_of_tags = answer.get("remedy", {}).get("change") == "version"
    return {name: answer[name] for name in said if name in answer and not (name == "remedy" and is_of_tags)}


@pytest.mark.skipif(not shutil.which("curl"), reason="curl was not found: samples of the guides were not executed")
@pytest.mark.parametrize("file", PAGES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_sample_of_the_page_runs(file: Path, live_server: str, new_sandbox: SandboxMaker) -> None:
    new = new_sandbox("Reader's")
    environ = {
        **os.environ,
        "SLIPWAY_URL": live_server,
        "SLIPWAY_KEY": new.keys["administrator"],
        "SLIPWAY_PUBLISHABLE_KEY": new.tenant.publishable_id or "",
        "SLIPWAY_TENANT": new.tenant.public_id,
    }
    for command, expected in read_samples(file):
        done = subprocess.run(["bash", "-c", command], env=environ, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        if expected is not None:
            answer = json.loads(done.stdout)
            assert shape(answer) == shape(expected), f"{command}\n{done.stdout}"
            assert words(answer) == words(expected), command


def test_the_guides_have_samples_to_run() -> None:
    assert sum(len(read_samples(file)) for file in PAGES) > 30
