"""Certificates of SIP: what TLS and secure WebSockets prove who we are with, and whom they trust.

A :class:`Certificates` is made whole or not at all. A reload makes another; connections under way keep the
one they were made with, so nothing is dropped.
"""

import ssl
from pathlib import Path
from typing import Any

from config.schema import Settings, TlsSettings
from kernel.errors import OperatorError

HANDSHAKE_AFTER_MAX = 5.0  # seconds a peer may take to agree on TLS


class Certificates:
    """The two sides of TLS as one configuration has them."""

    __slots__ = ("client", "server")

    def __init__(self, settings: TlsSettings) -> None:
        """Read the files. Raises OperatorError naming key, file and why."""
        self.client = _client_context(settings)
        self.server = _server_context(settings) if settings.certificate else None


def read_certificates(settings: Settings) -> Certificates | None:
    """Return the certificates, or None where no listener needs them. Raises OperatorError."""
    if any(listener.transport in ("tls", "wss") for listener in settings.sip.listen):
        return Certificates(settings.tls)
    return None


def _context(purpose: int) -> ssl.SSLContext:
    context = ssl.SSLContext(purpose)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    return context


def _server_context(settings: TlsSettings) -> ssl.SSLContext:
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    _load_chain(context, settings)
    if settings.verify_clients != "never":
        _load_trust(context, settings)
        required = settings.verify_clients == "always"
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context


def _client_context(settings: TlsSettings) -> ssl.SSLContext:
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    if settings.verify_servers:
        _load_trust(context, settings)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.certificate:
        _load_chain(context, settings)  # shown to trunks that ask for it
    return context


def _load_trust(context: ssl.SSLContext, settings: TlsSettings) -> None:
    if not settings.ca:
        context.load_default_certs()
        return
    _look_at("ca", settings.ca)
    try:
        context.load_verify_locations(settings.ca)
    except ssl.SSLError as error:
        raise _refusal("ca", settings.ca, f"holds no certificates in PEM form ({_reason(error)})") from error
    if not context.cert_store_stats()["x509"]:
        raise _refusal("ca", settings.ca, "holds no certificate")


def _load_chain(context: ssl.SSLContext, settings: TlsSettings) -> None:
    certificate, key = settings.certificate, settings.key or settings.certificate
    if b"-----BEGIN CERTIFICATE-----" not in _look_at("certificate", certificate):
        raise _refusal("certificate", certificate, "holds no certificate in PEM form")
    text = _look_at("key", key)
    if b"PRIVATE KEY-----" not in text:
        raise _refusal("key", key, "holds no private key in PEM form")
    if b"ENCRYPTED" in text:
        raise _refusal("key", key, "is encrypted and nobody is there to type the password: decrypt it")
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in _reason(error):
            raise _refusal("key", key, f"is not the key of the certificate {certificate}") from error
        raise _refusal("certificate", certificate, f"cannot be used ({_reason(error)})") from error


def _look_at(key: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _refusal(key, path, f"cannot be read ({error.strerror})") from error


def _reason(error: ssl.SSLError) -> str:
    return error.reason or str(error)


def _refusal(key: str, path: str, why: str) -> OperatorError:
    return OperatorError(f"sip.tls.{key}", f"{path} {why}")


def verified_names(peer_certificate: dict[str, Any] | None) -> tuple[str, ...]:
    """Return whom a verified certificate is for, in lower case (RFC 5922 7.1): SIP domains of its URIs, its
    DNS names and addresses; () for none.
    """
    names: list[str] = []
    for kind, value in (peer_certificate or {}).get("subjectAltName", ()):
        if kind in ("DNS", "IP Address"):
            names.append(value.lower())
        elif kind == "URI" and value.lower().startswith("sip:") and "@" not in value:
            names.append(value[4:].lower())
    return tuple(names)
