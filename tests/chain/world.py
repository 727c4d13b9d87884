"""What the stories about the chain share: adapters over a real localnet and a real DynamoDB Local."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from carbonmarket.chain.calls import EntryCall
from carbonmarket.settings import Settings
from carbonmarket_adapters.aptos.client import NodeClient
from carbonmarket_adapters.aptos.outbox import Outbox
from carbonmarket_adapters.aptos.signers import FileSigner
from carbonmarket_adapters.aptos.sponsorship import Sponsorship
from carbonmarket_adapters.dynamo.signing import SigningTable
from carbonmarket_adapters.dynamo.table import table_model
from infra.local.chain.process import Running

OCTAS = 10**9
TRANSFER = f"0x{1:064x}::aptos_account::transfer"


class World:
    """One market's chain side: a sender "alice", a sponsor with APT, tables of its own."""

    def __init__(self, localnet: Running, dynamodb_url: str, folder: Path, stage: str) -> None:
        self.localnet = localnet
        self.settings = Settings(
            stage=stage,
            aws_endpoint_url=dynamodb_url,
            aptos_node_url=localnet.node,
            chain_id=4,
            market_address="0xcafe",
            public_url="http://127.0.0.1",
            readings_store="sqlite:///unused",
            signer="file",
            key_directory=str(folder / "keys"),
        )
        for table in ("signing", "chain"):
            table_model(self.settings, table).create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        self.signer = FileSigner(folder / "keys")
        self.node = NodeClient(localnet.node)
        self.table = SigningTable(self.settings)
        for name in ("alice", "bob", "sponsor"):
            self.signer.create(name)
        self.fund("sponsor", 100 * OCTAS)
        self.outbox = self.make_outbox()

    def make_outbox(self, **changes: Any) -> Outbox:
        """The outbox; ``changes`` replace its parts or the sponsor's rules."""
        rules: dict[str, Any] = {
            "allowed": [TRANSFER],
            "ways_out": [],
            "gas_units_a_day": 10**9,
            "gas_units_an_account": 10**9,
        }
        rules |= {name: changes.pop(name) for name in list(changes) if name in rules}
        sponsorship = Sponsorship(signer=self.signer, table=self.table, sponsor="sponsor", **rules)
        parts: dict[str, Any] = {
            "node": self.node,
            "table": self.table,
            "signer": self.signer,
            "sponsorship": sponsorship,
            "market": self.settings.market_address,
            "chain_id": self.settings.chain_id,
        }
        return Outbox(**{**parts, **changes})

    def address(self, key_id: str) -> str:
        return self.signer.address(key_id)

    def fund(self, key_id: str, octas: int) -> None:
        query = {"address": self.address(key_id), "amount": octas}
        httpx.post(self.localnet.faucet + "/mint", params=query).raise_for_status()

    def transfer(self, to: str, octas: int) -> EntryCall:
        """A transfer of APT, which every chain has."""
        arguments = (("address", self.address(to)), ("u64", octas))
        return EntryCall(module="0x1::aptos_account", function="transfer", args=arguments)

    def octas(self, key_id: str) -> int:
        coin = "0x1::aptos_coin::AptosCoin"
        return int(self.node.view("0x1::coin::balance", [coin], [self.address(key_id)])[0])

    def sequence(self, key_id: str) -> int:
        account = self.node.account(self.address(key_id)).body
        return int(account["sequence_number"]) if account else 0

    def set_clock(self, timestamp_us: int) -> None:
        """Set the ledger's clock forward."""
        root = self.localnet.node.removesuffix("/v1")
        body = {"timestamp_usecs": str(timestamp_us)}
        httpx.post(root + "/localnet/clock", json=body).raise_for_status()
