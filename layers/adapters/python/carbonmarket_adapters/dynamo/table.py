"""One shape of item for every table: keys, an index, a version and the record as canonical JSON.

A record is stored whole in ``body``, so integers keep every digit (DynamoDB's numbers end at 38) and a
reader never meets half a record. ``item_version`` says which form the body has; an upcaster turns older
forms into today's on reading. ``revision`` counts writes and carries the compare-and-set.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from carbonmarket.errors import StaleWrite
from carbonmarket.settings import Settings

R = TypeVar("R", bound=msgspec.Struct)
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
TRANSACTION_ITEMS_MAX = 100
READ_ITEMS_MAX = 100
READERS = 10
"""As many connections as the client keeps open."""


class _ByGsi1(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "gsi1"
        projection = AllProjection()

    gsi1pk = UnicodeAttribute(hash_key=True)
    gsi1sk = UnicodeAttribute(range_key=True)


class Item(Model):
    """The stored form; subclassed per table by :func:`table_model`."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    gsi1pk = UnicodeAttribute(null=True)
    gsi1sk = UnicodeAttribute(null=True)
    kind = UnicodeAttribute()
    item_version = NumberAttribute()
    revision = NumberAttribute()
    body = UnicodeAttribute()
    expires_at = NumberAttribute(null=True)
    by_gsi1 = _ByGsi1()


@functools.cache
def table_model(settings: Settings, table: str) -> type[Item]:
    """PynamoDB's model of one table of this stage."""

    class Meta:
        table_name = settings.prefix + table
        region = settings.aws_region
        host = settings.aws_endpoint_url or None

    return type("Item_" + table, (Item,), {"Meta": Meta, "by_gsi1": _ByGsi1()})


class Kind(Generic[R]):
    """How one kind of record is stored: its struct, its version and the upcasters to it.

    ``upcasters[n]`` turns a body of version n into one of version n + 1.
    """

    def __init__(
        self, name: str, record: type[R], *, version: int = 1, upcasters: dict[int, Upcaster] | None = None
    ) -> None:
        self.name = name
        self.record = record
        self.version = version
        self.upcasters = upcasters or {}

    def decode(self, body: str, version: int) -> R:
        """The record of a stored body, brought up to today's version."""
        data = msgspec.json.decode(body)
        while version < self.version:
            data = self.upcasters[version](data)
            version += 1
        return msgspec.convert(data, self.record)


class Stored(msgspec.Struct, Generic[R], frozen=True):
    """A record with the revision it was read at."""

    record: R
    revision: int


class Write(msgspec.Struct, frozen=True):
    """One put of a transaction. ``revision`` None writes whatever is there; 0 only if absent."""

    kind: Any
    pk: str
    sk: str
    record: Any
    revision: int | None = None
    gsi1pk: str | None = None
    gsi1sk: str | None = None
    expires_at: int | None = None


class Delete(msgspec.Struct, frozen=True):
    """One removal of a transaction. ``revision`` is as in :class:`Write`."""

    pk: str
    sk: str
    revision: int | None = None


@functools.cache
def _connection(settings: Settings) -> Connection:
    """One connection a process: making one costs a botocore session, 100 ms and more."""
    return Connection(region=settings.aws_region, host=settings.aws_endpoint_url or None)


