"""A copy of a Move package whose git dependencies are replaced by the local framework.

A contract's Move.toml names Aptos' framework by git, for the official CLI. Here nothing is fetched: the
compiler sees a copy with the dependency lines replaced, and the sources as they are.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FRAMEWORK_DIR = Path(__file__).resolve().parent / "framework"

_SOURCE_FOLDERS = ("sources", "tests", "scripts")


class MovePackageError(ValueError):
    """The folder is not a Move package that can be built here."""


def read_manifest(package: Path) -> dict[str, Any]:
    """The package's Move.toml; raises MovePackageError when it is absent or broken."""
    path = package / "Move.toml"
    try:
        manifest = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise MovePackageError(f"{package} is not a Move package: it has no Move.toml.") from None
    except tomllib.TOMLDecodeError as error:
        raise MovePackageError(f"{path} cannot be read: {error}.") from error
    if "name" not in manifest.get("package", {}):
        raise MovePackageError(f"{path} does not name its package.")
    return manifest


def framework_packages() -> dict[str, Path]:
    """The local framework's packages by name."""
    manifests = [FRAMEWORK_DIR / "Move.toml", *sorted(FRAMEWORK_DIR.glob("*/Move.toml"))]
    folders = [manifest.parent for manifest in manifests if manifest.is_file()]
    return {read_manifest(folder)["package"]["name"]: folder for folder in folders}


def local_dependencies(package: Path) -> Iterator[Path]:
    """Folders of the packages that the manifest names by path."""
    manifest = read_manifest(package)
    for table in ("dependencies", "dev-dependencies"):
        for source in manifest.get(table, {}).values():
            if "local" in source:
                yield (package / source["local"]).resolve()


def source_files(package: Path) -> list[Path]:
    """Manifest and Move sources, in a stable order."""
    files = [package / "Move.toml"]
    for folder in _SOURCE_FOLDERS:
        files += sorted((package / folder).rglob("*.move"))
    return files


def digest(package: Path, seen: set[Path] | None = None) -> bytes:
    """SHA-256 over the sources of the package, of what it names by path and of the framework."""
    visited = set() if seen is None else seen
    roots = [package.resolve(), *framework_packages().values()] if seen is None else [package.resolve()]
    hasher = hashlib.sha256()
    for root in roots:
        if root in visited:
            continue
        visited.add(root)
        for path in source_files(root):
            name, content = str(path.relative_to(root)).encode(), path.read_bytes()
            hasher.update(b"%d %s %d " % (len(name), name, len(content)) + content)
        for dependency in local_dependencies(root):
            hasher.update(digest(dependency, visited))
    return hasher.digest()


def make_overlay(package: Path, into: Path) -> Path:
    """Copy ``package`` below the empty folder ``into`` and return the copy.

    Packages named by path are copied beside it; those of the framework are used where they stand.
    """
    return _copy(package.resolve(), into, {})


def _copy(package: Path, into: Path, done: dict[Path, Path]) -> Path:
    if package in done:
        return done[package]
    manifest = read_manifest(package)
    target = into / f"{len(done)}-{manifest['package']['name']}"
    done[package] = target
    for path in source_files(package)[1:]:
        copy = target / path.relative_to(package)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    framework = framework_packages()
    for table in ("dependencies", "dev-dependencies"):
        if table in manifest:
            manifest[table] = _localise(manifest[table], package, into, done, framework)
    target.mkdir(parents=True, exist_ok=True)
    (target / "Move.toml").write_text(_toml(manifest))
    return target


def _localise(
    dependencies: Mapping[str, Mapping[str, Any]],
    package: Path,
    into: Path,
    done: dict[Path, Path],
    framework: Mapping[str, Path],
) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for name, source in dependencies.items():
        if "local" in source:
            folder = (package / source["local"]).resolve()
            path = folder if folder in framework.values() else _copy(folder, into, done)
            out[name] = {**source, "local": str(path)}
        elif not framework:
            raise MovePackageError(f"{package} depends on {name}, and {FRAMEWORK_DIR} holds no package.")
        else:
            out.update({local: {"local": str(path)} for local, path in framework.items()})
    return out


def _toml(manifest: Mapping[str, Any]) -> str:
    """Manifests hold tables of strings, numbers, lists and inline tables; JSON strings are TOML strings."""
    lines = []
    for table, entries in manifest.items():
        lines.append(f"[{table}]")
        lines += [f"{json.dumps(key)} = {_toml_value(value)}" for key, value in entries.items()]
    return "\n".join(lines) + "\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{json.dumps(key)} = {_toml_value(item)}" for key, item in value.items()) + " }"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return json.dumps(value)
