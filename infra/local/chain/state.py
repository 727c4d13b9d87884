"""The chain's state and history in one SQLite file, one database transaction per block.

A process that is killed loses nothing that was committed and resumes at the same version. Only the newest
value of a key is kept; history keeps each transaction with what it wrote.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

_CACHE_MAX = 400_000
_MISSING = object()

_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS transactions (
    version INTEGER PRIMARY KEY, hash BLOB NOT NULL, kind TEXT NOT NULL, sender BLOB, sequence INTEGER,
    height INTEGER NOT NULL, timestamp INTEGER NOT NULL, success INTEGER NOT NULL, vm_status TEXT NOT NULL,
    gas_used INTEGER NOT NULL, body BLOB NOT NULL, events BLOB NOT NULL, writes BLOB NOT NULL,
    state_change_hash BLOB NOT NULL, event_root_hash BLOB NOT NULL, accumulator_root_hash BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS transactions_hash ON transactions (hash);
CREATE UNIQUE INDEX IF NOT EXISTS transactions_sender ON transactions (sender, sequence)
    WHERE sender IS NOT NULL;
CREATE TABLE IF NOT EXISTS blocks (
    height INTEGER PRIMARY KEY, hash BLOB NOT NULL, timestamp INTEGER NOT NULL,
    first_version INTEGER NOT NULL, last_version INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS blocks_version ON blocks (first_version);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class StateInUse(RuntimeError):
    """Another process serves this state file."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A committed transaction. ``kind`` is genesis or user; times are microseconds.

    ``body`` is the signed transaction in BCS (empty for genesis), ``events`` JSON of [type, VM's JSON] pairs,
    ``writes`` what ``ledger.pack_writes`` gives.
    """

    version: int
    hash: bytes
    kind: str
    sender: bytes | None
    sequence: int | None
    height: int
    timestamp: int
    success: bool
    vm_status: str
    gas_used: int
    body: bytes
    events: bytes
    writes: bytes
    state_change_hash: bytes
    event_root_hash: bytes
    accumulator_root_hash: bytes


@dataclass(frozen=True, slots=True)
class Block:
    height: int
    hash: bytes
    timestamp: int
    first_version: int
    last_version: int


def _row(record: Committed | Block) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in record.__slots__)


_COLUMNS = ", ".join(field.name for field in fields(Committed))
_HOLES = ", ".join("?" * len(fields(Committed)))


class Store:
    """Committed state and history."""

    def __init__(self, path: str | Path) -> None:
        """Open or create the file at ``path``; raises StateInUse when another process serves it."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        try:
            # The exclusive lock makes the cache the only truth beside the file.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            self._db.close()
            raise StateInUse(f"{path} cannot be opened: {error}. Is another localnet serving it?") from error
        self._cache: dict[bytes, bytes | None] = {}

    def close(self) -> None:
        self._db.close()

    def get(self, key: bytes) -> bytes | None:
        value = self._cache.get(key, _MISSING)
        if value is not _MISSING:
            return value  # type: ignore[return-value]
        row = self._db.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        if len(self._cache) >= _CACHE_MAX:
            self._cache.clear()
        found: bytes | None = row[0] if row else None
        self._cache[key] = found
        return found

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All keys that begin with ``prefix``, in order. The last byte of ``prefix`` is a kind, below 255."""
        end = prefix[:-1] + bytes((prefix[-1] + 1,))
        return iter(
            self._db.execute(
                "SELECT key, value FROM state WHERE key >= ? AND key < ? ORDER BY key", (prefix, end)
            ).fetchall()
        )

    def commit(
        self,
        block: Block,
        transactions: Sequence[Committed],
        writes: Mapping[bytes, bytes | None],
        settings: Mapping[str, int],
    ) -> None:
        """Write one block wholly or not at all."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany(
                f"INSERT INTO transactions ({_COLUMNS}) VALUES ({_HOLES})",  # noqa: S608 - our own names
                map(_row, transactions),
            )
            db.execute("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", _row(block))
            db.executemany(
                "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [(key, value) for key, value in writes.items() if value is not None],
            )
            db.executemany(
                "DELETE FROM state WHERE key = ?", [(key,) for key, value in writes.items() if value is None]
            )
            self._put_settings(settings)
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        self._cache.update(writes)

    def _put_settings(self, settings: Mapping[str, int]) -> None:
        self._db.executemany(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            settings.items(),
        )

    def put_setting(self, name: str, value: int) -> None:
        self._put_settings({name: value})

    def setting(self, name: str) -> int | None:
        row = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else None

    def last_block(self) -> Block | None:
        return self._block("ORDER BY height DESC LIMIT 1")

    def block_at(self, height: int) -> Block | None:
        return self._block("WHERE height = ?", height)

    def block_of(self, version: int) -> Block | None:
        return self._block(
            "WHERE first_version <= ? AND last_version >= ? ORDER BY first_version DESC LIMIT 1",
            version,
            version,
        )

    def _block(self, condition: str, *values: int) -> Block | None:
        row = self._db.execute(f"SELECT * FROM blocks {condition}", values).fetchone()  # noqa: S608
        return Block(*row) if row else None

    def by_version(self, version: int) -> Committed | None:
        return next(self._select("WHERE version = ?", version), None)

    def by_hash(self, tx_hash: bytes) -> Committed | None:
        return next(self._select("WHERE hash = ?", tx_hash), None)

    def page(self, start: int, limit: int) -> list[Committed]:
        """``limit`` transactions from version ``start`` on."""
        return list(self._select("WHERE version >= ? ORDER BY version LIMIT ?", start, limit))

    def of_sender(self, sender: bytes, start: int, limit: int) -> list[Committed]:
        """``limit`` transactions of an account from sequence number ``start`` on."""
        condition = "WHERE sender = ? AND sequence >= ? ORDER BY sequence LIMIT ?"
        return list(self._select(condition, sender, start, limit))

    def _select(self, condition: str, *values: int | bytes) -> Iterator[Committed]:
        rows: Iterable[tuple[object, ...]] = self._db.execute(
            f"SELECT {_COLUMNS} FROM transactions {condition}",  # noqa: S608 - our own conditions
            values,
        ).fetchall()
        return (_committed(row) for row in rows)


def _committed(row: tuple[object, ...]) -> Committed:
    committed = Committed(*row)  # type: ignore[arg-type]
    object.__setattr__(committed, "success", bool(committed.success))
    return committed
