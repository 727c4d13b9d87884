"""The chain's adapters, chosen by settings."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from carbonmarket_adapters.wiring import aws, settings

if TYPE_CHECKING:
    from carbonmarket.ports.chain import SignerPort
    from carbonmarket_adapters.aptos.client import NodeClient
    from carbonmarket_adapters.aptos.outbox import Outbox
    from carbonmarket_adapters.aptos.source import NodeSource
    from carbonmarket_adapters.aptos.sponsorship import Sponsorship
    from carbonmarket_adapters.dynamo.chain import ChainTable
    from carbonmarket_adapters.dynamo.chain_writer import ChainWriter
    from carbonmarket_adapters.dynamo.market import MarketTable
    from carbonmarket_adapters.dynamo.signing import SigningTable


@functools.cache
def signer() -> SignerPort:
    """Organisations' keys in custody, the platform's own with the keeper that ``settings.signer`` names."""
    from carbonmarket_adapters.aptos.sealed_keys import SignerByHolder
    from carbonmarket_adapters.aptos.signers import FileSigner, KmsSigner

    chosen = settings()
    own: SignerPort
    if chosen.signer == "file":
        own = FileSigner(Path(chosen.key_directory))
    else:
        own = KmsSigner(aws("kms"), chosen.prefix)
    return SignerByHolder(own, custody)


@functools.cache
def custody() -> SignerPort:
    """The keeper of organisations' sealed keys."""
    from carbonmarket_adapters.aptos.sealed_keys import SealedSigner

    return SealedSigner(settings(), aws("kms"))


@functools.cache
def node() -> NodeClient:
    """The Aptos node."""
    from carbonmarket_adapters.aptos.client import NodeClient

    return NodeClient(settings().aptos_node_url)


@functools.cache
def signing_table() -> SigningTable:
    """Leases, stored bytes and fates."""
    from carbonmarket_adapters.dynamo.signing import SigningTable

    return SigningTable(settings())


@functools.cache
def sponsorship() -> Sponsorship:
    """Who pays for whom."""
    from carbonmarket.chain.calls import sponsored_names
    from carbonmarket.chain.ways_out import ways_out
    from carbonmarket_adapters.aptos.sponsorship import Sponsorship

    chosen = settings()
    return Sponsorship(
        signer=signer(),
        table=signing_table(),
        sponsor=chosen.sponsor_key,
        allowed=sponsored_names(chosen.market_address),
        ways_out=ways_out(chosen.market_address),
        gas_units_a_day=chosen.sponsor_daily_gas_budget,
        gas_units_an_account=chosen.sponsor_account_gas_budget,
    )


@functools.cache
def chain_access() -> Outbox:
    """Sends calls once and says what became of them; a :class:`~carbonmarket.ports.chain.ChainAccess`."""
    from carbonmarket_adapters.aptos.outbox import Outbox

    chosen = settings()
    return Outbox(
        node=node(),
        table=signing_table(),
        signer=signer(),
        sponsorship=sponsorship(),
        market=chosen.market_address,
        chain_id=chosen.chain_id,
    )


@functools.cache
def projection() -> ChainTable:
    """What the chain was seen to hold; a :class:`~carbonmarket.ports.projection.ChainProjection`."""
    from carbonmarket_adapters.dynamo.chain import ChainTable

    return ChainTable(settings())


@functools.cache
def market_projection() -> MarketTable:
    """The marketplace as seen on chain; a :class:`~carbonmarket.ports.market.MarketProjection`."""
    from carbonmarket_adapters.dynamo.market import MarketTable

    return MarketTable(settings())


@functools.cache
def chain_source() -> NodeSource:
    """The node as the watcher reads it."""
    from carbonmarket_adapters.aptos.source import NodeSource

    return NodeSource(node())


@functools.cache
def chain_writer() -> ChainWriter:
    """The watcher's side of table chain; for one thread."""
    from carbonmarket_adapters.dynamo.chain_writer import ChainWriter

    return ChainWriter(settings())
