"""One engine as a child process: a log file, a health check, a clean end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.declarations import ROOT
from infra.local.settings import LOOPBACK, base_environment

STOP_SECONDS_MAX = 15
# setpriv is part of every Debian.
_SETPRIV = shutil.which("setpriv")


class EngineError(Exception):
    """An engine is missing, could not start or has died; the text says which and what to do."""


class Engine:
    """A named process. ``healthy`` answers whether it serves; ``log`` receives all it prints;
    ``folder`` is where it runs."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | int | Path],
        *,
        log: Path,
        healthy: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
        folder: Path = ROOT,
        start_seconds_max: float = 60,
    ) -> None:
        self.name = name
        self.log = log
        self._command = [str(part) for part in command]
        self._healthy = healthy
        self._environment = dict(environment or {})
        self._port = port
        self._folder = folder
        self._start_seconds_max = start_seconds_max
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process' id; an error if it was never started."""
        if self._process is None:
            raise EngineError(f"{self.name} is not running; start the machine with `carbonmarket up`")
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it is healthy; :class:`EngineError` with the log's end if it is not."""
        if self._port is not None and listens(self._port):
            raise EngineError(
                f"{self.name} cannot start: something already listens on {LOOPBACK}:{self._port}. "
                "Stop it, or give another port"
            )
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own engines
                [*_end_with_parent(), *self._command],
                cwd=self._folder,
                env={**base_environment(), **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the supervisor, which ends the engines in order.
                start_new_session=True,
            )
        deadline = time.monotonic() + self._start_seconds_max
        while not self._healthy():
            if self._process.poll() is not None:
                code = self._process.returncode
                raise EngineError(f"{self.name} ended with code {code} at its start:\n{self.log_end()}")
            if time.monotonic() > deadline:
                self.stop()
                raise EngineError(
                    f"{self.name} did not answer within {self._start_seconds_max:.0f} s:\n{self.log_end()}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """End it cleanly, by force after a while; nothing to do if it does not run."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def log_end(self, lines: int = 15) -> str:
        """The last lines of the log, and where the rest is."""
        text = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join([*text[-lines:], f"(log: {self.log})"])


def _end_with_parent() -> list[str]:
    """What runs a command so that a killed supervisor leaves no engine on its ports.

    The kernel signals only a death after the request, so a supervisor that died before it is looked for."""
    if _SETPRIV is None:
        return []
    alive_then_run = 'test "$PPID" -eq "$0" && exec "$@"'
    return [_SETPRIV, "--pdeathsig", "TERM", "sh", "-c", alive_then_run, str(os.getpid())]


def listens(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def answers(url: str) -> bool:
    """Whether an HTTP server answers at a URL with anything but a server error."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - loopback, our own URL
            return bool(response.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, ValueError):
        return False
