"""The ledger: lets transactions in, executes them in blocks, and keeps what they did.

Validation follows Aptos' prologue; a transaction that fails while it runs is committed as failed and pays.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import orjson

from infra.local.chain import accounts, bcs, writeset
from infra.local.chain.clock import Clock
from infra.local.chain.errors import Refused, vm_status
from infra.local.chain.mempool import Mempool
from infra.local.chain.state import Block, Committed, Store
from infra.local.chain.transaction import SignedTransaction, read_signed
from infra.local.chain.values import Values
from infra.local.chain.vm import KIND_MODULE, Call, Env, MoveVm, Writes

VM_GAS_PER_UNIT = 50
"""The VM's gas is much finer than Aptos'; this brings a transfer to Aptos' order of size."""

MIN_GAS_UNITS = 3
MAX_GAS_UNITS = 2_000_000
MIN_GAS_PRICE = 100
MAX_GAS_PRICE = 10_000_000_000
MAX_TRANSACTION_BYTES = 64 * 1024
VIEW_GAS = 2_000_000 * VM_GAS_PER_UNIT
BLOCK_MAX = 200

_FEE_STATEMENT = "0x1::transaction_fee::FeeStatement"
_EXECUTED = "Executed successfully"
_CLOCK_OFFSET = "clock_offset"
_CHAIN_ID = "chain_id"


class WrongChain(RuntimeError):
    """The state file belongs to another chain."""


@dataclass(frozen=True, slots=True)
class Result:
    """What executing a transaction came to; ``events`` is JSON as ``Committed`` keeps it."""

    success: bool
    vm_status: str
    gas_used: int
    events: bytes
    writes: Writes


