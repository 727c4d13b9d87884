"""Builds the layer of third-party packages for Lambda, without Docker: wheels for arm64 and Python 3.13,
at the versions of constraints.txt, into layers/vendor/python."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from infra.declarations import ROOT

TARGET = ROOT / "layers" / "vendor" / "python"
# What Lambda's limit of 250 MB for a function with its layers leaves, our own layers being small.
BYTES_MAX = 200 * 1024 * 1024
_PYTHON = "3.13"
# Amazon Linux 2023 has glibc 2.34.
_PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_28_aarch64", "manylinux_2_34_aarch64")
# The command line's alone. boto3 is shipped, though Lambda has one: PynamoDB brings a botocore, and the two
# must fit each other.
_LEFT_OUT = {"click", "rich"}
# Their own requirements are tools (a command line, test runners) that no function imports.
_ALONE = {"aptos-sdk", "chalice"}
# What is used of the packages above needs these of their requirements.
_OF_ALONE = ("httpx", "ecdsa", "PyNaCl", "typing-extensions")
_NOT_SHIPPED = ("*.dist-info/RECORD", "**/__pycache__", "**/tests", "bin")


def main() -> None:
    """Build the layer anew and say how large it is."""
    shutil.rmtree(TARGET, ignore_errors=True)
    alone, whole = requirements()
    install([*whole, *_OF_ALONE])
    install(alone, "--no-deps")
    for pattern in _NOT_SHIPPED:
        for path in TARGET.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    size = sum(path.stat().st_size for path in TARGET.rglob("*") if path.is_file())
    if size > BYTES_MAX:
        raise SystemExit(f"{TARGET} has {size:,} bytes; a function and its layers may have {BYTES_MAX:,}")
    sys.stdout.write(f"{TARGET.relative_to(ROOT)}: {size // 2**20} MiB\n")


def requirements() -> tuple[list[str], list[str]]:
    """What pyproject.toml asks for: packages installed alone, and packages with all they require."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["functions"]]
    names = {requirement: _name(requirement) for requirement in wanted}
    return (
        [requirement for requirement, name in names.items() if name in _ALONE],
        [requirement for requirement, name in names.items() if name not in _ALONE | _LEFT_OUT],
    )


def install(packages: list[str], *options: str) -> None:
    """Put wheels for Lambda into the layer."""
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--target", str(TARGET), "--upgrade", "--constraint", str(constraints())),
        *("--only-binary=:all:", "--implementation", "cp", "--python-version", _PYTHON),
        *platforms,
        *options,
        *packages,
    ]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own requirements
        raise SystemExit(f"pip could not find wheels for Lambda of: {', '.join(packages)}")


def constraints() -> Path:
    """The pinned versions."""
    return ROOT / "constraints.txt"


def _name(requirement: str) -> str:
    for mark in "<>=!~[; ":
        requirement = requirement.partition(mark)[0]
    return requirement.lower()


if __name__ == "__main__":
    main()
