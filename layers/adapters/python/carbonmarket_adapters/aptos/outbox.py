"""Chain access: each call is signed, stored, and only then sent; its fate is asked of the chain.

A transaction is found by its hash, or it is dead: a node whose ledger time is past the expiration doesn't
know the hash. Until one of the two is known, only the stored bytes are sent again.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from typing import Any, Literal

import msgspec
from aptos_sdk.transactions import RawTransaction

from carbonmarket.chain.aborts import abort_of
from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.calls import EntryCall, gap_filler
from carbonmarket.errors import (
    ChainRefused,
    EngineUnavailable,
    IdempotencyMismatch,
    NotAllowed,
    NotFound,
    NotYetFinal,
    StaleWrite,
)
from carbonmarket.ports.chain import Fate, SignerPort
from carbonmarket.records.accounts import ORGANISATION_PREFIX
from carbonmarket.records.audit import AuditEntry
from carbonmarket.records.chain import Held, Submission
from carbonmarket.times import MICROSECONDS
from carbonmarket_adapters.aptos import sequences
from carbonmarket_adapters.aptos.client import Answer, NodeClient, NodeRefused
from carbonmarket_adapters.aptos.sequences import Block
from carbonmarket_adapters.aptos.sponsorship import EXPIRY_S, GAS_PRICE_OCTAS_MAX, GAS_UNITS_MAX, Sponsorship
from carbonmarket_adapters.aptos.transactions import (
    account_of,
    authenticator_of,
    bcs,
    payload_of,
    signed_bytes,
    signing_message,
    transaction_hash,
)
from carbonmarket_adapters.dynamo.signing import SigningTable
from carbonmarket_adapters.dynamo.table import Stored

_LEASE_TRIES = 60
_POLLS_A_SECOND = 20
_PRICE_KEPT_S = 10
# One write takes so many fates.
_SWEPT_TOGETHER = 50
_PENDING = "pending_transaction"


class Outbox:
    """:class:`~carbonmarket.ports.chain.ChainAccess` over one node and table ``signing``."""

    def __init__(
        self,
        *,
        node: NodeClient,
        table: SigningTable,
        signer: SignerPort,
        sponsorship: Sponsorship,
        market: str,
        chain_id: int,
    ) -> None:
        self._node = node
        self._table = table
        self._signer = signer
        self._sponsorship = sponsorship
        self._market = canonical(market)
        self._chain_id = chain_id
        # Threads of one process take turns at the numbers; processes meet in the table.
        self._turn = threading.RLock()
        self._blocks: dict[str, Block] = {}
        self._price = (0, 0.0)
        self._swept_to: str | None = None

    def submit(self, key: str, sender: str, call: EntryCall, sponsored: bool = True) -> str:
        submission = self._stored(key, sender, call, sponsored).record
        if submission.state != "committed":
            self._send(submission)
        return submission.hash

    def settle(
        self, key: str, sender: str, call: EntryCall, entry: AuditEntry | None = None, timeout_s: float = 10
    ) -> Fate:
        stored = self._stored(key, sender, call, entry=entry, expects_new=True)
        if stored.record.state != "committed":
            self._send(stored.record)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            answer = self._node.wait(stored.record.hash)
            self._check_chain(answer)
            if answer.body is not None and answer.body["type"] != _PENDING:
                return _committed(answer.body)
            if self.fate(key).state == "dead":
                break
        return self.await_fate(key, timeout_s=0)

    def submit_foreign(self, submission: Submission) -> str:
        """Keep a wallet's signed and sponsored bytes, and send them; those under a key that was used already
        are sent as they were kept. Returns the hash."""
        try:
            self._table.save_foreign(submission)
        except StaleWrite:
            return self.resubmit(submission.key)
        self._send(submission)
        return submission.hash

    def resubmit(self, key: str) -> str:
        stored = self._table.submission(key)
        if stored is None:
            raise NotFound(f"nothing was ever submitted under {key}")
        self._send(stored.record)
        return stored.record.hash

    def fate(self, key: str) -> Fate:
        stored = self._table.submission(key)
        if stored is None:
            return Fate(state="unknown")
        fate = self._fate_of(stored)
        if fate.state in {"unknown", "pending"}:
            self._unblock(stored.record)
        return msgspec.structs.replace(fate, call=stored.record.call)

    def await_fate(self, key: str, timeout_s: float = 30) -> Fate:
        deadline = time.monotonic() + timeout_s
        while True:
            for _ in range(_POLLS_A_SECOND):
                stored = self._table.submission(key)
                fate = self._fate_of(stored) if stored else Fate(state="unknown")
                if fate.state in {"committed", "dead"}:
                    return fate
                if time.monotonic() >= deadline:
                    raise NotYetFinal(f"the fate of {key} isn't known after {timeout_s} s; ask again later")
                time.sleep(1 / _POLLS_A_SECOND)
            self.fate(key)

    def view(self, function: str, type_args: list[str], args: list[Any]) -> list[Any]:
        name = function if function.startswith("0x") else f"{self._market}::{function}"
        try:
            return self._node.view(name, type_args, args)
        except NodeRefused as refused:
            abort, reason = abort_of(refused.message)
            raise ChainRefused(reason or refused.message, abort=abort) from refused

    def sweep(self, at_most: int = _SWEPT_TOGETHER) -> int:
        """Settle what is open and send again what the node doesn't hold; how many stay open of those seen.

        For a schedule: it keeps the fates of transactions that nobody asks after, in one write, frees the
        numbers of dead ones, and needs no key. The next call goes on behind the last that this one saw, so
        that nobody waits long for a call, however many are open.
        """
        seen = list(self._table.open_submissions(self._swept_to, at_most))
        self._swept_to = seen[-1][0] if len(seen) == at_most else None
        still_open = 0
        committed: list[tuple[Stored[Submission], int]] = []
        for _, stored in seen:
            fate = self._fate_of(stored, keeps=False)
            state = fate.state
            if state == "committed":
                committed.append((stored, fate.gas_used))
            elif state == "unknown":
                self._send_again(stored.record)
            still_open += state in {"unknown", "pending"}
        self._finish_all(committed)
        return still_open

    def _send_again(self, submission: Submission) -> None:
        try:
            self._node.submit(bytes.fromhex(submission.signed))
        except NodeRefused:
            # It stands on chain since, or its number was used by other bytes, as wallets may do: then it
            # dies when it expires.
            return

    def repair(self, sender: str) -> list[str]:
        """Fill the gaps below what waits on chain with transfers of nothing; their hashes."""
        address = self._signer.address(sender)
        with self._turn:
            self._blocks.pop(address, None)
        held, account = self._settled(address)
        return [
            self.submit(f"gap/{address}/{number}", sender, gap_filler(address))
            for number in sequences.gaps(held, _sequence_of(account))
        ]

    def _unblock(self, submission: Submission) -> None:
        """Send what has the account's turn, or repair the account where nobody will."""
        if not submission.sender:
            return
        account = self._account(submission.address)
        turn = _sequence_of(account)
        if submission.sequence <= turn:
            return
        holder = self._table.held(submission.address, turn).get(turn)
        if holder is None or holder.expiration_s * MICROSECONDS < account.timestamp_us:
            self.repair(submission.sender)
        elif (stored := self._table.submission(holder.key)) is not None:
            self._send_again(stored.record)

    # Storing

    def _stored(
        self,
        key: str,
        sender: str,
        call: EntryCall,
        sponsored: bool = True,
        entry: AuditEntry | None = None,
        expects_new: bool = False,
    ) -> Stored[Submission]:
        """The submission under the key: the one there is unless it is dead, or a new one.

        With ``expects_new`` the first try doesn't look whether there is one: the write finds out.
        """
        digest = hashlib.sha256(bcs(payload_of(call, self._market))).hexdigest()
        for attempt in range(_LEASE_TRIES):
            found = None
            if attempt or not expects_new:
                found = self._table.submission(key)
            if found is not None:
                if found.record.call_digest != digest or found.record.sender != sender:
                    raise IdempotencyMismatch(f"{key} was used before for another call")
                if found.record.state == "committed" or self._fate_of(found).state != "dead":
                    return found
                found = self._table.submission(key)
            try:
                with self._turn:
                    made = self._store_new(key, sender, call, digest, sponsored, found, entry)
                return Stored(made, found.revision + 1 if found else 1)
            except NotAllowed:
                # What was stored before was allowed before.
                if attempt or not expects_new:
                    raise
            except StaleWrite:
                # The key was used before, or another transaction of this account took the number first.
                time.sleep(random.uniform(0, 0.01 * min(attempt, 20)))  # noqa: S311 - no secret
        raise EngineUnavailable(f"the numbers of {sender} are too busy; submit {key} again")

    def _store_new(
        self,
        key: str,
        sender: str,
        call: EntryCall,
        digest: str,
        sponsored: bool,
        dead: Stored[Submission] | None,
        entry: AuditEntry | None,
    ) -> Submission:
        address = self._signer.address(sender)
        block = self._block(address)
        raw = self._raw(address, block.numbers[0], call, block.ledger_us)
        reserved = None
        if sponsored:
            is_own = not sender.startswith(ORGANISATION_PREFIX)
            reserved = self._sponsorship.reserve(raw, block.ledger_us, is_platform=is_own)
        signed = self._signed(raw, sender, sponsored)
        submission = Submission(
            key=key,
            sender=sender,
            address=address,
            sequence=raw.sequence_number,
            call=call.name,
            call_digest=digest,
            hash=transaction_hash(signed),
            signed=signed.hex(),
            expiration_s=raw.expiration_timestamps_secs,
            earlier=(*dead.record.earlier, dead.record.hash) if dead else (),
            gas_day=reserved.day if reserved else "",
        )
        try:
            self._table.save(submission, dead.revision if dead else 0, entry)
        except StaleWrite:
            self._blocks.pop(address, None)
            if reserved:
                self._sponsorship.give_back(reserved)
            raise
        block.numbers.popleft()
        return submission

    def _block(self, address: str) -> Block:
        """The account's block of free numbers, leased anew when it is spent."""
        block = self._blocks.get(address)
        if block is None or block.is_spent:
            held, account = self._settled(address)
            numbers = sequences.free(address, held, _sequence_of(account))
            block = self._blocks[address] = Block(numbers, account.timestamp_us)
        return block

    def _raw(self, address: str, number: int, call: EntryCall, ledger_us: int) -> RawTransaction:
        return RawTransaction(
            account_of(address),
            number,
            payload_of(call, self._market),
            GAS_UNITS_MAX,
            self.gas_price(),
            ledger_us // MICROSECONDS + EXPIRY_S,
            self._chain_id,
        )

    def gas_price(self) -> int:
        """Octas that are offered for a gas unit: the node's estimate of a moment ago, within the cap."""
        price, read_s = self._price
        if not price or time.monotonic() - read_s > _PRICE_KEPT_S:
            price = min(self._node.gas_price(), GAS_PRICE_OCTAS_MAX)
            self._price = (price, time.monotonic())
        return price

    def _signed(self, raw: RawTransaction, sender: str, sponsored: bool) -> bytes:
        payer = self._sponsorship.address if sponsored else None
        signature = self._signer.sign(sender, signing_message(raw, payer))
        authenticator = authenticator_of(self._signer.public_key(sender), signature)
        if payer is None:
            return signed_bytes(raw, authenticator, None)
        return signed_bytes(raw, authenticator, (payer, self._sponsorship.sign(raw)))

    # Sending and settling

    def _send(self, submission: Submission) -> None:
        try:
            self._node.submit(bytes.fromhex(submission.signed))
        except NodeRefused as refused:
            # Refused bytes may be bytes that stand on chain already: the fate decides.
            if self.fate(submission.key).state not in {"pending", "committed"}:
                raise ChainRefused(
                    f"the node refused the transaction of {submission.key}: {refused.message}"
                ) from refused

    def _fate_of(self, stored: Stored[Submission], keeps: bool = True) -> Fate:
        """What became of the bytes; with ``keeps`` a final fate is kept. A death always is."""
        submission = stored.record
        if submission.state == "dead":
            return Fate(state="dead", hash=submission.hash)
        answer = self._node.transaction(submission.hash)
        self._check_chain(answer)
        if answer.body is None:
            if submission.state == "committed":
                # Nodes forget old transactions. Taken for dead, its call would be sent anew.
                raise EngineUnavailable(
                    f"the node no longer holds transaction {submission.hash} of {submission.key}, which was "
                    "committed; ask a node that keeps all"
                )
            if answer.timestamp_us <= submission.expiration_s * MICROSECONDS:
                return Fate(state="unknown", hash=submission.hash)
            self._finish(stored, "dead", gas_used=0)
            return Fate(state="dead", hash=submission.hash)
        if answer.body["type"] == _PENDING:
            return Fate(state="pending", hash=submission.hash)
        if keeps:
            self._finish(stored, "committed", int(answer.body["gas_used"]))
        return _committed(answer.body)

    def _finish(self, stored: Stored[Submission], state: Literal["committed", "dead"], gas_used: int) -> None:
        """Keep the final state, of a death also that the number is free, and book back the gas."""
        while stored.record.state != state:
            final = Stored(msgspec.structs.replace(stored.record, state=state), stored.revision)
            try:
                if state == "dead":
                    self._table.save_dead(final)
                else:
                    self._table.save_committed([final])
                self._sponsorship.book_back([(stored.record, gas_used)])
                break
            except StaleWrite:
                again = self._table.submission(stored.record.key)
                if again is None or again.record.hash != stored.record.hash:
                    break
                stored = again
        if state == "dead":
            with self._turn:
                self._blocks.pop(stored.record.address, None)

    def _finish_all(self, committed: list[tuple[Stored[Submission], int]]) -> None:
        """Keep that all are committed, in one write; one by one where another process was at them too."""
        final = [
            Stored(msgspec.structs.replace(stored.record, state="committed"), stored.revision)
            for stored, _ in committed
        ]
        try:
            if final:
                self._table.save_committed(final)
                self._sponsorship.book_back([(stored.record, gas_used) for stored, gas_used in committed])
        except StaleWrite:
            for stored, gas_used in committed:
                self._finish(stored, "committed", gas_used)

    def _settled(self, address: str) -> tuple[dict[int, Held], Answer]:
        """The account's taken numbers and state, after the fates of those that may be dead were asked.

        A number that is used up between the two reads is still kept as taken.
        """
        account = self._account(address)
        held = self._table.held(address, _sequence_of(account))
        late = sequences.late(held, account.timestamp_us // MICROSECONDS)
        for key in late:
            stored = self._table.submission(key)
            if stored is not None:
                self._fate_of(stored)
        return (self._table.held(address, _sequence_of(account)), account) if late else (held, account)

    def _account(self, address: str) -> Answer:
        account = self._node.account(address)
        self._check_chain(account)
        return account

    def _check_chain(self, answer: Answer) -> None:
        if answer.chain_id != self._chain_id:
            raise EngineUnavailable(
                f"the node serves chain {answer.chain_id} and the settings name chain {self._chain_id}; "
                "set APTOS_NODE_URL or CARBONMARKET_CHAIN_ID right"
            )


def _sequence_of(account: Answer) -> int:
    return int(account.body["sequence_number"]) if account.body else 0


def _committed(transaction: dict[str, Any]) -> Fate:
    success = bool(transaction["success"])
    abort, reason = (None, None) if success else abort_of(transaction["vm_status"])
    return Fate(
        state="committed",
        hash=transaction["hash"],
        success=success,
        version=int(transaction["version"]),
        timestamp_us=int(transaction["timestamp"]),
        gas_used=int(transaction["gas_used"]),
        vm_status=transaction["vm_status"],
        abort=abort,
        reason=reason if reason or success else transaction["vm_status"],
        events=tuple(transaction["events"]),
    )
