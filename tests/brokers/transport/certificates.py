"""Certificates of a test's own: an authority, and leaves that are right or wrong in one respect."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """``roots`` is the PEM file to trust."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    roots: Path

    @staticmethod
    def fresh(folder: Path, name: str = "roots") -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(key, key, name, name, None, -DAY, DAY)
        path = folder / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return Authority(key, certificate, path)

    def server(self, folder: Path, host: str = "127.0.0.1", until: timedelta = DAY) -> ssl.SSLContext:
        """A server's side with a leaf for ``host`` that is good for ``until`` from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = self.certificate.subject.rfc4514_string().removeprefix("CN=")
        leaf = _certificate(key, self.key, host, name, host, until - 2 * DAY, until)
        path = folder / f"leaf-{host}-{until.days}.pem"
        path.write_bytes(
            leaf.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _certificate(
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    subject: str,
    issuer: str,
    host: str | None,
    begins: timedelta,
    ends: timedelta,
) -> x509.Certificate:
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    )
    if host is not None:
        alternative = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        built = built.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    return built.sign(signer, hashes.SHA256())