class Ledger:
    """One chain over one store. Not for use by several threads."""

    def __init__(self, store: Store, chain_id: int) -> None:
        """Open the chain of ``store``, which ``genesis.begin`` has begun; raises WrongChain."""
        stored = store.setting(_CHAIN_ID)
        if stored is not None and stored != chain_id:
            raise WrongChain(f"The state file has chain id {stored}, and {chain_id} was asked for.")
        self.store = store
        self.chain_id = chain_id
        self.mempool = Mempool()
        self._overlay: Writes = {}
        self.vm = MoveVm(self.read)
        self.values = Values(self.module_code)
        last = store.last_block()
        self.clock = Clock(store.setting(_CLOCK_OFFSET) or 0, last.timestamp if last else 0)
        if last is not None:
            newest = store.by_version(last.last_version)
            assert newest is not None
            self._accumulator = newest.accumulator_root_hash
            self.last_block = last

    def close(self) -> None:
        self.vm.close()
        self.store.close()

    def read(self, key: bytes) -> bytes | None:
        """A key's value, with what the block under way has written."""
        if key in self._overlay:
            return self._overlay[key]
        return self.store.get(key)

    def module_code(self, address: bytes, name: str) -> bytes | None:
        return self.read(address + bytes((KIND_MODULE,)) + bcs.text(name))

    @property
    def version(self) -> int:
        return self.last_block.last_version

    def set_clock(self, timestamp: int) -> None:
        """Set the ledger's time forward, for good; raises ApiError for one in the past."""
        self.clock.set_forward(timestamp)
        self.store.put_setting(_CLOCK_OFFSET, self.clock.offset)

    # Letting in

    def submit(self, body: bytes) -> SignedTransaction:
        """Let a signed transaction (BCS) wait for a block.

        Raises BcsError, Refused, or ApiError from the mempool.
        """
        if len(body) > MAX_TRANSACTION_BYTES:
            raise Refused("EXCEEDED_MAX_TRANSACTION_SIZE")
        tx = read_signed(body)
        if self.mempool.get(tx.hash) is not None:
            return tx
        if not tx.authenticator.verifies(tx.raw):
            raise Refused("INVALID_SIGNATURE")
        self.check(tx, self.clock.now() // 1_000_000)
        self.mempool.add(tx, accounts.read_account(self.read, tx.sender).sequence)
        return tx

    def check(self, tx: SignedTransaction, now_seconds: int) -> None:
        """All that can be said without its turn having come; raises Refused."""
        if tx.chain_id != self.chain_id:
            raise Refused("BAD_CHAIN_ID")
        if tx.expiration_seconds <= now_seconds:
            raise Refused("TRANSACTION_EXPIRED")
        self.check_gas(tx)
        signers = tx.signers
        if len(set(signers)) != len(signers):
            raise Refused("SIGNERS_CONTAIN_DUPLICATES")
        self.check_keys(tx)
        if tx.sequence < accounts.read_account(self.read, tx.sender).sequence:
            raise Refused("SEQUENCE_NUMBER_TOO_OLD")
        if accounts.balance(self.read, tx.payer) < tx.max_gas * tx.gas_price:
            raise Refused("INSUFFICIENT_BALANCE_FOR_TRANSACTION_FEE")

    def check_gas(self, tx: SignedTransaction) -> None:
        if tx.max_gas > MAX_GAS_UNITS:
            raise Refused("MAX_GAS_UNITS_EXCEEDS_MAX_GAS_UNITS_BOUND")
        if tx.max_gas < MIN_GAS_UNITS:
            raise Refused("MAX_GAS_UNITS_BELOW_MIN_TRANSACTION_GAS_UNITS")
        if tx.gas_price < MIN_GAS_PRICE:
            raise Refused("GAS_UNIT_PRICE_BELOW_MIN_BOUND")
        if tx.gas_price > MAX_GAS_PRICE:
            raise Refused("GAS_UNIT_PRICE_ABOVE_MAX_BOUND")

    def check_keys(self, tx: SignedTransaction) -> None:
        """Each signer's public keys must hash to the account's authentication key."""
        payer = (tx.authenticator.fee_payer,) if tx.authenticator.fee_payer else ()
        for address, part in ((tx.sender, tx.authenticator.sender), *tx.authenticator.secondary, *payer):
            if part.kind != "none" and part.auth_key() != accounts.read_account(self.read, address).auth_key:
                raise Refused("INVALID_AUTH_KEY")

    # Executing

    def execute(self, tx: SignedTransaction, env: Env) -> Result:
        """Run a transaction whose turn it is and take its fee; raises Refused if it can no longer run."""
        limit = tx.max_gas * VM_GAS_PER_UNIT
        outcome = self.vm.execute(env, tx.signers, tx.payload, limit)
        gas_used = min(tx.max_gas, max(MIN_GAS_UNITS, -(-outcome.gas_used // VM_GAS_PER_UNIT)))
        if outcome.failure is None:
            finished = self._end(tx, outcome.writes, gas_used)
            if finished is not None:
                events = [*outcome.events, _fee_statement(gas_used)]
                return Result(True, _EXECUTED, gas_used, orjson.dumps(events), finished)
            status = "Transaction Executed and Committed with Error INSUFFICIENT_BALANCE_FOR_TRANSACTION_FEE"
        else:
            status = vm_status(outcome.failure, self.module_code)
        finished = self._end(tx, {}, gas_used)
        if finished is None:
            raise Refused("INSUFFICIENT_BALANCE_FOR_TRANSACTION_FEE")
        return Result(False, status, gas_used, orjson.dumps([_fee_statement(gas_used)]), finished)

    def _end(self, tx: SignedTransaction, writes: Writes, gas_used: int) -> Writes | None:
        """Count the transaction and take the fee, on top of ``writes``; None if the payer cannot pay."""

        def read(key: bytes) -> bytes | None:
            return writes[key] if key in writes else self.read(key)

        fee = accounts.burn_fee(read, tx.payer, gas_used * tx.gas_price)
        if fee is None:
            return None
        return {**writes, **fee, **accounts.advance_sequence(read, tx.sender, tx.sequence + 1)}

    def simulate(self, tx: SignedTransaction) -> tuple[Result, Env]:
        """Run a transaction on the state as it is and forget what it wrote; raises Refused."""
        env = Env(self.last_block.height + 1, self.clock.now() // 1_000_000, tx.hash)
        self.check(tx, env.seconds)
        if tx.sequence > accounts.read_account(self.read, tx.sender).sequence:
            raise Refused("SEQUENCE_NUMBER_TOO_NEW")
        return self.execute(tx, env), env

    def view(self, call: Call) -> tuple[str | None, str]:
        """Run a view function on the state as it is: (failure, the VM's JSON)."""
        env = Env(self.last_block.height, self.clock.now() // 1_000_000, bytes(32))
        return self.vm.view(env, call, VIEW_GAS)

    # Blocks

    def make_block(self) -> list[Committed]:
        """Execute what waits, at most BLOCK_MAX transactions, and commit them in one database transaction."""
        timestamp = self.clock.tick()
        height = self.last_block.height + 1
        done: list[tuple[SignedTransaction, Committed]] = []
        try:
            while len(done) < BLOCK_MAX and (tx := self.mempool.pop()) is not None:
                committed = self._execute_in_turn(tx, height, timestamp, self.version + 1 + len(done))
                if committed is not None:
                    done.append((tx, committed))
            transactions = [committed for _, committed in done]
            if transactions:
                self._commit(height, timestamp, transactions)
        finally:
            self._overlay = {}
        for tx, _ in done:
            self.mempool.done(tx, tx.sequence + 1)
        self.mempool.expire(timestamp // 1_000_000)
        return transactions

    def _execute_in_turn(
        self, tx: SignedTransaction, height: int, timestamp: int, version: int
    ) -> Committed | None:
        """Execute one transaction into the overlay; None when it must wait or can no longer run."""
        sequence = accounts.read_account(self.read, tx.sender).sequence
        if tx.sequence > sequence:
            self.mempool.park(tx, sequence)
            return None
        try:
            self.check(tx, timestamp // 1_000_000)
            result = self.execute(tx, Env(height, timestamp // 1_000_000, tx.hash))
        except Refused:
            self.mempool.done(tx, sequence)
            return None
        self._overlay.update(result.writes)
        if any(key[32] == KIND_MODULE for key in result.writes):
            self.values.forget()
        return self._record(tx, result, height, timestamp, version)

    def _record(
        self, tx: SignedTransaction, result: Result, height: int, timestamp: int, version: int
    ) -> Committed:
        return Committed(
            version=version,
            hash=tx.hash,
            kind="user",
            sender=tx.sender,
            sequence=tx.sequence,
            height=height,
            timestamp=timestamp,
            success=result.success,
            vm_status=result.vm_status,
            gas_used=result.gas_used,
            body=tx.body,
            events=result.events,
            writes=writeset.pack(result.writes),
            state_change_hash=b"",
            event_root_hash=b"",
            accumulator_root_hash=b"",
        )

    def _commit(self, height: int, timestamp: int, transactions: list[Committed]) -> None:
        accumulator = self._accumulator
        for at, unhashed in enumerate(transactions):
            transactions[at] = committed = chained(unhashed, accumulator)
            accumulator = committed.accumulator_root_hash
        versions = transactions[0].version, transactions[-1].version
        block = Block(
            height, _block_hash(self.last_block, height, timestamp, accumulator), timestamp, *versions
        )
        self.store.commit(block, transactions, self._overlay, {})
        self.last_block = block
        self._accumulator = accumulator

    def stage(self, writes: Writes) -> None:
        """Let what follows in genesis see what came before."""
        self._overlay.update(writes)

    def begin(self, genesis: Committed, writes: Writes) -> None:
        """Commit the genesis transaction as block 0."""
        self._overlay = {}
        committed = chained(genesis, bytes(32))
        block_hash = hashlib.sha3_256(committed.accumulator_root_hash).digest()
        block = Block(0, block_hash, committed.timestamp, 0, 0)
        self.store.commit(block, [committed], writes, {_CHAIN_ID: self.chain_id})
        self.last_block = block
        self._accumulator = committed.accumulator_root_hash


def chained(unhashed: Committed, accumulator: bytes) -> Committed:
    """Give a transaction its hashes, the last of which also covers all transactions before it."""
    state_change = hashlib.sha3_256(unhashed.writes).digest()
    event_root = hashlib.sha3_256(unhashed.events).digest()
    outcome = f"{unhashed.gas_used} {unhashed.vm_status}".encode()
    material = accumulator + unhashed.hash + state_change + event_root + outcome
    return replace(
        unhashed,
        state_change_hash=state_change,
        event_root_hash=event_root,
        accumulator_root_hash=hashlib.sha3_256(material).digest(),
    )


def _block_hash(previous: Block, height: int, timestamp: int, accumulator: bytes) -> bytes:
    return hashlib.sha3_256(previous.hash + bcs.u64(height) + bcs.u64(timestamp) + accumulator).digest()


def _fee_statement(gas_used: int) -> tuple[str, str]:
    """The event that every transaction ends with; all gas counts as execution here."""
    data = {
        "execution_gas_units": str(gas_used),
        "io_gas_units": "0",
        "storage_fee_octas": "0",
        "storage_fee_refund_octas": "0",
        "total_charge_gas_units": str(gas_used),
    }
    return _FEE_STATEMENT, orjson.dumps(data).decode()
