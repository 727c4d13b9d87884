"""Where gateways get the certificate they connect with."""

from __future__ import annotations

from typing import Protocol

import msgspec


class GatewayCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """An X.509 certificate for a gateway: PEM texts and the SHA-256 fingerprint of its DER form in hex."""

    certificate: str
    authority: str
    fingerprint: str
    endpoint: str


class DeviceRegistry(Protocol):
    """AWS IoT Core, or the certificate authority of one machine."""

    def issue_certificate(self, gateway: str, request: str) -> GatewayCertificate:
        """Sign the certificate request (PEM) for the gateway, whose id becomes its common name.

        InvalidInput (field ``csr``) for a request that is none, or whose own signature is wrong.
        """
        ...
