"""Certificates for tests, from an authority of their own."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Authority:
    """A certificate authority; its files are in ``folder``."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder
        self.ca = folder / f"{name}.pem"
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(str(self.ca))

    def issue(self, *names: str, file: str = "", not_after: datetime | None = None) -> tuple[Path, Path]:
        """Return the files of a certificate for ``names`` and of its key."""
        issued = self._ca.issue_cert(*names, not_after=not_after)
        base = file or names[0]
        certificate, key = self.folder / f"{base}.crt", self.folder / f"{base}.key"
        certificate.unlink(missing_ok=True)
        for blob in issued.cert_chain_pems:
            blob.write_to_path(str(certificate), append=True)
        issued.private_key_pem.write_to_path(str(key))
        return certificate, key

    def issue_literally(self, *addresses: str) -> tuple[Path, Path]:
        """Return the files of a certificate for IP addresses, each as an address and as the text of a name:
        there are phones that look only for names (RFC 6125 B.2).
        """
        authority = x509.load_pem_x509_certificate(self._ca.cert_pem.bytes())
        signs = serialization.load_pem_private_key(self._ca.private_key_pem.bytes(), None)
        assert isinstance(signs, ec.EllipticCurvePrivateKey)
        own, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        names: list[x509.GeneralName] = [x509.IPAddress(ip_address(address)) for address in addresses]
        names += [x509.DNSName(address) for address in addresses]
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "tests")]))
            .issuer_name(authority.subject)
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signs.public_key()), critical=False
            )
            .sign(signs, hashes.SHA256())
        )
        certificate, key = self.folder / f"{addresses[0]}.crt", self.folder / f"{addresses[0]}.key"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        return certificate, key
