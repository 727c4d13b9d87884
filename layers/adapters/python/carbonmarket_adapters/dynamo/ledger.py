"""Table ledger: the journal, appended once and never changed, and what is kept beside it for reading.

Keys:
  key#<key> / content            an entry, or a hold (journal)
  key#<key> / end                how a hold ended (journal)
  statement#<account>#<currency> / <at_us>#<key>#<n>   a posted transfer as the account shows it (journal)
  account#<account> / balance#<currency>               the account's sums
  open / <expires_us>#<key>      a hold that is pending, until it ends
  reconciliations / <at_us>      published results

A write is one DynamoDB transaction: the journal's items if they are absent, and every balance if its revision
still stands. So it is done wholly or not at all, and two writers of one account (the float, the fees) never
both pass a limit: the second gets StaleWrite, loads again and decides anew, which its caller does.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from carbonmarket.errors import Conflict, NotFound, StaleWrite
from carbonmarket.ledger.decide import (
    AccountKey,
    Appended,
    Balances,
    Decision,
    accounts_of,
    check_same,
    decide_pend,
    decide_post,
    decide_posting,
    decide_return,
    lines_of,
    settled,
)
from carbonmarket.records.money import (
    Balance,
    Books,
    Entry,
    HeldTransfer,
    Hold,
    KeptBalance,
    Line,
    MoneyReconciliation,
    Resolution,
    Transfer,
)
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.table import Delete, DocumentTable, Item, Kind, Write, table_model


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands under a key: one of the two."""

    entry: Entry | None = None
    hold: Hold | None = None


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """A hold that is pending, by its key."""

    key: str


CONTENT = Kind("content", Content)
END = Kind("end", Resolution)
LINE = Kind("line", Line)
BALANCE = Kind("balance", Balance)
OPEN = Kind("open", Open)
RECONCILIATION = Kind("money-reconciliation", MoneyReconciliation)


