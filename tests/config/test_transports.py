"""Listeners, certificates and connections, as a configuration gives them."""

import pytest

from config.load import load_settings
from config.reading import ConfigErrors
from config.schema import ConnectionSettings, TlsSettings
from sip.settings import Listener

TLS = '[sip]\nlisten = ["tls://[::1]:5061", "wss://127.0.0.1:443"]\n'
TLS += 'tls = {certificate = "a.crt", key = "a.key"}\n'


def test_secure_listeners_and_their_certificate() -> None:
    settings = load_settings(TLS, file="s")
    assert settings.sip.listen == (Listener("tls", "::1", 5061), Listener("wss", "127.0.0.1", 443))
    assert settings.tls == TlsSettings("a.crt", "a.key")
    assert settings.connections == ConnectionSettings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[sip]\nlisten = ["wss://h:1"]\n',
            "sip.listen[1]: wss needs a certificate: give sip.tls.certificate and sip.tls.key",
        ),
        ('[sip]\ntls = {key = "k"}\n', "sip.tls.key: is given without sip.tls.certificate"),
        (
            '[sip]\nws_origins = ["desk"]\n',
            'sip.ws_origins[1]: "desk" is not an origin such as "https://desk.example.com"',
        ),
        (
            "[sip]\nconnections = 1\nconnections_per_source = 2\n",
            "sip.connections_per_source: is more than connections allows in all",
        ),
    ],
)
def test_wrong_transports(text: str, message: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_settings(text, file="s")
    assert [str(error).removeprefix("s: ") for error in caught.value.errors] == [message]


def test_the_servers_that_names_are_asked_of() -> None:
    text = '[sip]\ndns = ["10.0.0.2", "127.0.0.1:5353", "::1", "[2001:db8::1]:53"]\ndatagram_max = 1400\n'
    settings = load_settings(text, file="s")
    assert settings.dns_servers == (("10.0.0.2", 53), ("127.0.0.1", 5353), ("::1", 53), ("2001:db8::1", 53))
    assert settings.sip.datagram_max == 1400
    assert load_settings("", file="s").dns_servers == ()
    assert load_settings("", file="s").sip.datagram_max == 1300


@pytest.mark.parametrize("server", ["ns.example", "10.0.0.2:0", "10.0.0.2:x", "", "10.0.0.2:70000", "[::1"])
def test_a_server_that_is_no_address(server: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_settings(f'[sip]\ndns = ["{server}"]\n', file="s")
    why = 'is not an address such as "10.0.0.2" or "10.0.0.2:53"'
    assert str(caught.value.errors[0]) == f's: sip.dns[1]: "{server}" {why}'
