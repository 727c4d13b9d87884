"""Writes the contracts' errors, as their sources word them, into the core's ``aborts.json``.

Run ``python -m infra.aborts`` after a contract's errors changed; a test checks that the file is current.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = tuple(ROOT / "move" / name for name in ("", "market", "test_usdc"))
"""The packages whose errors callers meet."""
TARGET = ROOT / "layers" / "core" / "python" / "carbonmarket" / "chain" / "aborts.json"

_MODULE = re.compile(r"^module\s+\w+::(\w+)", re.M)
_ERROR = re.compile(
    r"((?:^[ \t]*///[^\n]*\n)+)[ \t]*const (E_\w+)\s*:\s*u64\s*=\s*(0x[0-9a-fA-F]+|\d+)\s*;", re.M
)


class SilentError(Exception):
    """An error constant without a ``///`` comment: nobody could tell the caller what was wrong."""


def errors_of(source: str) -> tuple[str, dict[str, dict[str, str]]]:
    """A module's name, and by code in decimal the name and sentence of each of its errors."""
    module = _MODULE.search(source)
    if module is None:
        raise ValueError("the source declares no module")
    errors = {
        str(int(code, 0)): {"name": name, "sentence": _sentence(comment)}
        for comment, name, code in _ERROR.findall(source)
    }
    declared = set(re.findall(r"const (E_\w+)\s*:", source))
    silent = declared - {error["name"] for error in errors.values()}
    if silent:
        raise SilentError(f"{module[1]}: {', '.join(sorted(silent))} says nothing in a /// comment")
    return module[1], errors


def _sentence(comment: str) -> str:
    return " ".join(line.strip().removeprefix("///").strip() for line in comment.strip().splitlines())


def generate() -> str:
    """The file's text."""
    sources = (path for package in PACKAGES for path in (package / "sources").glob("*.move"))
    by_module = dict(errors_of(path.read_text()) for path in sources)
    return json.dumps(by_module, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(generate())
