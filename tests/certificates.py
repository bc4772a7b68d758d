"""Certificates for tests, from an authority of their own."""

from datetime import datetime
from pathlib import Path

import trustme


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
