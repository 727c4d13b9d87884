"""Finds and loads the native Move libraries and gives ctypes the C structures that both share.

The libraries come from the npm package ``@initia/builder.js`` (BUSL-1.1: development and tests only).
They are never vendored and never shipped.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

REPO_ROOT = Path(__file__).resolve().parents[3]

BUILD_DIR = REPO_ROOT / "build" / "move"
"""Everything derived (built packages, overlays, caches) lives below this ignored folder."""


class MoveLibraryMissing(RuntimeError):
    """A native library is not installed, or there is none for this platform."""


class ByteSliceView(ctypes.Structure):
    """Bytes lent to the library for the time of one call."""

    _fields_ = (("is_nil", ctypes.c_bool), ("ptr", ctypes.c_void_p), ("len", ctypes.c_size_t))


class UnmanagedVector(ctypes.Structure):
    """Bytes owned by the library; returned with ``destroy_unmanaged_vector``."""

    _fields_ = (
        ("is_none", ctypes.c_bool),
        ("ptr", ctypes.c_void_p),
        ("len", ctypes.c_size_t),
        ("cap", ctypes.c_size_t),
    )


class U8SliceView(ctypes.Structure):
    """Bytes lent by the library to a callback."""

    _fields_ = (("is_none", ctypes.c_bool), ("ptr", ctypes.c_void_p), ("len", ctypes.c_size_t))


def view(data: bytes) -> ByteSliceView:
    """Lend ``data`` to the library; the view keeps ``data`` alive."""
    return ByteSliceView(False, ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data))


def library_dir() -> Path:
    """The folder with the libraries: ``MOVE_LIBRARY_DIR``, or the one npm installed."""
    override = os.environ.get("MOVE_LIBRARY_DIR")
    if override:
        return Path(override)
    return REPO_ROOT / "node_modules" / "@initia" / "builder.js" / "library"


def library_path(stem: str) -> Path:
    """The file of ``libcompiler`` or ``libmovevm`` for this platform.

    Raises MoveLibraryMissing, saying what to install, when it is absent.
    """
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        suffix = "dylib"
    elif sys.platform.startswith("linux") and machine in {"x86_64", "amd64"}:
        suffix = "x86_64.so"
    elif sys.platform.startswith("linux") and machine in {"aarch64", "arm64"}:
        suffix = "aarch64.so"
    else:
        raise MoveLibraryMissing(
            f"There is no Move library for {sys.platform} on {machine}; Linux and macOS are supported."
        )
    path = library_dir() / f"{stem}.{suffix}"
    if not path.is_file():
        raise MoveLibraryMissing(
            f"The Move library {path.name} is not in {path.parent}. "
            "Install it with `npm ci --ignore-scripts` in the repository's root, "
            "or set MOVE_LIBRARY_DIR to the folder that has it."
        )
    return path


@cache
def load(stem: str) -> ctypes.PyDLL:
    """Load ``libcompiler`` or ``libmovevm`` once per process.

    With backtraces on, the VM walks the stack at every abort and is a hundred times slower, so they are
    turned off first. PyDLL keeps the interpreter lock: calls are short, come from one thread, and call
    back into Python many times.
    """
    os.environ["RUST_BACKTRACE"] = os.environ["RUST_LIB_BACKTRACE"] = "0"
    path = library_path(stem)
    return ctypes.PyDLL(str(path))


def take(library: Any, vector: UnmanagedVector) -> bytes | None:
    """Copy a result out of the library's memory and give that memory back."""
    if vector.is_none:
        return None
    data = ctypes.string_at(vector.ptr, vector.len) if vector.len else b""
    library.destroy_unmanaged_vector(vector)
    return data
