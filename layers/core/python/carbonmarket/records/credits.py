"""Credits on the move: transfers between organisations and retirements. Grams are integers."""

from __future__ import annotations

from typing import Literal

import msgspec

TransferState = Literal["submitted", "done", "failed"]
RetirementState = Literal["accepted", "checked", "submitted", "final", "certified", "failed"]


class Transfer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Grams of a batch given by one organisation to another."""

    id: str
    sender: str
    receiver: str
    batch: str
    grams: int
    state: TransferState
    created_us: int
    transaction: str = ""
    reason: str = ""


class Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Personal data under its subject's key (AES-256-GCM), in base64; unreadable once that key is erased."""

    subject: str
    nonce: str
    ciphertext: str


class Purchase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is retired is first bought, whole or not at all, in the same transaction.

    ``price`` is the worst that is paid, in quote units per tonne; ``from_wallet`` says that the wallet pays,
    else the claimable balance.
    """

    book: int
    price: int
    fee_cap_bps: int
    from_wallet: bool


class Retirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Grams taken out of use for good; its id is also the certificate's.

    ``beneficiary`` is the commitment (hex) that stands on chain and in the certificate; who it is lies in
    ``sealed``, shown only where ``name_is_public``. ``certificate_url`` is the address that the certificate
    is signed with, settled when the retirement was ordered. The consumption period takes its start and leaves
    its end. ``from_balance`` takes the grams from what the market holds claimable for the account,
    ``purchase`` buys them. Serials, transaction and version are known once the chain has it.
    """

    id: str
    organisation: str
    batch: str
    grams: int
    reason: str
    country: str
    start_us: int
    end_us: int
    beneficiary: str
    sealed: Sealed
    name_is_public: bool
    certificate_url: str
    state: RetirementState
    created_us: int
    serial_first: int | None = None
    serial_last: int | None = None
    transaction: str = ""
    version: int | None = None
    retired_us: int | None = None
    failure: str = ""
    from_balance: bool = False
    purchase: Purchase | None = None