class DocumentTable:
    """Reads and writes of one table."""

    def __init__(self, settings: Settings, table: str) -> None:
        self._model = table_model(settings, table)
        self._settings = settings

    def get(self, kind: Kind[R], pk: str, sk: str) -> Stored[R] | None:
        """The record at a key, read consistently, or None."""
        try:
            item = self._model.get(pk, sk, consistent_read=True)
        except self._model.DoesNotExist:
            return None
        return Stored(kind.decode(item.body, int(item.item_version)), int(item.revision))

    def get_many(
        self, kind: Kind[R], keys: Iterable[tuple[str, str]], *, consistent: bool = True
    ) -> dict[tuple[str, str], Stored[R]]:
        """The records that exist at the keys, a request for each hundred, several requests at a time."""
        wanted = list(keys)
        pages = [wanted[start : start + READ_ITEMS_MAX] for start in range(0, len(wanted), READ_ITEMS_MAX)]

        def read(page: list[tuple[str, str]]) -> list[Item]:
            return list(self._model.batch_get(page, consistent_read=consistent))

        if len(pages) > 1:
            with ThreadPoolExecutor(READERS) as readers:
                found = [item for items in readers.map(read, pages) for item in items]
        else:
            found = [item for page in pages for item in read(page)]
        return {
            (item.pk, item.sk): Stored(kind.decode(item.body, int(item.item_version)), int(item.revision))
            for item in found
        }

    def put(self, write: Write) -> None:
        """Write one record; :class:`StaleWrite` if the revision has moved on."""
        item = self._item(write)
        try:
            item.save(condition=_condition(self._model, write))
        except PutError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                raise StaleWrite(f"{write.kind.name} {write.sk} was changed by another writer") from error
            raise

    def delete(self, pk: str, sk: str) -> None:
        """Remove the item at a key; none there is no error."""
        self._model(pk, sk).delete()

    def transact(self, operations: Sequence[Write | Delete], *, token: str | None = None) -> None:
        """Write all or none, at most 100; :class:`StaleWrite` if any condition fails.

        ``token`` makes a repetition within ten minutes a no-operation (DynamoDB's ClientRequestToken,
        36 characters at most).
        """
        with self.transaction(token) as transaction:
            for operation in operations:
                self.stage(transaction, operation)

    @contextlib.contextmanager
    def transaction(self, token: str | None = None) -> Iterator[TransactWrite]:
        """A transaction to stage writes in; it is sent at the end of the block, errors as in ``transact``."""
        try:
            with TransactWrite(connection=_connection(self._settings), client_request_token=token) as begun:
                yield begun
        except TransactWriteError as error:
            codes = {reason.code for reason in error.cancellation_reasons if reason}
            if codes & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise StaleWrite("the records were changed by another writer") from error
            raise

    def stage(self, transaction: TransactWrite, operation: Write | Delete) -> None:
        """Add one write or removal to a transaction."""
        if isinstance(operation, Delete):
            gone = self._model(operation.pk, operation.sk)
            transaction.delete(gone, condition=_condition(self._model, operation))
        else:
            transaction.save(self._item(operation), condition=_condition(self._model, operation))

    def query(
        self,
        kind: Kind[R],
        pk: str,
        *,
        prefix: str = "",
        after: str | None = None,
        limit: int | None = None,
        reverse: bool = False,
        consistent: bool = False,
    ) -> Iterator[tuple[str, Stored[R]]]:
        """(sk, record) of a partition in key order, those whose sk begins with ``prefix``."""
        source = functools.partial(self._model.query, consistent_read=consistent)
        yield from self._walk(kind, source, self._model.sk, pk, prefix, after, limit, reverse)

    def query_gsi1(
        self,
        kind: Kind[R],
        gsi1pk: str,
        *,
        prefix: str = "",
        after: str | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[tuple[str, Stored[R]]]:
        """(gsi1sk, record) of an index partition in key order. The index lags a moment behind."""
        source = self._model.by_gsi1.query
        yield from self._walk(kind, source, self._model.gsi1sk, gsi1pk, prefix, after, limit, reverse)

    def _walk(
        self,
        kind: Kind[R],
        source: Callable[..., Iterable[Any]],
        sort: Any,
        partition: str,
        prefix: str,
        after: str | None,
        limit: int | None,
        reverse: bool,
    ) -> Iterator[tuple[str, Stored[R]]]:
        # A range key takes one condition, so a cursor and a prefix become one BETWEEN.
        # Keys are never empty, and no key of ours begins with a blank.
        low, high = prefix or " ", prefix + "\U0010ffff"
        if after is not None:
            low, high = (low, min(after, high)) if reverse else (max(after, low), high)
        # Nothing lies between bounds the wrong way round, and DynamoDB calls them an error.
        if low > high:
            return
        condition = sort.between(low, high) if (prefix or after is not None) else None
        # Without a size DynamoDB reads a megabyte for one item. One more, since the cursor's comes again.
        size = None if limit is None else limit + 1
        seen = 0
        for item in source(partition, condition, scan_index_forward=not reverse, page_size=size):
            key = getattr(item, sort.attr_name)
            if key == after or item.kind != kind.name:
                continue
            yield key, Stored(kind.decode(item.body, int(item.item_version)), int(item.revision))
            seen += 1
            if limit is not None and seen >= limit:
                return

    def _item(self, write: Write) -> Item:
        body = msgspec.json.encode(write.record, order="deterministic").decode()
        return self._model(
            write.pk,
            write.sk,
            gsi1pk=write.gsi1pk,
            gsi1sk=write.gsi1sk,
            kind=write.kind.name,
            item_version=write.kind.version,
            revision=(write.revision or 0) + 1,
            body=body,
            expires_at=write.expires_at,
        )


def _condition(model: type[Item], write: Write | Delete) -> Any:
    if write.revision is None:
        return None
    if write.revision == 0:
        return model.pk.does_not_exist()
    return model.revision == write.revision
