"""Wallets that keep their own keys: the market builds, they sign, the sponsor pays and signs last."""

from __future__ import annotations

from typing import Any

import pytest
from aptos_sdk import ed25519, secp256k1_ecdsa
from aptos_sdk.account import Account
from aptos_sdk.authenticator import AccountAuthenticator, Ed25519Authenticator

from carbonmarket.records.transactions import BuiltTransaction, WalletKeys
from carbonmarket.times import MICROSECONDS, parse_us
from carbonmarket_adapters.aptos.sponsorship import GAS_UNITS_MAX
from carbonmarket_adapters.aptos.transactions import bcs
from carbonmarket_adapters.aptos.wallets import authentication_key
from carbonmarket_adapters.wiring import chain, market
from tests.market.exchange import GRAMS, TICK, Exchange
from tests.sagas.world import Refused

HOUR_US = 3_600 * MICROSECONDS


class Wallet:
    """A wallet outside: it holds test USDC and its keys are nobody's but its own."""

    def __init__(
        self, exchange: Exchange, scheme: str, signers: list[Any], threshold: int = 1, organisation: str = ""
    ) -> None:
        self.exchange = exchange
        self.organisation = organisation or exchange.buyer
        self.signers = signers
        public = tuple(key.public_key().to_crypto_bytes().hex() for key in signers)
        self.keys = {"scheme": scheme, "public_keys": list(public), "threshold": threshold}
        known = WalletKeys(scheme=scheme, public_keys=public, threshold=threshold)  # type: ignore[arg-type]
        self.address = authentication_key(known)
        exchange.faucet(self.address)

    def build(self, action: str, arguments: dict[str, Any], **changes: Any) -> Any:
        """Have a transaction built."""
        body = {"account": self.address, "keys": self.keys, "action": action, "arguments": arguments}
        return self.exchange.post(self.organisation, "/v1/transactions", body | changes)

    def sign(self, built: Any, *signers: int) -> dict[str, Any]:
        """The body of a submission with the signatures of some of the keys."""
        message = bytes.fromhex(built["message"])
        return {
            "signatures": [
                {"key": at, "signature": self.signers[at].sign(message).data().hex()} for at in signers
            ]
        }

    def submit(self, built: Any, *signers: int) -> Any:
        """Hand signatures in."""
        path = f"/v1/transactions/{built['id']}/submission"
        return self.exchange.post(self.organisation, path, self.sign(built, *signers))


def wallet(exchange: Exchange, organisation: str = "") -> Wallet:
    """One with a single Ed25519 key, whose transactions an organisation has built."""
    return Wallet(exchange, "ed25519", [ed25519.PrivateKey.random()], organisation=organisation)


def expires_us(built: Any) -> int:
    """How long after the ledger's time the bytes expire."""
    return parse_us(built["expires"], "expires") - chain.node().ledger().timestamp_us


