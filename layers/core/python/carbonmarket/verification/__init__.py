"""Verification of certificates: from the signature down to the readings, with or without a node."""

from carbonmarket.verification.certificate_links import (
    UNREADABLE,
    Unreadable,
    VerificationReport,
    exit_code,
    verify_certificate,
)
from carbonmarket.verification.chain_links import ChainView
from carbonmarket.verification.links import Link

__all__ = [
    "UNREADABLE",
    "ChainView",
    "Link",
    "Unreadable",
    "VerificationReport",
    "exit_code",
    "verify_certificate",
]
