"""What the guides say of webhooks is true: their receivers verify real messages, their schedule is the one in use."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandbox.webhooks.timeline import schedule_rows
from tests.conftest import ROOT, Integration
from tests.sandbox.delivery.conftest import CourierMaker
from tests.sandbox.delivery.sink import Arrival, Sink
from tests.sandbox.webhooks.conftest import PATH, Subscribe

GUIDES = ROOT / "content" / "guides"


def sample(guide: str, language: str) -> str:
    """The first sample of a guide in a language."""
    found = re.search(rf"```{language}\n(.*?)```", (GUIDES / f"{guide}.md").read_text(), re.S)
    assert found is not None
    return found[1]


def defined_by(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "sample", "exec"), names)
    return names


@pytest.fixture
def message(alice: Integration, subscribe: Subscribe, courier: CourierMaker, sink: Sink) -> tuple[list[str], Arrival]:
    """Both secrets of a webhook in rotation, and a message that arrived."""
    secrets = [subscribe(alice)["secret"], alice.post(f"{PATH}/1/rotate-secret").json["data"]["secret"]]
    alice.post("/api/v2/customers", {"account": "Zoë Krüger & Söhne"})
    courier().deliver_due()
    return secrets, sink.arrivals[0]


@pytest.mark.one_store
def test_the_python_receiver_takes_ours_and_nothing_else(message: tuple[list[str], Arrival]) -> None:
    (old, new), arrival = message
    names = defined_by(sample("webhooks", "python"))
    read, refused = names["read_message"], names["BadSignature"]
    for secret in (old, new):
        assert read(secret, arrival.headers, arrival.body)["data"]["account"] == "Zoë Krüger & Söhne"
    stranger = "whsec_c2xpcHdheS1leGFtcGxlLXNlY3JldC0x"
    late = int(arrival.headers["webhook-timestamp"]) + 301
    for call in (
        lambda: read(stranger, arrival.headers, arrival.body),
        lambda: read(new, arrival.headers, arrival.body + b" "),
        lambda: read(new, arrival.headers | {"webhook-id": "evt_other"}, arrival.body),
        lambda: read(new, arrival.headers | {"webhook-signature": "v1,"}, arrival.body),
        lambda: read(new, arrival.headers, arrival.body, now=late),
    ):
        with pytest.raises(refused):
            call()


@pytest.mark.one_store
@pytest.mark.skipif(not shutil.which("node"), reason="Node was not found: the JavaScript receiver was not executed")
def test_the_javascript_receiver_takes_ours_and_nothing_else(
    message: tuple[list[str], Arrival], tmp_path: Path
) -> None:
    (old, new), arrival = message
    given = {"secrets": [old, new], "headers": arrival.headers, "body": arrival.body.decode()}
    (tmp_path / "given.json").write_text(json.dumps(given))
    program = """
import { readFileSync } from "node:fs";
const { secrets, headers, body } = JSON.parse(readFileSync(new URL("given.json", import.meta.url)));
const said = secrets.map((secret) => readMessage(secret, headers, Buffer.from(body)).data.account);
for (const [secret, text, now] of [[secrets[1], body + " "], ["whsec_AAAA", body], [secrets[1], body, 1]]) {
  try { said.push(readMessage(secret, headers, Buffer.from(text), now)); }
  catch (error) { said.push(error.message); }
}
console.log(JSON.stringify(said));
"""
    (tmp_path / "sample.mjs").write_text(sample("webhooks", "javascript") + program)
    done = subprocess.run(["node", tmp_path / "sample.mjs"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["Zoë Krüger & Söhne"] * 2 + ["signature", "signature", "timestamp"]


def test_a_message_is_processed_once_by_the_sample() -> None:
    process_once, done = defined_by(sample("webhook-retries", "python"))["process_once"], []
    assert process_once("evt_1", lambda: done.append("first"))
    assert not process_once("evt_1", lambda: done.append("again"))
    assert process_once("evt_2", lambda: done.append("second"))
    assert done == ["first", "second"]


def test_the_schedule_of_the_guide_is_the_one_in_use() -> None:
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", (GUIDES / "webhook-retries.md").read_text(), re.M)
    assert [(int(number), wait, after) for number, wait, after in rows] == schedule_rows()
