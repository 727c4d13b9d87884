"""What the first hour of a new user costs: set-up and demo in a fresh clone; time, memory and disk."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil  # type: ignore[import-untyped]

from infra.declarations import ROOT
from infra.local.settings import MachineSettings

_SAMPLE_S = 0.5
_INSTALLED = (".venv", "node_modules", "build")


def bench_first_use(folder: Path) -> dict[str, Any]:
    """Seconds of the set-up and of the demo, both from nothing; the most memory that all their processes
    held together, in bytes (proportional set size); the bytes on disk that are left.

    The clone is of the last commit. Packages come from the registries, or from pip's and npm's caches.
    """
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)  # noqa: S603, S607
    ports = MachineSettings().on_free_ports().ports()
    options = [word for name, port in ports.items() for word in (f"--{name.replace('_', '-')}", str(port))]
    with _MemoryWatch() as memory:
        setup_s = _seconds(["make", "setup"], clone)
        demo_s = _seconds([".venv/bin/carbonmarket", "demo", *options], clone)
    return {
        "setup_s": setup_s,
        "demo_s": demo_s,
        "memory_bytes_max": memory.most,
        "disk_installed_bytes": sum(_disk_bytes(clone / name) for name in _INSTALLED),
        "disk_demo_bytes": _disk_bytes(clone / "var"),
    }


def _seconds(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    answer = subprocess.run(  # noqa: S603 - our own
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise RuntimeError(f"{' '.join(command[:2])} failed: {answer.stderr[-2000:]}")
    return round(time.perf_counter() - began, 1)


class _MemoryWatch:
    """Samples what the processes below this one hold together."""

    def __init__(self) -> None:
        self.most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _MemoryWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            self.most = max(self.most, sum(map(_held_bytes, psutil.Process().children(recursive=True))))


def _held_bytes(process: psutil.Process) -> int:
    """Shared pages count once over all that share them; 0 if the process has ended meanwhile."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def _disk_bytes(folder: Path) -> int:
    """Blocks taken by a folder's files; a file with several names counts once."""
    blocks: dict[tuple[int, int], int] = {}
    for place, _, files in os.walk(folder):
        for name in files:
            found = (Path(place) / name).lstat()
            blocks[(found.st_dev, found.st_ino)] = found.st_blocks
    return sum(blocks.values()) * 512
