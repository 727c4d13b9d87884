"""Organisations' keys: made once, sealed under KMS, opened only as themselves, and signing for Aptos."""

from __future__ import annotations

import base64
import itertools
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aptos_sdk import ed25519
from aptos_sdk.account_address import AccountAddress

from carbonmarket.errors import InvalidInput, NotFound
from carbonmarket.ports.chain import MESSAGE_BYTES_MAX
from carbonmarket_adapters.aptos import sealed_keys
from carbonmarket_adapters.aptos.sealed_keys import OPEN_S, SealedSigner, SignerByHolder
from carbonmarket_adapters.aptos.signers import FileSigner
from carbonmarket_adapters.dynamo.custody import KEY, DynamoCustody, SealedKey
from carbonmarket_adapters.dynamo.table import DocumentTable, Write
from carbonmarket_adapters.envelope import SealBroken
from infra.local.settings import CREDENTIALS

MESSAGE = b"one hundred grams"
_numbers = itertools.count()


class CountingKms:
    """KMS, with its openings of data keys counted."""

    def __init__(self, kms: Any) -> None:
        self._kms = kms
        self.opened = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kms, name)

    def decrypt(self, **asked: Any) -> Any:
        self.opened += 1
        return self._kms.decrypt(**asked)


@pytest.fixture(autouse=True)
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def kms(aws: Any) -> CountingKms:
    return CountingKms(aws.client("kms"))


@pytest.fixture
def custody(aws: Any, kms: CountingKms) -> SealedSigner:
    return SealedSigner(aws.settings, kms)


@pytest.fixture
def key_id() -> str:
    return f"ORGCUSTODY{next(_numbers)}"


def kept(aws: Any, key_id: str) -> SealedKey:
    """A key as the table keeps it."""
    found = DynamoCustody(aws.settings).key(key_id)
    assert found is not None
    return found


def overwrite(aws: Any, key_id: str, sealed: SealedKey) -> None:
    """What somebody could do who can write to the table."""
    DocumentTable(aws.settings, "custody").put(Write(KEY, f"key#{key_id}", "key", sealed))


def test_a_sealed_key_signs_for_its_account_on_aptos(custody: SealedSigner, key_id: str) -> None:
    public = ed25519.PublicKey.from_str(custody.create(key_id).key.hex())
    message = bytes(MESSAGE_BYTES_MAX)
    assert public.verify(message, ed25519.Signature(custody.sign(key_id, message)))
    assert AccountAddress.from_str(custody.address(key_id)) == AccountAddress.from_key(public)


def test_another_process_signs_with_the_same_key(aws: Any, custody: SealedSigner, key_id: str) -> None:
    custody.create(key_id)
    other = SealedSigner(aws.settings, aws.client("kms"))
    # Ed25519 signs the same message the same way.
    assert other.sign(key_id, MESSAGE) == custody.sign(key_id, MESSAGE)


def test_many_who_create_a_key_at_once_get_the_same_one(aws: Any, key_id: str) -> None:
    processes = [SealedSigner(aws.settings, aws.client("kms")) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda process: process.create(key_id).key, processes))
    assert len(made) == 1


def test_neither_table_nor_keeper_nor_log_shows_a_seed(
    aws: Any, custody: SealedSigner, key_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        custody.create(key_id)
        custody.sign(key_id, MESSAGE)
    seed = custody._opened(key_id).private_bytes_raw()
    shown = f"{kept(aws, key_id)} {custody!r} {vars(custody)!r} {caplog.text}"
    for form in (seed.hex(), base64.b64encode(seed).decode(), repr(seed)[2:-1]):
        assert form not in shown


def test_a_key_can_not_be_opened_under_another_id(aws: Any, custody: SealedSigner, key_id: str) -> None:
    custody.create(key_id)
    overwrite(aws, key_id + "X", kept(aws, key_id))
    with pytest.raises(SealBroken, match=key_id + "X"):
        custody.sign(key_id + "X", MESSAGE)


@pytest.mark.parametrize("field", ["wrapped", "ciphertext", "public_key"])
def test_a_key_of_which_a_part_is_anothers_can_not_be_opened(
    aws: Any, custody: SealedSigner, key_id: str, field: str
) -> None:
    for id in (key_id, key_id + "X"):
        custody.create(id)
    part = {field: getattr(kept(aws, key_id + "X"), field)}
    overwrite(aws, key_id, msgspec.structs.replace(kept(aws, key_id), **part))
    with pytest.raises(SealBroken, match=key_id):
        SealedSigner(aws.settings, aws.client("kms")).sign(key_id, MESSAGE)


def test_an_opened_key_is_kept_for_a_while_and_then_opened_anew(
    aws: Any, kms: CountingKms, key_id: str
) -> None:
    clock = [0.0]
    custody = SealedSigner(aws.settings, kms, lambda: clock[0])
    custody.create(key_id)
    for at, opened in ((0.0, 1), (OPEN_S, 1), (OPEN_S + 1, 2)):
        clock[0] = at
        custody.sign(key_id, MESSAGE)
        assert kms.opened == opened


def test_only_so_many_keys_stay_open_and_the_oldest_is_closed(
    custody: SealedSigner, kms: CountingKms, key_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_keys, "OPEN_MAX", 2)
    first, second, third = (key_id + end for end in "XYZ")
    for id in (first, second, third):
        custody.create(id)
    for id, opened in ((first, 1), (second, 2), (third, 3), (second, 3), (third, 3), (first, 4)):
        custody.sign(id, MESSAGE)
        assert kms.opened == opened


def test_public_keys_are_read_without_opening_anything(aws: Any, kms: CountingKms, key_id: str) -> None:
    custody = SealedSigner(aws.settings, kms)
    custody.create(key_id)
    assert custody.address(key_id) == SealedSigner(aws.settings, kms).address(key_id)
    assert kms.opened == 0


def test_what_custody_can_not_do_is_said(custody: SealedSigner, key_id: str) -> None:
    with pytest.raises(NotFound, match=f"no key {key_id}"):
        custody.sign(key_id, MESSAGE)
    with pytest.raises(InvalidInput, match="keys in custody are ed25519"):
        custody.create(key_id, "secp256k1")
    with pytest.raises(InvalidInput, match="can't name a key"):
        custody.create("../" + key_id)
    custody.create(key_id)
    with pytest.raises(InvalidInput, match=str(MESSAGE_BYTES_MAX)):
        custody.sign(key_id, bytes(MESSAGE_BYTES_MAX + 1))


def test_organisations_keys_are_in_custody_and_the_platforms_where_they_were(
    aws: Any, custody: SealedSigner, key_id: str, tmp_path: Path
) -> None:
    files = FileSigner(tmp_path)
    signer = SignerByHolder(files, lambda: custody)
    assert [signer.create(id).key for id in (key_id, "issuer")] == [
        custody.public_key(key_id).key,
        files.public_key("issuer").key,
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["issuer.pem"]
    assert signer.sign(key_id, MESSAGE) == custody.sign(key_id, MESSAGE)
    assert signer.sign("issuer", MESSAGE) == files.sign("issuer", MESSAGE)
