"""Table ``chain``: writing the projection with its journal.

Effects, journal entry and cursor are one DynamoDB transaction of at most 100 items, over as many versions as
fit. A version that needs more is written part by part under its journal while the cursor still stands before
it; whoever finds such parts without the cursor having moved undoes them first. Every transaction carries the
cursor's revision, so that of two watchers one always stops.

The journal is kept for :data:`JOURNAL_KEPT_S`. An entry past that counts as gone whether or not DynamoDB has
removed it yet, so that what is left of the journal never has a gap. A chain that went back further is folded
anew.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from carbonmarket.errors import NotFound, StaleWrite
from carbonmarket.ports.projection import Folded, Key, Mark
from carbonmarket.records.chain import Cursor
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.best_prices import BEST_PRICES, best_prices_after, books_of
from carbonmarket_adapters.dynamo.chain import CURSOR, CURSOR_KEYS
from carbonmarket_adapters.dynamo.chain_keys import is_projected, keys_of, kind_of, write_of
from carbonmarket_adapters.dynamo.table import (
    READ_ITEMS_MAX,
    TRANSACTION_ITEMS_MAX,
    Delete,
    DocumentTable,
    Kind,
    Stored,
    Write,
    table_model,
)

EFFECTS_MAX = TRANSACTION_ITEMS_MAX - 2
"""Beside the effects and the best prices of their books, a transaction holds its journal entry and the
cursor."""

JOURNAL_KEPT_S = 7 * 86_400
"""How far back the chain may go and be followed by undoing."""

_CACHED_MAX = 50_000
_JOURNAL = "JOURNAL"


class Undo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to put back at a key: a record in JSON, or nothing."""

    key: tuple[str, ...]
    body: str | None


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one transaction replaced. ``previous`` is the cursor before its first version; from ``expires_s``
    on (unix seconds) the entry counts as gone."""

    last: int
    fingerprint: str
    part: int
    previous: Cursor | None
    undo: tuple[Undo, ...]
    expires_s: int = 0


class Lease(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who watches until when."""

    holder: str
    until_us: int


_ENTRY = Kind("journal", JournalEntry)
_LEASE = Kind("lease", Lease)


class _Part(msgspec.Struct):
    """Effects that are written together."""

    effects: dict[Key, msgspec.Struct | None]
    before: dict[Key, msgspec.Struct | None]
    last: Folded
    closes: bool


