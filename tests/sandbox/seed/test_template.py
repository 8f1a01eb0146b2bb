"""The template is built once, whoever asks and how often."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import NotFound
from portal.tenancy.models import Tenant
from portal.tenancy.service import find_tenant
from sandbox.seed.service import prepare_seed
from sandbox.seed.template import ensure_template, seed_version
from tests.conftest import Integration


@pytest.fixture
def other_seed(settings: Settings, tmp_path: Path, database: Database) -> Iterator[Settings]:
    """Settings whose demo content differs by one name."""
    content = tmp_path / "content"
    shutil.copytree(settings.content_path, content)
    file = content / "demo" / "names.yaml"
    file.write_text(file.read_text().replace("Alderbrook", "Elderbrook"))
    yield settings.model_copy(update={"content_path": content})
    version = seed_version(content / "demo")
    with database.transaction() as session:
        session.execute(delete(Tenant).where(Tenant.mode == "template", Tenant.seed_version == version))


def count_templates(database: Database, settings: Settings) -> int:
    version = seed_version(settings.content_path / "demo")
    with database.transaction(write=False) as session:
        found = select(func.count()).where(Tenant.mode == "template", Tenant.seed_version == version)
        return session.scalar(found.select_from(Tenant)) or 0


def test_preparing_twice_builds_once(database: Database, settings: Settings) -> None:
    prepare_seed(database, settings)
    prepare_seed(database, settings)
    assert count_templates(database, settings) == 1


def test_several_processes_at_once_build_one_template(database: Database, other_seed: Settings) -> None:
    barrier = threading.Barrier(4)
    faults: list[BaseException] = []

    def build() -> None:
        barrier.wait()
        try:
            with database.transaction() as session:
                ensure_template(session, other_seed.content_path / "demo")
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert count_templates(database, other_seed) == 1


def test_other_words_make_another_seed(settings: Settings, other_seed: Settings) -> None:
    assert seed_version(settings.content_path / "demo") != seed_version(other_seed.content_path / "demo")


def test_no_credential_and_no_address_reaches_the_template(database: Database, alice: Integration) -> None:
    with database.transaction(write=False) as session:
        template = session.scalar(select(Tenant).where(Tenant.mode == "template").limit(1))
        assert template is not None and template.publishable_id is None
        with pytest.raises(NotFound):
            find_tenant(session, template.public_id)
    assert (
        alice.get(f"/api/tenants/{template.public_id}/reports/sales?from=2026-05-01&to=2026-05-31").status_code == 404
    )
