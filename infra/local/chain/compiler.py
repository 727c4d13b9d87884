"""Builds and tests Move packages with the real Move 2.1 compiler, fetching nothing.

``python -m infra.local.chain.compiler build|test|coverage PATH [--named-address NAME=0x..] [--filter TEXT]``
and ``… compiler framework`` print what the compiler says. Exit codes: 0 done, 1 refused or a test failed,
2 not a package or no compiler installed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.chain import bcs
from infra.local.chain.abi import Abi, module_abi
from infra.local.chain.bytecode import read_module
from infra.local.chain.movelib import BUILD_DIR, REPO_ROOT, library_path
from infra.local.chain.overlay import digest, framework_packages, make_overlay, read_manifest
from infra.local.chain.types import parse_address

_OUTCOME = re.compile(r"^\[ (PASS|FAIL|TIMEOUT) +\] (?:0x)?([0-9a-f]+)::(\w+)::(\w+)", re.M)
_CSV_HEADER = "ModuleName,FunctionName,Covered,Uncovered"
_COMPATIBLE_UPGRADES = 1


class MoveCompileError(RuntimeError):
    """The compiler refused the package; the text is what it said."""


@dataclass(frozen=True)
class BuiltModule:
    name: str
    code: bytes

    @property
    def abi(self) -> Abi:
        """The ABI in the form of the REST API."""
        return module_abi(self.code)


@dataclass(frozen=True)
class BuiltPackage:
    """Modules in the order in which they can be published; ``metadata`` is BCS of Aptos' PackageMetadata."""

    name: str
    modules: tuple[BuiltModule, ...]
    scripts: dict[str, bytes]
    metadata: bytes

    @property
    def codes(self) -> list[bytes]:
        return [module.code for module in self.modules]


@dataclass(frozen=True)
class Coverage:
    """Instructions of one module that the tests ran, of all it has (test code left out)."""

    covered: int
    total: int

    @property
    def per_mille(self) -> int:
        """Rounded down, so that 1000 means everything."""
        return self.covered * 1000 // self.total if self.total else 1000


@dataclass(frozen=True)
class TestRun:
    """``outcomes`` maps ``0x..::module::test`` to whether it passed; ``coverage`` maps a module's name."""

    __test__ = False

    ok: bool
    outcomes: dict[str, bool]
    output: str
    coverage: dict[str, Coverage] = field(default_factory=dict)


def build(
    package_dir: str | Path, named_addresses: Mapping[str, str] | None = None, *, dev: bool = False
) -> BuiltPackage:
    """Compile a package, or take the result of an earlier identical build.

    ``named_addresses`` fills addresses that the manifest leaves open; ``dev`` uses its dev-addresses.
    Raises MoveCompileError, MovePackageError or MoveLibraryMissing.
    """
    package, named = Path(package_dir), _addresses(named_addresses)
    manifest = read_manifest(package)
    cached = BUILD_DIR / "packages" / _key(package, named, dev)
    if not cached.is_dir():
        with _workspace() as folder:
            overlay = make_overlay(package, Path(folder))
            done = _run("build", package, overlay, named, dev=dev)
            if done.returncode != 0:
                raise MoveCompileError(f"{package} does not compile.\n{_words(done)}")
            built = overlay / "build" / manifest["package"]["name"]
            staged = Path(folder) / "staged"
            _stage(built, staged, manifest, package)
            cached.parent.mkdir(parents=True, exist_ok=True)
            try:
                staged.rename(cached)
            except OSError:
                if not cached.is_dir():  # else another process was first with the same bytes
                    raise
    return _load(cached, manifest["package"]["name"])


def test(
    package_dir: str | Path,
    named_addresses: Mapping[str, str] | None = None,
    *,
    filter: str | None = None,
    coverage: bool = False,
) -> TestRun:
    """Run the package's unit tests, those whose full name contains ``filter``.

    Raises MoveCompileError when the package or its tests do not compile.
    """
    package, named = Path(package_dir), _addresses(named_addresses)
    with _workspace() as folder:
        overlay = make_overlay(package, Path(folder))
        action = "coverage" if coverage else "test"
        done = _run(action, package, overlay, named, test_filter=filter)
    output, _, table = done.stdout.partition(_CSV_HEADER)
    outcomes = {
        f"0x{address.lstrip('0') or '0'}::{module}::{name}": outcome == "PASS"
        for outcome, address, module, name in _OUTCOME.findall(output)
    }
    if "Test result:" not in output:
        raise MoveCompileError(f"{package} or its tests do not compile.\n{_words(done)}")
    measured = _coverage(table, build(package, named_addresses, dev=True)) if coverage and table else {}
    return TestRun(done.returncode == 0, outcomes, output, measured)


def _addresses(named: Mapping[str, str] | None) -> dict[str, str]:
    return {name: parse_address(address).hex() for name, address in (named or {}).items()}


def _key(package: Path, named: Mapping[str, str], dev: bool) -> str:
    """Names the result by everything it follows from."""
    library = library_path("libcompiler").stat()
    parts = [named, dev, library.st_size, library.st_mtime_ns, digest(package).hex()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _workspace() -> tempfile.TemporaryDirectory[str]:
    BUILD_DIR.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=BUILD_DIR, prefix="work-", ignore_cleanup_errors=True)