class ChainWriter:
    """A :class:`~carbonmarket.ports.projection.ProjectionStore`. One per watcher; not for several threads."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """``clock`` tells unix seconds."""
        self._table = DocumentTable(settings, "chain")
        self._model = table_model(settings, "chain")
        self._clock = clock
        self._cursor: Stored[Cursor] | None = None
        self._known: dict[Key, msgspec.Struct | None] = {}
        self._begun = False

    def lease(self, holder: str, now_us: int, seconds: int) -> bool:
        """Become or stay the watcher; False while another holds the lease."""
        found = self._table.get(_LEASE, "LEASE", "LEASE")
        if found and found.record.holder != holder and found.record.until_us > now_us:
            return False
        record = Lease(holder=holder, until_us=now_us + seconds * 1_000_000)
        try:
            self._table.put(Write(_LEASE, "LEASE", "LEASE", record, found.revision if found else 0))
        except StaleWrite:
            return False
        return True

    def release(self, holder: str) -> None:
        """Give the lease back, if it is still ``holder``'s."""
        found = self._table.get(_LEASE, "LEASE", "LEASE")
        if found and found.record.holder == holder:
            ended = Lease(holder=holder, until_us=0)
            with contextlib.suppress(StaleWrite):
                self._table.put(Write(_LEASE, "LEASE", "LEASE", ended, found.revision))

    def begin(self) -> Cursor | None:
        if not self._begun:
            self._forget()
            self._cursor = self._table.get(CURSOR, *CURSOR_KEYS)
            while self._is_half_done(self._newest_entry()):
                self.undo_newest()
            self._begun = True
        return self._cursor.record if self._cursor else None

    def load(self, keys: Iterable[Key]) -> dict[Key, msgspec.Struct | None]:
        wanted = list(keys)
        missing = [key for key in wanted if key not in self._known]
        for start in range(0, len(missing), READ_ITEMS_MAX):
            self._read(missing[start : start + READ_ITEMS_MAX])
        return {key: self._known[key] for key in wanted}

    def commit(self, chain_id: int, versions: Sequence[Folded]) -> Cursor:
        try:
            for part, number in _numbered(_parts(versions)):
                self._commit_part(chain_id, part, number)
        except BaseException:
            self._begun = False
            raise
        assert self._cursor is not None, "a page has at least one version"
        return self._cursor.record

    def marks(self) -> Iterator[Mark]:
        now = self._clock()
        for _, stored in self._table.query(_ENTRY, _JOURNAL, reverse=True):
            if stored.record.expires_s <= now:
                return
            yield Mark(stored.record.last, stored.record.fingerprint)

    def clear(self) -> None:
        # No version has this fingerprint: whoever goes on after a kill finds that, and clears the rest.
        cursor = self._cursor.record if self._cursor else None
        marked = None if cursor is None else msgspec.structs.replace(cursor, fingerprint="")
        self._replace_cursor([], marked)
        found = (
            Delete(item.pk, item.sk)
            for item in self._model.scan(attributes_to_get=["pk", "sk", "kind"])
            if is_projected(item.kind) or item.kind in (_ENTRY.name, BEST_PRICES.name)
        )
        # With the cursor each time: another watcher may have cleared all meanwhile, and folded anew.
        while removed := list(islice(found, TRANSACTION_ITEMS_MAX - 1)):
            self._replace_cursor(removed, marked)
        self._replace_cursor([], None)
        self._known.clear()

    def undo_newest(self) -> Cursor | None:
        entry = self._newest_entry()
        if entry is None:
            raise NotFound("the journal has no entry to undo; clear the projection and fold the chain anew")
        operations: list[Write | Delete] = [_restored(undo) for undo in entry.undo]
        operations += best_prices_after(self._table, {undo.key: undo.body is not None for undo in entry.undo})
        operations.append(Delete(_JOURNAL, _journal_sort(entry.last, entry.part)))
        self._replace_cursor(operations, entry.previous)
        self._known.clear()
        return entry.previous

    def _commit_part(self, chain_id: int, part: _Part, number: int) -> None:
        previous = self._cursor.record if self._cursor else None
        last = part.last
        entry = JournalEntry(
            last=last.version,
            fingerprint=last.fingerprint,
            part=number,
            previous=previous,
            undo=tuple(Undo(key=key, body=_body(before)) for key, before in part.before.items()),
            expires_s=int(self._clock()) + JOURNAL_KEPT_S,
        )
        after = Cursor(
            chain_id=chain_id,
            version=last.version,
            fingerprint=last.fingerprint,
            ledger_us=last.ledger_us,
        )
        operations: list[Write | Delete] = [
            Delete(*keys_of(key)) if record is None else write_of(key, record)
            for key, record in part.effects.items()
        ]
        operations += best_prices_after(
            self._table, {key: record is not None for key, record in part.effects.items()}
        )
        sort = _journal_sort(last.version, number)
        operations.append(Write(_ENTRY, _JOURNAL, sort, entry, expires_at=entry.expires_s))
        self._replace_cursor(operations, after if part.closes else previous)
        if len(self._known) > _CACHED_MAX:
            self._known.clear()
        self._known.update(part.effects)

    def _replace_cursor(self, operations: Sequence[Write | Delete], cursor: Cursor | None) -> None:
        """Write ``operations`` and the cursor; StaleWrite where another writer moved it. After a failure the
        next ``begin`` looks at what is there."""
        revision = self._cursor.revision if self._cursor else 0
        moved: Write | Delete = (
            Delete(*CURSOR_KEYS, revision)
            if cursor is None
            else Write(CURSOR, *CURSOR_KEYS, cursor, revision)
        )
        try:
            self._table.transact([*operations, moved])
        except BaseException:
            self._begun = False
            raise
        self._cursor = None if cursor is None else Stored(cursor, revision + 1)

    def _newest_entry(self) -> JournalEntry | None:
        found = self._table.query(_ENTRY, _JOURNAL, reverse=True, limit=1)
        return next((stored.record for _, stored in found), None)

    def _is_half_done(self, entry: JournalEntry | None) -> bool:
        at = self._cursor.record.version if self._cursor else -1
        return entry is not None and entry.last > at

    def _read(self, keys: list[Key]) -> None:
        places = {keys_of(key): key for key in keys}
        self._known.update(dict.fromkeys(keys))
        for key, body in self._table_bodies(places):
            self._known[key] = body

    def _table_bodies(self, places: dict[tuple[str, str], Key]) -> Iterator[tuple[Key, msgspec.Struct]]:
        by_kind: dict[str, list[tuple[str, str]]] = {}
        for place, key in places.items():
            by_kind.setdefault(key[0], []).append(place)
        for name, wanted in by_kind.items():
            for place, stored in self._table.get_many(kind_of(name), wanted).items():
                yield places[place], stored.record

    def _forget(self) -> None:
        self._cursor = None
        self._known.clear()


def _parts(versions: Sequence[Folded]) -> Iterator[_Part]:
    """The versions' effects in transactions that fit; whole versions together where they do."""
    open_part: _Part | None = None
    for folded in versions:
        if open_part is not None:
            if _items(open_part.effects.keys() | folded.effects.keys()) <= EFFECTS_MAX:
                open_part.before = {**folded.before, **open_part.before}
                open_part.effects.update(folded.effects)
                open_part.last = folded
                continue
            yield open_part
            open_part = None
        if _items(folded.effects) <= EFFECTS_MAX:
            open_part = _Part(dict(folded.effects), dict(folded.before), folded, closes=True)
        else:
            yield from _split(folded)
    if open_part is not None:
        yield open_part


def _split(folded: Folded) -> Iterator[_Part]:
    chunks: list[list[Key]] = [[]]
    for key in folded.effects:
        if _items([*chunks[-1], key]) > EFFECTS_MAX:
            chunks.append([])
        chunks[-1].append(key)
    for chosen in chunks:
        yield _Part(
            {key: folded.effects[key] for key in chosen},
            {key: folded.before[key] for key in chosen},
            folded,
            closes=chosen is chunks[-1],
        )


def _items(keys: Collection[Key]) -> int:
    """How many items a transaction writes at most for the records at the keys: they and the best prices."""
    return len(keys) + len(books_of(keys))


def _numbered(parts: Iterable[_Part]) -> Iterator[tuple[_Part, int]]:
    """Each part with its number among the parts of its version."""
    version, number = -1, 0
    for part in parts:
        number = number + 1 if part.last.version == version else 0
        version = part.last.version
        yield part, number


def _journal_sort(version: int, part: int) -> str:
    return f"{version:020}#{part:06}"


def _body(record: msgspec.Struct | None) -> str | None:
    return None if record is None else msgspec.json.encode(record).decode()


def _restored(undo: Undo) -> Write | Delete:
    if undo.body is None:
        return Delete(*keys_of(undo.key))
    record = msgspec.json.decode(undo.body, type=kind_of(undo.key[0]).record)
    return write_of(undo.key, record)
