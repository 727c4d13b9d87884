"""Certificates for gateways: AWS IoT Core, or the certificate authority of one machine.

Both sign a request for a key that never leaves the gateway.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from carbonmarket.errors import InvalidInput
from carbonmarket.ports.gateways import GatewayCertificate

_CERTIFICATE_DAYS = 825
# Clocks of gateways and of this machine differ a little.
_BACKDATE = datetime.timedelta(minutes=5)


class IotDeviceRegistry:
    """AWS IoT Core. The gateway becomes a thing of its id with the policy ``<prefix>gateway``."""

    def __init__(self, iot: Any, policy: str) -> None:
        self._iot = iot
        self._policy = policy

    def issue_certificate(self, gateway: str, request: str) -> GatewayCertificate:
        _checked(request)
        issued = self._iot.create_certificate_from_csr(certificateSigningRequest=request, setAsActive=True)
        arn, pem = issued["certificateArn"], issued["certificatePem"]
        self._iot.create_thing(thingName=gateway)
        self._iot.attach_thing_principal(thingName=gateway, principal=arn)
        self._iot.attach_policy(policyName=self._policy, target=arn)
        endpoint = self._iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
        # AWS IoT's own root stands in every system's trust store.
        return GatewayCertificate(
            certificate=pem, authority="", fingerprint=_fingerprint(pem.encode()), endpoint=f"{endpoint}:8883"
        )


class LocalDeviceRegistry:
    """One machine's certificate authority: ``ca.pem`` and ``ca.key`` in a folder that its broker trusts."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder
        self._endpoint = endpoint

    def issue_certificate(self, gateway: str, request: str) -> GatewayCertificate:
        key = _checked(request).public_key()
        authority_pem = (self._folder / "ca.pem").read_bytes()
        authority = x509.load_pem_x509_certificate(authority_pem)
        signer = serialization.load_pem_private_key((self._folder / "ca.key").read_bytes(), password=None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey) or not isinstance(
            key, ec.EllipticCurvePublicKey
        ):
            raise InvalidInput("csr must hold an elliptic curve key", field="csr")
        certificate = _client_certificate(gateway, key, authority).sign(signer, hashes.SHA256())
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        return GatewayCertificate(
            certificate=pem.decode(),
            authority=authority_pem.decode(),
            fingerprint=_fingerprint(pem),
            endpoint=self._endpoint,
        )


def _client_certificate(
    gateway: str, key: ec.EllipticCurvePublicKey, authority: x509.Certificate
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, gateway)]))
        .issuer_name(authority.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + datetime.timedelta(days=_CERTIFICATE_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
    )


def _checked(request: str) -> x509.CertificateSigningRequest:
    try:
        parsed = x509.load_pem_x509_csr(request.encode())
    except ValueError:
        raise InvalidInput("csr is no PKCS #10 certificate request in PEM", field="csr") from None
    if not parsed.is_signature_valid:
        raise InvalidInput("csr is not signed by its own key", field="csr")
    return parsed


def _fingerprint(pem: bytes) -> str:
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()
