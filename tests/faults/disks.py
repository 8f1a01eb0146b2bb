"""A disk small enough to be filled: a tmpfs, which only root may mount."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_BLOCK = b"\0" * (1 << 20)


@dataclass(frozen=True)
class SmallDisk:
    """A file system of a few megabytes, mounted at `folder`."""

    folder: Path

    @contextmanager
    def fill(self) -> Iterator[None]:
        """Leave no byte free meanwhile."""
        file = self.folder / "filler"
        try:
            self.top_up()
            yield
        finally:
            file.unlink(missing_ok=True)

    def top_up(self) -> None:
        """Take what is free now, to the last byte."""
        with contextlib.suppress(OSError), (self.folder / "filler").open("ab", buffering=0) as file:
            while file.write(_BLOCK):
                pass


def why_no_disk() -> str:
    """Why no disk can be filled here; empty when one can."""
    return "" if os.getuid() == 0 else "only root may mount a small file system to fill"


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount one at `folder` meanwhile."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "slipway-faults", str(folder)]
    subprocess.run(mount, check=True, capture_output=True, timeout=30)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, timeout=30)