def _run(
    action: str,
    package: Path,
    overlay: Path,
    named: Mapping[str, str],
    *,
    dev: bool = False,
    test_filter: str | None = None,
) -> subprocess.CompletedProcess[str]:
    library_path("libcompiler")
    request = {
        "action": action,
        "path": str(overlay),
        "named_addresses": dict(named),
        "dev": dev,
        "filter": test_filter,
    }
    home = BUILD_DIR / "home"
    home.mkdir(exist_ok=True)
    done = subprocess.run(  # noqa: S603 - our own module and arguments
        [sys.executable, "-m", "infra.local.chain.compiler_process", json.dumps(request)],
        check=False,
        capture_output=True,
        text=True,
        cwd=REPO_ROOT,
        env={**os.environ, "RUST_BACKTRACE": "0", "MOVE_HOME": str(home), "NO_COLOR": "1"},
    )
    for name in ("stdout", "stderr"):
        setattr(done, name, _readable(getattr(done, name), package, overlay))
    return done


def _readable(text: str, package: Path, overlay: Path) -> str:
    """Without colours, and with the caller's paths in place of the copy's."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    plain = plain.replace(str(overlay), str(package))
    return re.sub(r"(?<![\w.])\./(?=(?:sources|tests|scripts)/)", lambda _: f"{package}/", plain)


def _words(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout.strip()}\n{done.stderr.strip()}".strip()


def _stage(built: Path, staged: Path, manifest: Mapping[str, Any], package: Path) -> None:
    """Keep what a build is asked for: modules numbered in publishing order, scripts, metadata."""
    staged.mkdir()
    codes = {path.stem: path.read_bytes() for path in sorted((built / "bytecode_modules").glob("*.mv"))}
    order = _publishing_order(codes)
    for number, name in enumerate(order):
        (staged / f"{number:03}-{name}.mv").write_bytes(codes[name])
    for path in (built / "bytecode_scripts").glob("*.mv"):
        name = re.sub(r"_\d+$", "", path.stem)  # the compiler numbers scripts
        shutil.copyfile(path, staged / f"script-{name}.mv")
    source_digest = re.search(r"source_digest: (\w+)", (built / "BuildInfo.yaml").read_text())
    needed = sorted((built / "bytecode_modules" / "dependencies").glob("*/"))
    owners = {path.name: read_module(next(path.glob("*.mv")).read_bytes()).address for path in needed}
    metadata = _package_metadata(manifest, package, source_digest[1] if source_digest else "", order, owners)
    (staged / "metadata.bcs").write_bytes(metadata)


def _publishing_order(codes: Mapping[str, bytes]) -> list[str]:
    """Modules after those that they use."""
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in order:
            return
        info = read_module(codes[name])
        for address, needed in info.needs:
            if address == info.address and needed in codes:
                visit(needed)
        order[name] = None

    for name in codes:
        visit(name)
    return list(order)


def _package_metadata(
    manifest: Mapping[str, Any],
    package: Path,
    source_digest: str,
    modules: list[str],
    owners: Mapping[str, bytes],
) -> bytes:
    """BCS of Aptos' PackageMetadata; sources are left out, as the official tool can do too."""
    no_sources = bcs.blob(b"") + bcs.blob(b"") + bcs.flag(False)
    manifest_packed = gzip.compress((package / "Move.toml").read_bytes(), mtime=0)
    return (
        bcs.text(manifest["package"]["name"])
        + bytes((_COMPATIBLE_UPGRADES,))
        + bcs.u64(0)
        + bcs.text(source_digest)
        + bcs.blob(manifest_packed)
        + bcs.uleb(len(modules))
        + b"".join(bcs.text(name) + no_sources for name in modules)
        + bcs.uleb(len(owners))
        + b"".join(address + bcs.text(name) for name, address in owners.items())
        + bcs.flag(False)
    )


def _load(cached: Path, name: str) -> BuiltPackage:
    modules = tuple(
        BuiltModule(path.stem.partition("-")[2], path.read_bytes())
        for path in sorted(cached.glob("[0-9]*.mv"))
    )
    scripts = {path.stem.partition("-")[2]: path.read_bytes() for path in sorted(cached.glob("script-*.mv"))}
    return BuiltPackage(name, modules, scripts, (cached / "metadata.bcs").read_bytes())


def _coverage(table: str, package: BuiltPackage) -> dict[str, Coverage]:
    """Sum the compiler's table by module. Its last column, named Uncovered, holds the total."""
    functions = {module.name: read_module(module.code).functions for module in package.modules}
    sums = {name: [0, 0] for name in functions}
    for line in table.strip().splitlines():
        full_name, function, covered, total = line.split(",")
        module = full_name.rpartition("::")[2]
        if function in functions.get(module, ()):
            sums[module][0] += int(covered)
            sums[module][1] += int(total)
    return {name: Coverage(*counts) for name, counts in sums.items() if counts[1]}


def framework() -> dict[str, BuiltPackage]:
    """The local framework's packages, built, by name."""
    return {name: build(folder) for name, folder in framework_packages().items()}


if __name__ == "__main__":
    from infra.local.chain.compiler_cli import main

    sys.exit(main(sys.argv[1:]))
