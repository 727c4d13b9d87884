"""A localnet in a process of its own, for tests and measurements."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.chain.movelib import REPO_ROOT


class StartFailed(RuntimeError):
    """The process ended before it was ready; the text is what it said."""


@dataclass(frozen=True)
class Running:
    """``node`` ends in /v1."""

    node: str
    faucet: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """As by kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As by Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


def start(state: Path, *options: str) -> Running:
    """Start a localnet on free ports over ``state`` and wait until it answers."""
    process = subprocess.Popen(  # noqa: S603 - our own module
        [
            sys.executable,
            "-m",
            "infra.local.chain",
            "--port=0",
            "--faucet-port=0",
            f"--state={state}",
            *options,
        ],
        cwd=REPO_ROOT,
        env={**os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    line = process.stdout.readline().split()
    if len(line) != 5:
        process.wait()
        raise StartFailed(process.stderr.read().strip())
    return Running(line[2], line[4], process)


@contextlib.contextmanager
def running(state: Path, *options: str) -> Iterator[Running]:
    """A localnet for the time of a with statement."""
    localnet = start(state, *options)
    try:
        yield localnet
    finally:
        if localnet.process.poll() is None:
            localnet.kill()
