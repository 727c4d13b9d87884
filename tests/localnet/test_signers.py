"""Every way to sign: sponsors, several agents, several keys, both curves."""

from __future__ import annotations

import pytest
from aptos_sdk import asymmetric_crypto_wrapper, ed25519, secp256k1_ecdsa
from aptos_sdk.account import Account
from aptos_sdk.account_address import AccountAddress
from aptos_sdk.async_client import ApiError
from aptos_sdk.authenticator import (
    AccountAuthenticator,
    Authenticator,
    FeePayerAuthenticator,
    MultiEd25519Authenticator,
    MultiKeyAuthenticator,
    SingleSenderAuthenticator,
)
from aptos_sdk.transactions import FeePayerRawTransaction, TransactionPayload

from infra.local.chain.process import Running
from tests.localnet.support import OCTAS, Chain, entry, raw_transaction, story, transfer

pytestmark = pytest.mark.chain


async def _sponsored(chain: Chain, sender: Account, payer: Account, signs_open: bool) -> dict[str, object]:
    raw = raw_transaction(sender, 0, transfer(payer, 1))
    known = FeePayerRawTransaction(raw, [], payer.address())
    seen_by_sender = FeePayerRawTransaction(raw, [], None) if signs_open else known
    authenticator = FeePayerAuthenticator(
        sender.sign_transaction(seen_by_sender), [], (payer.address(), payer.sign_transaction(known))
    )
    return await chain.send(raw, Authenticator(authenticator))


@pytest.mark.parametrize("signs_open", [False, True], ids=["for this payer", "for whoever pays"])
def test_a_sponsor_pays_the_fee(localnet: Running, signs_open: bool) -> None:
    async def tell(chain: Chain) -> None:
        sender, payer = await chain.account(1), await chain.account()
        outcome = await _sponsored(chain, sender, payer, signs_open)
        assert outcome["success"], outcome["vm_status"]
        fee = int(str(outcome["gas_used"])) * 100
        assert await chain.client.account_balance(payer.address()) == OCTAS + 1 - fee
        assert await chain.client.account_balance(sender.address()) == 0
        assert outcome["signature"]["fee_payer_address"] == str(payer.address())  # type: ignore[index]

    story(localnet, tell)


def test_a_sponsor_who_did_not_sign_is_not_charged(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender, payer = await chain.account(1), await chain.account()
        raw = raw_transaction(sender, 0, transfer(payer, 1))
        known = FeePayerRawTransaction(raw, [], payer.address())
        forged = (payer.address(), sender.sign_transaction(known))
        authenticator = FeePayerAuthenticator(sender.sign_transaction(known), [], forged)
        with pytest.raises(ApiError, match="INVALID_AUTH_KEY"):
            await chain.send(raw, Authenticator(authenticator))

    story(localnet, tell)


def test_two_agents_act_in_one_transaction(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        owner, other = await chain.account(), await chain.account()
        module = f"{await chain.publish_probe(owner)}::counter"
        for account in (owner, other):
            await chain.run(account, entry(module, "start"))
        both = await chain.client.create_multi_agent_bcs_transaction(
            owner, [other], TransactionPayload(entry(module, "both"))
        )
        outcome = await chain.settled(await chain.client.submit_bcs_transaction(both))
        assert outcome["success"], outcome["vm_status"]
        assert outcome["signature"]["type"] == "multi_agent_signature"
        for account in (owner, other):
            counter = await chain.client.account_resource(account.address(), f"{module}::Counter")
            assert counter["data"]["total"] == "1"

    story(localnet, tell)


def test_an_agent_who_did_not_sign_does_not_act(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        owner, other = await chain.account(), await chain.account()
        module = f"{await chain.publish_probe(owner)}::counter"
        signed = await chain.client.create_multi_agent_bcs_transaction(
            owner, [other], TransactionPayload(entry(module, "both"))
        )
        multi = signed.authenticator.authenticator
        multi.secondary_signers = [(other.address(), multi.sender)]
        with pytest.raises(ApiError, match="INVALID_AUTH_KEY"):
            await chain.client.submit_bcs_transaction(signed)

    story(localnet, tell)


def _multi_ed25519(keys: list[ed25519.PrivateKey], signing: list[int]) -> tuple[AccountAddress, object]:
    public = ed25519.MultiPublicKey([key.public_key() for key in keys], 2)
    address = AccountAddress.from_key(public)

    def sign(message: bytes) -> Authenticator:
        signatures = [(at, keys[at].sign(message)) for at in signing]
        return Authenticator(MultiEd25519Authenticator(public, ed25519.MultiSignature(signatures)))

    return address, sign


def test_two_of_three_ed25519_keys_sign(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        keys = [ed25519.PrivateKey.random() for _ in range(3)]
        address, sign = _multi_ed25519(keys, [0, 2])
        await chain.faucet.fund_account(address, OCTAS)
        raw = raw_transaction(address, 0, transfer(AccountAddress.from_str_relaxed("0xb0b"), 1))
        outcome = await chain.send(raw, sign(raw.keyed()))  # type: ignore[operator]
        assert outcome["success"], outcome["vm_status"]
        assert outcome["signature"]["type"] == "multi_ed25519_signature"

    story(localnet, tell)


def test_one_of_three_ed25519_keys_is_not_enough(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        keys = [ed25519.PrivateKey.random() for _ in range(3)]
        address, sign = _multi_ed25519(keys, [1])
        await chain.faucet.fund_account(address, OCTAS)
        raw = raw_transaction(address, 0, transfer(AccountAddress.from_str_relaxed("0xb0b"), 1))
        with pytest.raises(ApiError, match="INVALID_SIGNATURE"):
            await chain.send(raw, sign(raw.keyed()))  # type: ignore[operator]

    story(localnet, tell)


def test_a_multi_key_of_both_curves_signs(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        keys = [
            secp256k1_ecdsa.PrivateKey.random(),
            ed25519.PrivateKey.random(),
            secp256k1_ecdsa.PrivateKey.random(),
        ]
        public = asymmetric_crypto_wrapper.MultiPublicKey([key.public_key() for key in keys], 2)
        address = AccountAddress.from_key(public)
        await chain.faucet.fund_account(address, OCTAS)
        raw = raw_transaction(address, 0, transfer(AccountAddress.from_str_relaxed("0xb0b"), 1))
        signatures = [(at, keys[at].sign(raw.keyed())) for at in (0, 1)]
        multi = MultiKeyAuthenticator(public, asymmetric_crypto_wrapper.MultiSignature(signatures))
        outcome = await chain.send(raw, Authenticator(SingleSenderAuthenticator(AccountAuthenticator(multi))))
        assert outcome["success"], outcome["vm_status"]
        assert outcome["signature"]["signatures_required"] == 2

    story(localnet, tell)


def test_one_secp256k1_key_signs(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        account = Account.generate_secp256k1_ecdsa()
        await chain.faucet.fund_account(account.address(), OCTAS)
        outcome = await chain.run(account, transfer(AccountAddress.from_str_relaxed("0xb0b"), 1))
        assert outcome["success"], outcome["vm_status"]
        assert outcome["signature"]["public_key"]["type"] == "secp256k1_ecdsa"

    story(localnet, tell)
