"""The contracts in the virtual machine itself, over a dictionary: for what unit tests in Move cannot see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carbonmarket.issuance import IssueApproval, approval_bytes
from infra.local.chain import bcs, compiler
from infra.local.chain.abi import module_abi
from infra.local.chain.types import parse_address, parse_type
from infra.local.chain.values import Values, is_signer
from infra.local.chain.vm import Call, Env, MoveVm, Outcome
from tests.move.approvals import (
    CHAIN_ID,
    DAY,
    DAY_ZERO,
    DEVELOPER_ORGANISATION,
    MODULE_ADDRESS,
    ORGANISATIONS,
    PROJECT,
    address,
    drawn,
    private_key,
    report_hash,
)

REPO = Path(__file__).resolve().parents[2]
MOVE = REPO / "move"
WALLET = Path(__file__).parent / "packages" / "wallet"
WALLET_ADDRESS = "0xa11e7"

ADMIN = MODULE_ADDRESS
ISSUER, ORACLE, PAUSER, DEVELOPER, BUYER = (
    f"0x{number:064x}" for number in (0x1551, 0x4AC, 0x9A5E, 0xDE, 0xB1)
)
METHODOLOGY = "grid-renewables"
GAS = 10**9


def contracts() -> compiler.BuiltPackage:
    return compiler.build(MOVE, {"carbon_market": MODULE_ADDRESS})


class Market:
    """A chain with the contracts on it. Arguments and results are in the JSON of the Aptos REST API."""

    def __init__(self) -> None:
        self.store: dict[bytes, bytes] = {}
        self.vm = MoveVm(self.store.get)
        self.height = 0
        self.now = DAY_ZERO
        self.codes: dict[tuple[bytes, str], bytes] = {}
        self.values = Values(lambda at, name: self.codes.get((at, name)))
        framework = compiler.framework()
        self._learn("0x1", framework["AptosFramework"])
        self._take(self.vm.initialize(self._env(), framework["AptosFramework"].codes))
        self.do("0x1", "0x1::genesis::initialize", CHAIN_ID)
        self.publish("0x4", framework["AptosTokenObjects"])
        self.publish(MODULE_ADDRESS, contracts())

    def _env(self) -> Env:
        self.height += 1
        return Env(self.height, self.now, self.height.to_bytes(32, "big"))

    def _learn(self, owner: str, package: compiler.BuiltPackage) -> None:
        self.codes |= {(parse_address(owner), module.name): module.code for module in package.modules}

    def _take(self, outcome: Outcome) -> Outcome:
        for key, value in outcome.writes.items():
            if value is None:
                self.store.pop(key, None)
            else:
                self.store[key] = value
        return outcome

    def publish(self, owner: str, package: compiler.BuiltPackage) -> None:
        self._learn(owner, package)
        packed = (bcs.blob(package.metadata), bcs.blobs(package.codes))
        call = Call(parse_address("0x1"), "code", "publish_package_txn", (), packed)
        outcome = self._take(self.vm.execute(self._env(), [parse_address(owner)], call, GAS))
        assert outcome.failure is None, outcome.failure

    def _call(
        self, function: str, types: tuple[str, ...], arguments: tuple[Any, ...]
    ) -> tuple[Call, dict[str, Any]]:
        at, module, name = (
            function.split("::") if "0x" in function else [MODULE_ADDRESS, *function.split("::")]
        )
        abi = module_abi(self.codes[parse_address(at), module])
        declared = next(each for each in abi["exposed_functions"] if each["name"] == name)
        kinds = [kind for kind in map(parse_type, declared["params"]) if not is_signer(kind)]
        encoded = tuple(self.values.encode(kind, value) for kind, value in zip(kinds, arguments, strict=True))
        return Call(parse_address(at), module, name, tuple(map(parse_type, types)), encoded), declared

    def attempt(self, sender: str, function: str, *arguments: Any, types: tuple[str, ...] = ()) -> Outcome:
        """Run an entry function, whatever comes of it. Without an address it is one of the contracts'."""
        call, _ = self._call(function, types, arguments)
        return self._take(self.vm.execute(self._env(), [parse_address(sender)], call, GAS))

    def do(
        self, sender: str, function: str, *arguments: Any, types: tuple[str, ...] = ()
    ) -> dict[str, Mapping[str, Any]]:
        """Run an entry function that succeeds; the last event of each type, by the type's short name."""
        outcome = self.attempt(sender, function, *arguments, types=types)
        assert outcome.failure is None, outcome.failure
        return {
            kind.rpartition("::")[2]: self.values.from_vm(parse_type(kind), json.loads(data))
            for kind, data in outcome.events
        }

    def view(self, function: str, *arguments: Any, types: tuple[str, ...] = ()) -> list[Any]:
        """What a view gives, one item for each value."""
        call, declared = self._call(function, types, arguments)
        failure, text = self.vm.view(self._env(), call, GAS)
        assert failure is None, failure
        kinds = list(map(parse_type, declared["return"]))
        values = json.loads(text)
        values = values if len(kinds) > 1 else [values]
        return [self.values.from_vm(kind, value) for kind, value in zip(kinds, values, strict=True)]

    # The story up to an issued batch, as in move/tests/scenario.move.

    def open(self) -> None:
        """Roles, methodology, project, verifiers."""
        for role, account in enumerate((ISSUER, ORACLE, PAUSER), 1):
            self.do(ADMIN, "access_control::grant_role", role, account)
        self.do(ADMIN, "methodology::register", METHODOLOGY, "1", 1, "1", "1000", "500", "0x" + "d0" * 32)
        self.do(
            ISSUER, "project_registry::register", PROJECT, DEVELOPER, "0x" + DEVELOPER_ORGANISATION, "US",
            METHODOLOGY, "1", "0x" + "33" * 32,
        )  # fmt: skip
        for number, organisation in enumerate(ORGANISATIONS):
            key = private_key(number).public_key().public_bytes_raw().hex()
            self.do(
                ADMIN, "access_control::register_verifier", address(number), "0x" + key, "0x" + organisation
            )

    def measure(self, period: int = 1) -> int:
        """Two days whose sums give 9,000 grams, closed as a period; gives its first second."""
        start = DAY_ZERO + 2 * DAY * (period - 1)
        self.now = start + 2 * DAY
        self.do(
            ORACLE, "data_anchor::anchor", PROJECT, [str(start), str(start + DAY)], ["0", "0"],
            ["0x" + "70" * 32] * 2, ["4", "4"], ["6000000", "4000000"], ["1000000", "0"], ["s3://a", "s3://b"],
        )  # fmt: skip
        self.do(ORACLE, "data_anchor::close_period", PROJECT, str(start), str(start + 2 * DAY))
        return start

    def issue(self, period: int = 1) -> tuple[str, dict[str, Mapping[str, Any]]]:
        """9,000 grams of the project's first period as BAT1, of its second as BAT2; the batch's address and
        the events."""
        if period == 1:
            self.open()
        start = self.measure(period)
        reviewers = drawn(0)[:2]
        signed = approval_bytes(
            IssueApproval(
                chain_id=CHAIN_ID,
                module_address=MODULE_ADDRESS,
                project=PROJECT,
                period_start=start,
                period_end=start + 2 * DAY,
                grams=9000,
                report_hash=report_hash(0).hex(),
            )
        )
        signatures = [f"0x{private_key(int(each, 16) - 0xE000).sign(signed).hex()}" for each in reviewers]
        events = self.do(
            ISSUER, "carbon_credit::issue", PROJECT, str(period), f"BAT{period}", "9000",
            f"0x{report_hash(0).hex()}", reviewers, signatures, "1", f"https://example.org/BAT{period}",
        )  # fmt: skip
        [batch] = self.view("credit_batch::batch_address", f"BAT{period}")
        return batch, events

    def retire(self, holder: str, batch: str, grams: int, name: str) -> Outcome:
        return self.attempt(
            holder, "carbon_credit::retire", batch, str(grams), name, "0x" + "be" * 32, "voluntary", "DE",
            str(DAY_ZERO), str(DAY_ZERO + DAY),
        )  # fmt: skip
