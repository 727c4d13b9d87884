"""The child process that runs the native compiler: it prints to the process's own output and may exit.

Started by ``compiler.py`` as ``python -m infra.local.chain.compiler_process REQUEST``, where REQUEST is
JSON with the keys action (build, test, coverage), path, named_addresses, dev, filter.
Exit codes: 0 done, 1 the compiler refused (its words are on the error output).
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable
from typing import Any

from infra.local.chain import bcs
from infra.local.chain.movelib import ByteSliceView, UnmanagedVector, load, take, view

_BYTECODE_VERSION = 7
_LANGUAGE = "2.1"


def _arguments(request: dict[str, Any]) -> bytes:
    """BCS of the compiler's arguments; nothing is ever fetched."""
    testing = request["action"] != "build"
    named = request["named_addresses"]
    addresses = b"".join(bcs.text(name) + bytes.fromhex(named[name]) for name in sorted(named))
    build_config = (
        bcs.flag(request["dev"] or testing)
        + bcs.flag(testing)
        + bcs.flag(False)  # generate_docs
        + bcs.flag(False)  # generate_abis
        + bcs.option_text(None)  # install_dir
        + bcs.flag(False)  # force_recompilation
        + bcs.flag(False)  # fetch_deps_only
        + bcs.flag(True)  # skip_fetch_latest_git_deps
        + _BYTECODE_VERSION.to_bytes(4, "little")
        + bcs.text(_LANGUAGE)
        + bcs.text(_LANGUAGE)
        + bcs.uleb(len(named))
        + addresses
    )
    return bcs.option_text(request["path"]) + bcs.flag(False) + build_config


def _call(name: str, *arguments: bytes) -> None:
    library = load("libcompiler")
    function: Callable[..., UnmanagedVector] = getattr(library, name)
    function.restype = UnmanagedVector  # type: ignore[attr-defined]
    function.argtypes = [  # type: ignore[attr-defined]
        ctypes.POINTER(UnmanagedVector),
        *[ByteSliceView] * len(arguments),
    ]
    library.destroy_unmanaged_vector.argtypes = [UnmanagedVector]
    error = UnmanagedVector(True, None, 0, 0)
    function(ctypes.byref(error), *map(view, arguments))
    message = take(library, error)
    if message is not None:
        print(message.decode(errors="replace"), file=sys.stderr)  # noqa: T201 - the parent reads it
        sys.exit(1)


def main() -> None:
    request = json.loads(sys.argv[1])
    arguments = _arguments(request)
    if request["action"] == "build":
        _call("build_move_package", arguments)
        return
    coverage = request["action"] == "coverage"
    options = (
        bcs.option_text(request["filter"])
        + bcs.flag(True)  # report_statistics
        + bcs.flag(False)  # report_storage_on_error
        + bcs.flag(True)  # ignore_compile_warnings
        + bcs.flag(coverage)
    )
    _call("test_move_package", arguments, options)
    if coverage:
        by_function_as_csv = bcs.flag(True) + bcs.flag(True)
        _call("coverage_summary_move_package", arguments, by_function_as_csv)


if __name__ == "__main__":
    main()