class DynamoLedger:
    """The :class:`carbonmarket.ports.money.Ledger` over DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = DocumentTable(settings, "ledger")

    def post(self, key: str, transfers: Sequence[Transfer], now_us: int) -> Entry:
        before = self._content(key)
        if before is not None:
            return _same_entry(key, before, transfers)
        loaded, decision = self._decide(
            transfers,
            now_us,
            lambda balances: decide_post(key, transfers, balances, now_us),
            lambda: self._content(key) is not None,
        )
        entry = decision.appended
        self._write(decision, loaded, [_content(key, Content(entry=entry)), *_lines(entry)])
        return entry

    def pend(self, key: str, transfer: Transfer, now_us: int, expires_us: int) -> Hold:
        before = self._content(key)
        if before is not None:
            return _same_hold(key, before, transfer)
        loaded, decision = self._decide(
            [transfer],
            now_us,
            lambda balances: decide_pend(key, transfer, balances, now_us, expires_us),
            lambda: self._content(key) is not None,
        )
        hold = decision.appended
        waiting = Write(OPEN, *_open_key(hold), Open(key=key), revision=0)
        self._write(decision, loaded, [_content(key, Content(hold=hold)), waiting])
        return hold

    def post_pending(
        self,
        key: str,
        amount: int,
        now_us: int,
        *,
        references: Mapping[str, str] | None = None,
        also: Sequence[Transfer] = (),
    ) -> Resolution:
        held = self._held(key)
        wanted = settled(held.hold, amount, references or {}, also)
        end = held.resolution
        if end is not None and end.entry is not None:
            check_same(key, end.entry.transfers, wanted.transfers)
            return end
        loaded, decision = self._decide(
            wanted.transfers,
            now_us,
            lambda balances: decide_posting(held, amount, references or {}, also, balances, now_us),
            lambda: self._held(key).resolution is not None,
        )
        return self._end(held.hold, decision, loaded)

    def void(self, key: str, now_us: int) -> Resolution:
        return self._give_back(key, "voided", now_us)

    def expire(self, now_us: int) -> list[Resolution]:
        past = f"{now_us + 1:020}"
        open_holds = self._table.query(OPEN, "open")
        due = [found.record.key for _, found in itertools.takewhile(lambda each: each[0] < past, open_holds)]
        ended = []
        for key in due:
            # One that was posted meanwhile, or whose accounts are busy, is no business of this run.
            with contextlib.suppress(Conflict):
                ended.append(self._give_back(key, "expired", now_us))
        return ended

    def entry(self, key: str) -> Entry | None:
        content = self._content(key)
        return content.entry if content else None

    def hold(self, key: str) -> HeldTransfer | None:
        content = self._content(key)
        if content is None or content.hold is None:
            return None
        end = self._table.get(END, _journal(key), "end")
        return HeldTransfer(hold=content.hold, resolution=end.record if end else None)

    def balances(self, account: str) -> list[Balance]:
        found = self._table.query(BALANCE, f"account#{account}", prefix="balance#")
        return [stored.record for _, stored in found]

    def statement(self, account: str, currency: str, since_us: int, until_us: int) -> list[Line]:
        lines = self._table.query(LINE, f"statement#{account}#{currency}", after=f"{since_us:020}")
        end = f"{until_us:020}"
        return [found.record for _, found in itertools.takewhile(lambda each: each[0] < end, lines)]

    def kept(self, accounts: Collection[AccountKey] | None = None) -> dict[AccountKey, KeptBalance]:
        if accounts is not None:
            loaded = self._load_accounts(accounts)
            return {
                key: KeptBalance(balance=balance, revision=loaded.revisions[key])
                for key, balance in loaded.balances.items()
            }
        found = {}
        for item in self._scan(BALANCE):
            balance = BALANCE.decode(item.body, int(item.item_version))
            key = (balance.account, balance.currency)
            found[key] = KeptBalance(balance=balance, revision=int(item.revision))
        return found

    def journal(self) -> Iterator[Entry | Hold | Resolution]:
        for item in self._scan(CONTENT, END):
            version = int(item.item_version)
            if item.kind == END.name:
                yield END.decode(item.body, version)
                continue
            content = CONTENT.decode(item.body, version)
            appended = content.entry or content.hold
            assert appended is not None
            yield appended

    def _scan(self, *kinds: Kind[Any]) -> Iterator[Item]:
        model = table_model(self._settings, "ledger")
        wanted = model.kind.is_in(*(kind.name for kind in kinds))
        return iter(model.scan(wanted, consistent_read=True))

    def books(self) -> Books:
        contents: list[Content] = []
        ends: dict[str, Resolution] = {}
        balances: list[Balance] = []
        for item in table_model(self._settings, "ledger").scan(consistent_read=True):
            version = int(item.item_version)
            if item.kind == CONTENT.name:
                contents.append(CONTENT.decode(item.body, version))
            elif item.kind == END.name:
                end = END.decode(item.body, version)
                ends[end.key] = end
            elif item.kind == BALANCE.name:
                balances.append(BALANCE.decode(item.body, version))
        holds = (content.hold for content in contents if content.hold)
        return Books(
            entries=tuple(content.entry for content in contents if content.entry),
            holds=tuple(HeldTransfer(hold=hold, resolution=ends.get(hold.key)) for hold in holds),
            balances=tuple(balances),
        )

    def publish(self, result: MoneyReconciliation) -> None:
        self._table.put(Write(RECONCILIATION, "reconciliations", f"{result.at_us:020}", result))

    def published(self, first: int = 30, before_us: int | None = None) -> list[MoneyReconciliation]:
        after = None if before_us is None else f"{before_us:020}"
        found = self._table.query(RECONCILIATION, "reconciliations", after=after, reverse=True, limit=first)
        return [stored.record for _, stored in found]

    def _give_back(self, key: str, state: Literal["voided", "expired"], now_us: int) -> Resolution:
        held = self._held(key)
        if held.resolution is not None and held.state != "posted":
            return held.resolution
        loaded = self._load([held.hold.transfer])
        return self._end(held.hold, decide_return(held, state, loaded.balances, now_us), loaded)

    def _decide(
        self,
        transfers: Sequence[Transfer],
        now_us: int,
        decide: Callable[[Balances], Decision[Appended]],
        is_done: Callable[[], bool],
    ) -> tuple[_Loaded, Decision[Appended]]:
        """Decide on the balances as they are; ``is_done`` looks whether the same was written meanwhile."""
        loaded = self._load(transfers)
        try:
            return loaded, decide(loaded.balances)
        except Conflict as conflict:
            if is_done():
                raise StaleWrite("another writer has just done the same") from conflict
            # What is lacking may be held by holds whose time has passed.
            if not self.expire(now_us):
                raise
        loaded = self._load(transfers)
        return loaded, decide(loaded.balances)

    def _end(self, hold: Hold, decision: Decision[Resolution], loaded: _Loaded) -> Resolution:
        end = decision.appended
        appended = [Write(END, _journal(hold.key), "end", end, revision=0)]
        self._write(decision, loaded, [*appended, *(_lines(end.entry) if end.entry else [])], hold)
        return end

    def _held(self, key: str) -> HeldTransfer:
        held = self.hold(key)
        if held is None:
            raise NotFound(f"the ledger has no hold {key}")
        return held

    def _content(self, key: str) -> Content | None:
        stored = self._table.get(CONTENT, _journal(key), "content")
        return stored.record if stored else None

    def _load(self, transfers: Iterable[Transfer]) -> _Loaded:
        return self._load_accounts(accounts_of(transfers))

    def _load_accounts(self, accounts: Iterable[AccountKey]) -> _Loaded:
        wanted = {_balance_key(key): key for key in accounts}
        found = self._table.get_many(BALANCE, wanted)
        return _Loaded(
            balances={wanted[place]: stored.record for place, stored in found.items()},
            revisions={wanted[place]: stored.revision for place, stored in found.items()},
        )

    def _write(
        self, decision: Decision[Any], loaded: _Loaded, appended: Sequence[Write], ended: Hold | None = None
    ) -> None:
        balances = [
            Write(BALANCE, *_balance_key(key), balance, revision=loaded.revisions.get(key, 0))
            for key, balance in decision.balances.items()
        ]
        removed = [Delete(*_open_key(ended))] if ended else []
        self._table.transact([*appended, *balances, *removed])


class _Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Balances with the revisions they were read at."""

    balances: Balances
    revisions: Mapping[AccountKey, int]


def _same_entry(key: str, before: Content, transfers: Sequence[Transfer]) -> Entry:
    check_same(key, before.entry and before.entry.transfers, tuple(transfers))
    assert before.entry is not None
    return before.entry


def _same_hold(key: str, before: Content, transfer: Transfer) -> Hold:
    # Its end is not compared: a step that is run again counts its time anew.
    check_same(key, before.hold and before.hold.transfer, transfer)
    assert before.hold is not None
    return before.hold


def _journal(key: str) -> str:
    return f"key#{key}"


def _content(key: str, content: Content) -> Write:
    return Write(CONTENT, _journal(key), "content", content, revision=0)


def _lines(entry: Entry) -> list[Write]:
    return [
        Write(
            LINE,
            f"statement#{line.account}#{line.currency}",
            f"{line.at_us:020}#{line.entry}#{number:02}",
            line,
            revision=0,
        )
        for number, line in enumerate(lines_of(entry))
    ]


def _balance_key(key: AccountKey) -> tuple[str, str]:
    account, currency = key
    return f"account#{account}", f"balance#{currency}"


def _open_key(hold: Hold) -> tuple[str, str]:
    return "open", f"{hold.expires_us:020}#{hold.key}"
