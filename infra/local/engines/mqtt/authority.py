"""The certificate authority of one machine's devices, kept in the state folder."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from infra.local.settings import LOOPBACK

_AUTHORITY_DAYS = 3650
_CERTIFICATE_DAYS = 825
# Clocks of devices and of this machine differ a little.
_BACKDATE = datetime.timedelta(minutes=5)


@dataclass(frozen=True)
class Identity:
    """Paths of PEM files: a certificate, its private key, and the authority's certificate."""

    certificate: Path
    key: Path
    authority: Path


class Authority:
    """Issues certificates whose common name is the MQTT user name. Made at first use; ``ca.key`` is 0600."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate_path = folder / "ca.pem"
        folder.mkdir(parents=True, exist_ok=True)
        if not self.certificate_path.exists():
            self._make()
        self._certificate = x509.load_pem_x509_certificate(self.certificate_path.read_bytes())
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{folder / 'ca.key'} holds no elliptic curve key")
        self._key = key

    def issue(self, common_name: str, *, server: bool = False) -> Identity:
        """A certificate and key for a name; the one issued before if there is one."""
        identity = Identity(
            self._folder / f"{common_name}.pem", self._folder / f"{common_name}.key", self.certificate_path
        )
        if not identity.certificate.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            _write_key(identity.key, key)
            certificate = self._sign(key.public_key(), common_name, server=server)
            identity.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return identity

    def sign(self, request_pem: bytes, common_name: str) -> bytes:
        """A client certificate (PEM) for the key of a signing request; the name is ours, not the request's.

        Raises ValueError if the request is unreadable or its signature does not hold.
        """
        request = x509.load_pem_x509_csr(request_pem)
        if not request.is_signature_valid:
            raise ValueError("the certificate signing request is not signed by its own key")
        key = request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError("the certificate signing request must hold an elliptic curve key")
        certificate = self._sign(key, common_name, server=False)
        return certificate.public_bytes(serialization.Encoding.PEM)

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("carbonmarket local devices")
        certificate = (
            _builder(name, name, key.public_key(), _AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write_key(self._folder / "ca.key", key)
        self.certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, key: ec.EllipticCurvePublicKey, common_name: str, *, server: bool) -> x509.Certificate:
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            _builder(_name(common_name), self._certificate.subject, key, _CERTIFICATE_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if server:
            hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(LOOPBACK))]
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
