"""The native Move VM: it reads state through a callback and hands back events, writes and gas.

Keys of the store: ``address(32) || kind(1) || path``, where kind is one of the constants below and path is
BCS of a module's name or struct tag, or a table key; a table's handle is an address.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.chain import bcs
from infra.local.chain.bcs import Reader
from infra.local.chain.movelib import ByteSliceView, U8SliceView, UnmanagedVector, load, take, view
from infra.local.chain.types import MoveType, type_bytes

KIND_MODULE, KIND_CHECKSUM, KIND_RESOURCE, KIND_TABLE_ITEM, KIND_TABLE_INFO = range(5)

_ARGUMENTS_ARE_BCS = bcs.flag(False)
_SCRIPTS_CACHED = 100
_MODULES_CACHED = 2000

_Out = ctypes.POINTER(UnmanagedVector)
_READ = ctypes.PYFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, U8SliceView, _Out, _Out)
_WRITE = ctypes.PYFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, U8SliceView, U8SliceView, _Out)
_REMOVE = ctypes.PYFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, U8SliceView, _Out)
_SCAN = ctypes.PYFUNCTYPE(
    ctypes.c_int32,
    ctypes.c_void_p,
    U8SliceView,
    U8SliceView,
    U8SliceView,
    ctypes.c_int32,
    ctypes.c_void_p,
    _Out,
)
_UNUSED = ctypes.PYFUNCTYPE(ctypes.c_int32)
_ACCOUNT = ctypes.PYFUNCTYPE(
    ctypes.c_int32,
    ctypes.c_void_p,
    U8SliceView,
    ctypes.POINTER(ctypes.c_bool),
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
    _Out,
)


class _Db(ctypes.Structure):
    _fields_ = (
        ("state", ctypes.c_void_p),
        ("read", _READ),
        ("write", _WRITE),
        ("remove", _REMOVE),
        ("scan", _SCAN),
    )


class _Api(ctypes.Structure):
    _fields_ = (
        ("state", ctypes.c_void_p),
        ("query", _UNUSED),
        ("account", _ACCOUNT),
        ("amount_to_share", _UNUSED),
        ("share_to_amount", _UNUSED),
        ("unbond_timestamp", _UNUSED),
        ("price", _UNUSED),
    )


Read = Callable[[bytes], bytes | None]
Writes = dict[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Env:
    """Where in the chain a call runs. The VM knows whole seconds only."""

    height: int
    seconds: int
    tx_hash: bytes

    def to_bytes(self) -> bytes:
        next_account_number = bcs.u64(1)
        return (
            bcs.u64(self.height) + bcs.u64(self.seconds) + next_account_number + self.tx_hash + self.tx_hash
        )


@dataclass(frozen=True, slots=True)
class Call:
    """A function with type arguments and BCS arguments, signers left out."""

    address: bytes
    module: str
    function: str
    type_args: tuple[MoveType, ...]
    args: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """BCS of Aptos' EntryFunction."""
        types = bcs.uleb(len(self.type_args)) + b"".join(map(type_bytes, self.type_args))
        name = self.address + bcs.text(self.module) + bcs.text(self.function)
        return name + types + bcs.blobs(self.args)


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A compiled script with type arguments and BCS arguments, signers left out."""

    code: bytes
    type_args: tuple[MoveType, ...]
    args: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        types = bcs.uleb(len(self.type_args)) + b"".join(map(type_bytes, self.type_args))
        return bcs.blob(self.code) + types + bcs.blobs(self.args)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``failure`` is the VM's text, or None; events are (type, the VM's own JSON) in order."""

    failure: str | None
    events: list[tuple[str, str]]
    writes: Writes
    gas_used: int


