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
    NotFound,
    NotYetFinal,
    StaleWrite,
)
from carbonmarket.ports.chain import Fate, SignerPort
from carbonmarket.records.chain import Leases, Submission
from carbonmarket.times import MICROSECONDS
from carbonmarket_adapters.aptos import sequences
from carbonmarket_adapters.aptos.client import Answer, NodeClient, NodeRefused
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
        # Threads of one process take turns at the leases; processes meet in the table's revisions.
        self._turn = threading.RLock()

    def submit(self, key: str, sender: str, call: EntryCall, sponsored: bool = True) -> str:
        stored = self._stored(key, sender, call, sponsored)
        if stored.state != "committed":
            self._send(stored)
        return stored.hash

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
        return fate

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

    def sweep(self) -> int:
        """Settle what is open and send again what the node doesn't hold; returns how many stay open.

        For a schedule: it frees the numbers of transactions that nobody asks after, and needs no key.
        """
        still_open = 0
        for submission in self._table.open_submissions():
            stored = self._table.submission(submission.key)
            state = self._fate_of(stored).state if stored else "dead"
            if state == "unknown":
                self.resubmit(submission.key)
            still_open += state in {"unknown", "pending"}
        return still_open

    def repair(self, sender: str) -> list[str]:
        """Fill the gaps below what waits on chain with transfers of nothing; their hashes."""
        address = self._signer.address(sender)
        leases, account = self._settled(address)
        return [
            self.submit(f"gap/{address}/{number}", sender, gap_filler(address))
            for number in sequences.gaps(leases.record, _sequence_of(account))
        ]

    def _unblock(self, submission: Submission) -> None:
        """Repair the account where the transaction waits for a number that nobody will send."""
        leases, account = self._leases_then_account(submission.address)
        turn = _sequence_of(account)
        holder = leases.record.held.get(str(turn))
        is_lost = holder is None or holder.expiration_s * MICROSECONDS < account.timestamp_us
        if turn < submission.sequence and is_lost:
            self.repair(submission.sender)

    # Storing

    def _stored(self, key: str, sender: str, call: EntryCall, sponsored: bool) -> Submission:
        """The submission under the key: the one there is unless it is dead, or a new one."""
        payload = bcs(payload_of(call, self._market))
        digest = hashlib.sha256(payload).hexdigest()
        for attempt in range(_LEASE_TRIES):
            found = self._table.submission(key)
            if found is not None:
                if found.record.call_digest != digest or found.record.sender != sender:
                    raise IdempotencyMismatch(f"{key} was used before for another call")
                if self._fate_of(found).state != "dead":
                    return found.record
                found = self._table.submission(key)
            try:
                with self._turn:
                    return self._store_new(key, sender, call, digest, sponsored, found)
            except StaleWrite:
                # Another transaction of this account took the number first.
                time.sleep(random.uniform(0, 0.01 * min(attempt + 1, 20)))  # noqa: S311 - no secret
        raise EngineUnavailable(f"the leases of {sender} are too busy; submit {key} again")

    def _store_new(
        self,
        key: str,
        sender: str,
        call: EntryCall,
        digest: str,
        sponsored: bool,
        dead: Stored[Submission] | None,
    ) -> Submission:
        address = self._signer.address(sender)
        leases, account = self._settled(address)
        number = sequences.next_free(leases.record, _sequence_of(account))
        raw = self._raw(address, number, call, account)
        budget = self._sponsorship.reserve(raw, account.timestamp_us) if sponsored else None
        signed = self._signed(raw, sender, sponsored)
        expiration_s = raw.expiration_timestamps_secs
        submission = Submission(
            key=key,
            sender=sender,
            address=address,
            sequence=number,
            call=call.name,
            call_digest=digest,
            hash=transaction_hash(signed),
            signed=signed.hex(),
            expiration_s=expiration_s,
            earlier=(*dead.record.earlier, dead.record.hash) if dead else (),
        )
        leased = sequences.lease(leases.record, number, key, expiration_s)
        revision = dead.revision if dead else 0
        self._table.save(Stored(leased, leases.revision), Stored(submission, revision), budget)
        return submission

    def _raw(self, address: str, number: int, call: EntryCall, account: Answer) -> RawTransaction:
        return RawTransaction(
            account_of(address),
            number,
            payload_of(call, self._market),
            GAS_UNITS_MAX,
            min(self._node.gas_price(), GAS_PRICE_OCTAS_MAX),
            account.timestamp_us // MICROSECONDS + EXPIRY_S,
            self._chain_id,
        )

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

    def _fate_of(self, stored: Stored[Submission]) -> Fate:
        submission = stored.record
        if submission.state == "dead":
            return Fate(state="dead", hash=submission.hash)
        answer = self._node.transaction(submission.hash)
        self._check_chain(answer)
        if answer.body is None:
            if answer.timestamp_us <= submission.expiration_s * MICROSECONDS:
                return Fate(state="unknown", hash=submission.hash)
            self._finish(stored, "dead")
            return Fate(state="dead", hash=submission.hash)
        if answer.body["type"] == _PENDING:
            return Fate(state="pending", hash=submission.hash)
        self._finish(stored, "committed")
        return _committed(answer.body)

    def _finish(self, stored: Stored[Submission], state: Literal["committed", "dead"]) -> None:
        """Keep the final state and release the number, in one transaction."""
        while stored.record.state != state:
            record = msgspec.structs.replace(stored.record, state=state)
            try:
                with self._turn:
                    leases = self._table.leases(record.address)
                    released = sequences.release(leases.record, record.sequence, record.key)
                    self._table.save(Stored(released, leases.revision), Stored(record, stored.revision))
                return
            except StaleWrite:
                again = self._table.submission(record.key)
                if again is None or again.record.hash != record.hash:
                    return
                stored = again

    def _settled(self, address: str) -> tuple[Stored[Leases], Answer]:
        """The account's leases and state, after the fates of those that may be final were asked."""
        leases, account = self._leases_then_account(address)
        ledger_s = account.timestamp_us // MICROSECONDS
        late = sequences.settled_or_late(leases.record, _sequence_of(account), ledger_s)
        for key in late:
            self.fate(key)
        return self._leases_then_account(address) if late else (leases, account)

    def _leases_then_account(self, address: str) -> tuple[Stored[Leases], Answer]:
        # In this order: a number released before the leases were read is used up in the account's state.
        leases = self._table.leases(address)
        return leases, self._account(address)

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
        vm_status=transaction["vm_status"],
        abort=abort,
        reason=reason if reason or success else transaction["vm_status"],
        events=tuple(transaction["events"]),
    )
