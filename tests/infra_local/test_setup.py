"""The set-up on a bare machine: what is missing is named with the line that installs it, and installed for
root on Debian. It ends before it changes anything, since something is always missing here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from infra.declarations import ROOT

NEEDED = ("bash", "dirname", "head", "sed", "sort", "tr")


class Bare:
    """A machine that has a shell and its small tools, and nothing that the market needs."""

    def __init__(self, folder: Path, user: int) -> None:
        self._folder = folder
        for tool in NEEDED:
            found = shutil.which(tool)
            assert found is not None
            (folder / tool).symlink_to(found)
        self.put("id", f"echo {user}")

    def put(self, name: str, script: str) -> None:
        """Give it a program."""
        program = self._folder / name
        program.write_text(f"#!/usr/bin/env bash\n{script}\n")
        program.chmod(0o755)

    def set_up(self) -> subprocess.CompletedProcess[str]:
        """Run the set-up, with a Python that is not there."""
        return subprocess.run(
            [self._folder / "bash", ROOT / "infra" / "local" / "setup.sh"],
            env={"PATH": str(self._folder), "PYTHON": "python-nowhere"},
            capture_output=True,
            text=True,
            check=False,
        )


def test_what_is_missing_is_named_with_the_line_that_installs_it(tmp_path: Path) -> None:
    done = Bare(tmp_path, user=1000).set_up()
    assert done.returncode == 1
    first, *named = done.stderr.strip().splitlines()
    assert first == "This machine lacks:"
    # A mosquitto in /usr/sbin is found without a path to it.
    assert [line.strip() for line in named if "mosquitto" not in line] == [
        "git: sudo apt-get install -y git",
        "Node 20 or later with npm: https://nodejs.org/en/download",
        "JDK 17 or later: sudo apt-get install -y default-jdk-headless",
        "Python 3.11 to 3.13 with venv: sudo apt-get install -y python3-venv",
    ]


@pytest.mark.parametrize(
    ("name", "prints", "lacks"),
    [
        ("mosquitto", "mosquitto version 1.6.9", "mosquitto 2: sudo apt-get install -y mosquitto"),
        ("javac", "javac 11.0.2", "JDK 17 or later: sudo apt-get install -y default-jdk-headless"),
        ("node", "v18.20.4", "Node 20 or later with npm: https://nodejs.org/en/download"),
    ],
)
def test_what_is_too_old_is_missing(tmp_path: Path, name: str, prints: str, lacks: str) -> None:
    machine = Bare(tmp_path, user=1000)
    machine.put("npm", "")
    machine.put(name, f"echo {prints}")
    assert lacks in machine.set_up().stderr


@pytest.mark.skipif(not Path("/etc/debian_version").is_file(), reason="this is no Debian")
def test_root_on_debian_is_spared_the_lines(tmp_path: Path) -> None:
    machine = Bare(tmp_path, user=0)
    calls = tmp_path / "calls"
    machine.put("apt-get", f'echo "$*" >> {calls}')
    done = machine.set_up()
    first, *others = calls.read_text().splitlines()
    assert first == "update -qq"
    installed = {line.rpartition(" ")[2] for line in others}
    assert installed - {"mosquitto"} == {"git", "default-jdk-headless", "python3-venv"}
    # What apt does not give is still named.
    assert done.returncode == 1
    assert "Node 20 or later with npm: https://nodejs.org/en/download" in done.stderr
    assert "Python 3.11 to 3.13 with venv: https://www.python.org/downloads" in done.stderr