def test_a_wallet_buys_without_coins_of_its_own(exchange: Exchange) -> None:
    exchange.place(exchange.seller, "sell", 10)
    mine = wallet(exchange)
    built = mine.build("place_order", exchange.order("buy", 10, GRAMS // 2))
    assert 0 < expires_us(built) <= 600 * MICROSECONDS
    sent = mine.submit(built, 0)
    assert (sent["state"], mine.submit(built, 0)["transaction"]) == ("committed", sent["transaction"])
    told = chain.node().transaction(sent["transaction"]).body
    assert told["signature"]["fee_payer_address"] == chain.sponsorship().address
    asset = exchange.batch(exchange.batches[0]).address
    exchange.watch()
    assert chain.market_projection().claimable(mine.address, asset) == GRAMS // 2
    claimed = mine.submit(mine.build("claim", {"asset": exchange.batches[0], "amount": "200"}), 0)
    assert claimed["state"] == "committed"
    exchange.watch()
    assert chain.projection().holding(mine.address, asset) == 200


@pytest.mark.parametrize("scheme", ["multi_ed25519", "multi_key"])
def test_two_of_three_sign_one_by_one_within_72_hours(exchange: Exchange, scheme: str) -> None:
    last: Any = ed25519.PrivateKey if scheme == "multi_ed25519" else secp256k1_ecdsa.PrivateKey
    signers = [ed25519.PrivateKey.random(), ed25519.PrivateKey.random(), last.random()]
    ours = Wallet(exchange, scheme, signers, threshold=2)
    built = ours.build("place_order", exchange.order("buy", 5))
    assert 71 * HOUR_US < expires_us(built) <= 72 * HOUR_US
    first = ours.submit(built, 2)
    assert (first["state"], first["signed_by"], first["transaction"]) == ("awaits_signatures", [2], None)
    second = ours.submit(built, 0)
    assert (second["state"], second["signed_by"]) == ("committed", [0, 2])
    exchange.watch()
    [(_, order)] = chain.market_projection().orders_of(ours.address, first=1)
    assert (order.state, order.price) == ("open", 5 * TICK)
    ended = ours.build("cancel_order", {"book": str(order.book), "order": order.id})
    assert ours.submit(ended, 0, 1)["state"] == "committed"


def test_a_single_secp256k1_key_signs_too(exchange: Exchange) -> None:
    mine = Wallet(exchange, "secp256k1", [secp256k1_ecdsa.PrivateKey.random()])
    assert mine.submit(mine.build("deposit", {"asset": "quote", "amount": "5"}), 0)["state"] == "committed"


def test_a_wallets_own_authenticator_is_taken_as_it_is(exchange: Exchange) -> None:
    account = Account.generate()
    mine = Wallet(exchange, "ed25519", [account.private_key])
    built = mine.build("deposit", {"asset": "quote", "amount": "5"})
    signature = account.private_key.sign(bytes.fromhex(built["message"]))
    proof = AccountAuthenticator(Ed25519Authenticator(account.public_key(), signature))
    path = f"/v1/transactions/{built['id']}/submission"
    sent = exchange.post(exchange.buyer, path, {"authenticator": bcs(proof).hex()})
    assert sent["state"] == "committed"


def test_what_was_not_built_here_or_not_signed_by_its_keys_is_not_paid_for(exchange: Exchange) -> None:
    mine, other = wallet(exchange), wallet(exchange)
    built = mine.build("deposit", {"asset": "quote", "amount": "5"})
    path = f"/v1/transactions/{built['id']}/submission"
    for body, field in (
        (other.sign(built, 0), "signatures"),
        ({"signatures": [{"key": 1, "signature": "00" * 64}]}, "signatures"),
        ({}, "signatures"),
        ({"authenticator": "0102"}, "authenticator"),
    ):
        with pytest.raises(Refused) as refused:
            exchange.post(exchange.buyer, path, body)
        assert (refused.value.status, refused.value.problem["field"]) == (422, field)
    with pytest.raises(Refused) as stranger:
        exchange.post(exchange.rival, path, mine.sign(built, 0))
    assert stranger.value.status == 404
    with pytest.raises(Refused) as keys:
        mine.build("deposit", {"asset": "quote", "amount": "5"}, account=other.address)
    assert keys.value.problem["field"] == "keys"
    assert chain.signing_table().submission(f"act/{built['id']}") is None


def test_of_two_transactions_with_one_number_the_second_is_refused(exchange: Exchange) -> None:
    mine = wallet(exchange)
    first, second = (mine.build("deposit", {"asset": "quote", "amount": amount}) for amount in ("5", "6"))
    assert mine.submit(first, 0)["state"] == "committed"
    with pytest.raises(Refused) as refused:
        mine.submit(second, 0)
    assert (refused.value.status, "build it again" in refused.value.problem["detail"]) == (409, True)
    assert exchange.claimable_at(mine.address) == 5


def test_a_wallets_order_is_checked_like_any_other(exchange: Exchange) -> None:
    mine = wallet(exchange)
    for arguments, field in (
        (exchange.order("buy", 10) | {"price": str(10 * TICK + 1)}, "price"),
        (exchange.order("buy", 10) | {"surplus": 1}, "/arguments"),
        ({"book": "1"}, "/arguments"),
    ):
        with pytest.raises(Refused) as refused:
            mine.build("place_order", arguments)
        assert (refused.value.status, refused.value.problem["field"]) == (422, field)
    exchange.place(exchange.seller, "sell", 10)
    built = mine.build("place_order", exchange.order("buy", 10, kind="post_only"))
    with pytest.raises(Refused) as crossing:
        mine.submit(built, 0)
    assert crossing.value.problem["abort"] == "market_book::E_WOULD_MATCH"


def test_many_wallets_of_one_organisation_share_its_budget(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    sponsor = chain.sponsorship()
    monkeypatch.setattr(sponsor, "_shares", {})
    # Eight tenths of it are for calls such as a deposit.
    monkeypatch.setattr(sponsor, "_gas_units_an_account", 2 * GAS_UNITS_MAX)
    ours = exchange._admit("With many wallets")
    one, another = (wallet(exchange, ours) for _ in range(2))
    sent = one.submit(one.build("deposit", {"asset": "quote", "amount": "5"}), 0)
    built = another.build("deposit", {"asset": "quote", "amount": "5"})
    with pytest.raises(Refused) as refused:
        another.submit(built, 0)
    assert (refused.value.status, refused.value.problem["title"]) == (429, "budget spent")
    counted = chain.signing_table().submission(f"act/{sent['id']}")
    assert counted is not None and counted.record.gas_account == exchange.account(ours)


def test_the_sponsor_pays_for_no_organisation_that_was_not_admitted(exchange: Exchange) -> None:
    with pytest.raises(Refused) as refused:
        wallet(exchange, "ORGNOBODY").build("deposit", {"asset": "quote", "amount": "5"})
    assert (refused.value.status, "not been admitted" in refused.value.problem["detail"]) == (403, True)


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_death_after_signing_pays_once(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sponsored bytes are kept and sent, and the process dies before it could say so."""
    mine = wallet(exchange)
    built = mine.build("deposit", {"asset": "quote", "amount": "5"})
    kind = type(market.transactions())
    save = kind.save_built

    def die(store: Any, transaction: BuiltTransaction, *rest: Any) -> None:
        if transaction.state == "submitted":
            raise KeyboardInterrupt
        save(store, transaction, *rest)

    with monkeypatch.context() as dying:
        dying.setattr(kind, "save_built", die)
        with pytest.raises(KeyboardInterrupt):
            mine.submit(built, 0)
    sent = mine.submit(built, 0)
    assert sent["state"] == "committed"
    assert exchange.claimable_at(mine.address) == 5
