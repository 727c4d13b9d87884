"""The other half of the REST API: submitting, simulating, calling view functions, setting the clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from infra.local.chain import bcs
from infra.local.chain.abi import AbiError
from infra.local.chain.accounts import balance
from infra.local.chain.authenticator import AccountAuthenticator, Authenticator
from infra.local.chain.bcs import BcsError, Reader
from infra.local.chain.blocks import BlockMaker
from infra.local.chain.errors import ApiError, Refused, bad_request, vm_status
from infra.local.chain.http import BCS, Request, Response, Router, json_response
from infra.local.chain.ledger import MAX_GAS_UNITS, MIN_GAS_PRICE, Ledger, chained
from infra.local.chain.reads import Reads
from infra.local.chain.render import Renderer
from infra.local.chain.requests import read_call_json, read_transaction_json
from infra.local.chain.state import Committed
from infra.local.chain.transaction import SignedTransaction, read_call, read_next_signed, read_signed
from infra.local.chain.types import parse_type, substitute
from infra.local.chain.values import UnknownType, ValueMismatch
from infra.local.chain.vm import Call
from infra.local.chain.writeset import pack

SIGNED_BCS = "application/x.aptos.signed_transaction+bcs"
VIEW_BCS = "application/x.aptos.view_function+bcs"
BATCH_MAX = 10


class Writes:
    def __init__(self, ledger: Ledger, renderer: Renderer, blocks: BlockMaker, reads: Reads) -> None:
        self._ledger = ledger
        self._renderer = renderer
        self._blocks = blocks
        self._reads = reads

    def add_to(self, router: Router) -> None:
        router.add("POST", "/v1/transactions", self.submit)
        router.add("POST", "/v1/transactions/batch", self.submit_batch)
        router.add("POST", "/v1/transactions/simulate", self.simulate)
        router.add("POST", "/v1/view", self.view)
        router.add("GET", "/localnet/clock", self.clock)
        router.add("POST", "/localnet/clock", self.set_clock)

    def _body(self, request: Request) -> bytes:
        """BCS of the signed transaction in the request."""
        if request.content_type == SIGNED_BCS:
            return request.body
        return read_transaction_json(request.json(), self._ledger, self._renderer)

    def submit(self, request: Request) -> Response:
        """202 and the waiting transaction; it is committed in the next block."""
        tx = self._submit(self._body(request))
        return json_response(self._renderer.pending(tx), 202)

    def _submit(self, body: bytes) -> SignedTransaction:
        try:
            tx = self._ledger.submit(body)
        except BcsError as error:
            raise bad_request(f"Failed to deserialize input into SignedTransaction: {error}") from None
        self._blocks.notice()
        return tx

    def submit_batch(self, request: Request) -> Response:
        """Up to BATCH_MAX transactions; each that is refused is named with its index."""
        if request.content_type == SIGNED_BCS:
            bodies = _split_batch(request.body)
        else:
            asked = request.json()
            if not isinstance(asked, list):
                raise bad_request("A batch is a list of transactions.")
            bodies = [read_transaction_json(each, self._ledger, self._renderer) for each in asked]
        if len(bodies) > BATCH_MAX:
            raise bad_request(f"A batch has at most {BATCH_MAX} transactions, and this one {len(bodies)}.")
        failures = []
        for index, body in enumerate(bodies):
            try:
                self._submit(body)
            except ApiError as error:
                told = {"message": error.message, "error_code": error.code, "vm_error_code": error.vm_code}
                failures.append({"error": told, "transaction_index": index})
        return json_response({"transaction_failures": failures}, 206 if failures else 202)

    def simulate(self, request: Request) -> Response:
        """What a transaction would do now, its signatures not checked, which must not be valid ones."""
        try:
            tx = read_signed(self._body(request))
        except BcsError as error:
            raise bad_request(f"Failed to deserialize input into SignedTransaction: {error}") from None
        if tx.authenticator.verifies(tx.raw):
            raise bad_request("Simulated transactions must not have a valid signature")
        tx = self._estimated(request, tx)
        try:
            result, env = self._ledger.simulate(tx)
        except Refused as refusal:
            return json_response([self._refused(tx, refusal)])
        committed = chained(
            Committed(
                version=self._ledger.version + 1,
                hash=tx.hash,
                kind="user",
                sender=tx.sender,
                sequence=tx.sequence,
                height=env.height,
                timestamp=self._ledger.clock.now(),
                success=result.success,
                vm_status=result.vm_status,
                gas_used=result.gas_used,
                body=tx.body,
                events=result.events,
                writes=pack(result.writes),
                state_change_hash=b"",
                event_root_hash=b"",
                accumulator_root_hash=b"",
            ),
            bytes(32),
        )
        told = {
            **self._renderer.committed(committed),
            "max_gas_amount": str(tx.max_gas),
            "gas_unit_price": str(tx.gas_price),
        }
        return json_response([told], headers={"x-aptos-gas-used": str(result.gas_used)})

    def _estimated(self, request: Request, tx: SignedTransaction) -> SignedTransaction:
        """Put in what the caller asks the node to estimate: the price, and as much gas as can be paid."""
        tx = self._open_payer(tx)
        if request.flag("estimate_gas_unit_price") or request.flag("estimate_prioritized_gas_unit_price"):
            tx = replace(tx, gas_price=MIN_GAS_PRICE)
        if request.flag("estimate_max_gas_amount"):
            affordable = balance(self._ledger.read, tx.payer) // max(1, tx.gas_price)
            tx = replace(tx, max_gas=min(MAX_GAS_UNITS, affordable))
        return tx

    @staticmethod
    def _open_payer(tx: SignedTransaction) -> SignedTransaction:
        """A simulation may leave the sponsor open as 0x0; the sender stands in for it."""
        if tx.authenticator.fee_payer is None or tx.authenticator.fee_payer[0] != bytes(32):
            return tx
        nobody = AccountAuthenticator("none", (), (), 1)
        form: Authenticator = replace(tx.authenticator, fee_payer=(tx.sender, nobody))
        return replace(tx, authenticator=form)

    def _refused(self, tx: SignedTransaction, refusal: Refused) -> dict[str, Any]:
        """As on Aptos, a simulation that validation stops is an answer and not an error."""
        request = self._renderer.request(tx)
        zero = "0x" + "00" * 32
        return {
            "type": "user_transaction",
            **request,
            "version": str(self._ledger.version + 1),
            "state_change_hash": zero,
            "event_root_hash": zero,
            "state_checkpoint_hash": None,
            "gas_used": "0",
            "success": False,
            "vm_status": refusal.name,
            "accumulator_root_hash": zero,
            "changes": [],
            "events": [],
            "timestamp": str(self._ledger.clock.now()),
        }

    def view(self, request: Request) -> Response:
        """The values that a view function returns, as a list."""
        self._reads.check_version(request)
        if request.content_type == VIEW_BCS:
            try:
                reader = Reader(request.body)
                call = read_call(reader)
                reader.end()
            except BcsError as error:
                raise bad_request(f"Failed to deserialize input into ViewRequest: {error}") from None
        else:
            call = read_call_json(request.json(), self._ledger, self._renderer)
        values, kinds = self._call(call)
        if request.wants_bcs:
            encoded = [
                self._ledger.values.encode(kind, value) for kind, value in zip(kinds, values, strict=True)
            ]
            return Response(bcs.blobs(encoded), content_type=BCS)
        return json_response(values)

    def _call(self, call: Call) -> tuple[list[Any], list[Any]]:
        function = self._renderer.function(call.address, call.module, call.function)
        if function is None:
            raise bad_request(f"There is no function {call.function} in the module {call.module}.")
        if not function["is_view"]:
            raise bad_request(f"The function {call.function} is not marked as a view function.")
        if len(call.type_args) != len(function["generic_type_params"]):
            raise bad_request(f"The function {call.function} takes other type arguments.")
        failure, text = self._ledger.view(call)
        if failure is not None:
            status = vm_status(failure, self._ledger.module_code)
            raise ApiError(400, "invalid_input", status, _vm_code(failure))
        kinds = [substitute(parse_type(kind), call.type_args) for kind in function["return"]]
        told = orjson.loads(text)
        returned = [told] if len(kinds) == 1 else told
        try:
            convert = self._ledger.values.from_vm
            return [convert(kind, value) for kind, value in zip(kinds, returned, strict=True)], kinds
        except (UnknownType, ValueMismatch, AbiError) as error:
            raise ApiError(500, "internal_error", str(error)) from None

    def clock(self, _request: Request) -> Response:
        return json_response({"timestamp_usecs": str(self._ledger.clock.now())})

    def set_clock(self, request: Request) -> Response:
        """Set the ledger's time forward: {"timestamp_usecs": "…"}."""
        asked = request.json()
        text = str(asked.get("timestamp_usecs", "")) if isinstance(asked, dict) else ""
        if not (text.isascii() and text.isdigit()) or len(text) > 17:
            raise bad_request('The clock is set with {"timestamp_usecs": "…"}, microseconds since 1970.')
        self._ledger.set_clock(int(text))
        return self.clock(request)


def _split_batch(body: bytes) -> list[bytes]:
    """Transactions stand one after the other behind their count."""
    reader = Reader(body)
    try:
        bodies = [read_next_signed(reader).body for _ in range(reader.uleb())]
        reader.end()
    except BcsError as error:
        raise bad_request(f"Failed to deserialize input into a batch: {error}") from None
    return bodies


_ABORTED = 4016


def _vm_code(failure: str) -> int | None:
    return _ABORTED if failure.startswith("VM aborted") else None