class MoveVm:
    """One VM over one store. Not for use by several threads."""

    def __init__(self, read: Read) -> None:
        """``read`` gives the value of a key, or None; what it raises, the running call raises."""
        self._library = _declare(load("libmovevm"))
        self._read = read
        self._writes: Writes = {}
        self._error: BaseException | None = None
        self._callbacks = self._make_callbacks()
        read_db, write_db, remove_db, scan_db, unused, account = self._callbacks
        self._db = _Db(None, read_db, write_db, remove_db, scan_db)
        self._api = _Api(None, unused, account, unused, unused, unused, unused)
        config = bcs.flag(True) + bcs.u64(_SCRIPTS_CACHED) + bcs.u64(_MODULES_CACHED)
        self._vm = self._library.allocate_vm(view(config))

    def _make_callbacks(self) -> tuple[Any, ...]:
        make_vector = self._library.new_unmanaged_vector
        string_at = ctypes.string_at

        def read_db(_state: Any, key: Any, out: Any, _error: Any) -> int:
            try:
                value = self._read(string_at(key.ptr, key.len))
            except BaseException as error:  # must not cross the native frames
                self._error = error
                return 1
            out[0] = make_vector(True, b"", 0) if value is None else make_vector(False, value, len(value))
            return 0

        def write_db(_state: Any, key: Any, value: Any, _error: Any) -> int:
            self._writes[string_at(key.ptr, key.len)] = string_at(value.ptr, value.len) if value.len else b""
            return 0

        def remove_db(_state: Any, key: Any, _error: Any) -> int:
            self._writes[string_at(key.ptr, key.len)] = None
            return 0

        def account(_state: Any, _address: Any, found: Any, *_rest: Any) -> int:
            found[0] = False
            return 0

        return (
            _READ(read_db),
            _WRITE(write_db),
            _REMOVE(remove_db),
            _SCAN(lambda *_: 1),
            _UNUSED(lambda: 1),
            _ACCOUNT(account),
        )

    def close(self) -> None:
        """Give the VM's memory back; the object cannot be used afterwards."""
        if self._vm:
            self._library.release_vm(self._vm)
            self._vm = None

    def initialize(self, env: Env, modules: Sequence[bytes]) -> Outcome:
        """Publish the bundle of 0x1, once, on an empty store."""
        error = self._begin()
        result = self._library.initialize(
            self._vm,
            self._db,
            self._api,
            view(env.to_bytes()),
            view(bcs.blobs(list(modules))),
            view(bcs.uleb(0)),
            ctypes.byref(error),
        )
        return self._finish(result, error, 0)

    def execute(self, env: Env, senders: Sequence[bytes], call: Call | ScriptCall, gas_limit: int) -> Outcome:
        """Run an entry function or a script; ``gas_limit`` and the gas used are in the VM's own unit."""
        function = self._library.execute_contract if isinstance(call, Call) else self._library.execute_script
        gas = ctypes.c_uint64(gas_limit)
        error = self._begin()
        result = function(
            self._vm,
            ctypes.byref(gas),
            self._db,
            self._api,
            view(env.to_bytes()),
            view(bcs.uleb(len(senders)) + b"".join(senders)),
            view(call.to_bytes() + _ARGUMENTS_ARE_BCS),
            ctypes.byref(error),
        )
        return self._finish(result, error, gas_limit - gas.value)

    def view(self, env: Env, call: Call, gas_limit: int) -> tuple[str | None, str]:
        """Run a view function: (None, the VM's JSON of what it returns) or (failure, "")."""
        gas = ctypes.c_uint64(gas_limit)
        error = self._begin()
        result = self._library.execute_view_function(
            self._vm,
            ctypes.byref(gas),
            self._db,
            self._api,
            view(env.to_bytes()),
            view(call.to_bytes() + _ARGUMENTS_ARE_BCS),
            ctypes.byref(error),
        )
        failure, data = self._take(result, error)
        return failure, "" if failure is not None else Reader(data).text()

    def _begin(self) -> UnmanagedVector:
        self._writes = {}
        self._error = None
        return UnmanagedVector(True, None, 0, 0)

    def _take(self, result: UnmanagedVector, error: UnmanagedVector) -> tuple[str | None, bytes]:
        message = take(self._library, error)
        data = take(self._library, result) or b""
        if self._error is not None:
            raise self._error
        if message is not None:
            return message.decode(errors="replace"), b""
        return None, data

    def _finish(self, result: UnmanagedVector, error: UnmanagedVector, gas_used: int) -> Outcome:
        failure, data = self._take(result, error)
        if failure is not None:
            return Outcome(failure, [], {}, gas_used)
        reader = Reader(data)
        events = [(reader.text(), reader.text()) for _ in range(reader.uleb())]
        return Outcome(None, events, self._writes, gas_used)


def _declare(library: Any) -> Any:
    """Give the functions their C types."""
    slice_, vector, pointer = ByteSliceView, UnmanagedVector, ctypes.c_void_p
    gas = ctypes.POINTER(ctypes.c_uint64)
    library.new_unmanaged_vector.restype = vector
    library.new_unmanaged_vector.argtypes = [ctypes.c_bool, ctypes.c_char_p, ctypes.c_size_t]
    library.destroy_unmanaged_vector.restype = None
    library.destroy_unmanaged_vector.argtypes = [vector]
    library.allocate_vm.restype = pointer
    library.allocate_vm.argtypes = [slice_]
    library.release_vm.restype = None
    library.release_vm.argtypes = [pointer]
    library.initialize.restype = vector
    library.initialize.argtypes = [pointer, _Db, _Api, slice_, slice_, slice_, _Out]
    for name in ("execute_contract", "execute_script"):
        function = getattr(library, name)
        function.restype = vector
        function.argtypes = [pointer, gas, _Db, _Api, slice_, slice_, slice_, _Out]
    library.execute_view_function.restype = vector
    library.execute_view_function.argtypes = [pointer, gas, _Db, _Api, slice_, slice_, _Out]
    return library
