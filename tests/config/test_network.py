"""SIP, trunks, media, JSON-RPC and the store, as a configuration gives them."""

import pytest

from config.load import load_settings
from config.network import is_contact, split_url
from config.reading import ConfigErrors
from sip.settings import Listener, Timing


def errors_of(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load_settings(text, file="s")
    return [str(error).removeprefix("s: ") for error in caught.value.errors]


def test_listeners_keep_their_order_and_ipv6_is_taken() -> None:
    settings = load_settings('[sip]\nlisten = ["tcp://[::1]:5070", "udp://127.0.0.1:0"]\n', file="s")
    assert settings.sip.listen == (Listener("tcp", "::1", 5070), Listener("udp", "127.0.0.1", 0))
    assert settings.sip.domains == ("::1",)


def test_audio_is_never_sent_to_what_listens_here() -> None:
    text = '[sip]\nlisten = ["udp://127.0.0.1:5060"]\n[rpc]\nlisten = ["unix://r.sock", "tcp://[::1]:5070"]\n'
    settings = load_settings(text, file="s")
    assert settings.media.never_send_to == (("127.0.0.1", 5060), ("::1", 5070))


def test_several_domains_and_timers() -> None:
    text = '[sip]\ndomain = ["a.example", "b.example"]\nt1 = "250ms"\nring_max = "4m"\n'
    settings = load_settings(text, file="s")
    assert settings.sip.domains == ("a.example", "b.example")
    assert settings.calls.domain == "a.example"
    assert settings.sip.timing == Timing(t1=0.25, ring_max=240.0, trying_after=0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("listen = []", "sip.listen: is empty: the switch must listen somewhere"),
        (
            'listen = ["udp://127.0.0.1"]',
            'sip.listen[1]: "udp://127.0.0.1" is not TRANSPORT://HOST:PORT; transports are '
            "udp, tcp, tls, ws, wss",
        ),
        (
            'listen = ["udp://h:70000"]',
            'sip.listen[1]: "udp://h:70000" is not TRANSPORT://HOST:PORT; transports are '
            "udp, tcp, tls, ws, wss",
        ),
        ('listen = ["udp://h:1", "udp://h:1"]', "sip.listen: udp://h:1 is given twice"),
        ('register_expires_min = "3h"', "sip.register_expires_min: is longer than register_expires_max"),
        (
            'register_expires_min = "2m"\nsubscribe_expires_max = "1m"',
            "sip.subscribe_expires_max: 60 s is shorter than register_expires_min, the least",
        ),
        ("t1 = 0", "sip.t1: must be more than 0"),
        ("min_se = 60", "sip.min_se: is shorter than 90 s, which RFC 4028 does not allow"),
        ('session_expires = "2m"\nmin_se = "3m"', "sip.session_expires: is shorter than min_se"),
    ],
)
def test_wrong_sip(text: str, message: str) -> None:
    assert errors_of(f"[sip]\n{text}\n") == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('address = "localhost"', 'media.address: "localhost" is not an IP address'),
        ('address = ""', "media.address: is empty: media needs an IP address to bind"),
        ("ports = [80, 100]", "media.ports: 80 is below 1024"),
        ("ports = [65000, 65535]", None),
        (
            "ports = [20000, 20001]",
            "media.ports: 20000 to 20001 is not room for one call, which takes two RTP ports",
        ),
        ('codecs = ["OPUS"]', 'media.codecs[1]: unknown codec "OPUS"; there are PCMU, PCMA'),
        ("codecs = []", "media.codecs: is empty; there are PCMU, PCMA"),
        ("workers = 65", "media.workers: 65 is more than 64"),
    ],
)
def test_media(text: str, message: str | None) -> None:
    if message is None:
        assert load_settings(f"[media]\n{text}\n", file="s").media.ports == (65000, 65534)
    else:
        assert errors_of(f"[media]\n{text}\n") == [message]


@pytest.mark.parametrize(("cpus", "workers"), [(1, 1), (2, 1), (4, 3), (64, 4)])
def test_automatic_workers_leave_a_processor_to_signalling(cpus: int, workers: int) -> None:
    assert load_settings("", file="s", cpus=cpus).media.workers == workers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "a"', 'trunk[1] "a": has neither accept nor tls_names nor contact: no call can come or go'),
        (
            'name = "a"\naccept = ["x"]',
            'trunk[1] "a".accept[1]: "x" is not a network such as "203.0.113.0/24"',
        ),
        (
            'name = "a"\ncontact = "198.51.100.1"',
            'trunk[1] "a".contact: "198.51.100.1" is not like "sip:203.0.113.5:5060"',
        ),
        (
            'name = "a b"\naccept = ["::1"]',
            'trunk[1] "a b".name: "a b" is not a name: letters, digits and "-", without blanks, ":" and "/"',
        ),
        (
            'name = "a"\naccept = ["::1"]\n[[trunk]]\nname = "a"\naccept = ["10.0.0.0/8"]',
            'trunk[2] "a".name: the name "a" is taken by s: trunk[1] "a"',
        ),
        (
            'name = "a"\naccept = ["10.1.2.3/8"]\n[[trunk]]\nname = "b"\naccept = ["10.0.0.0/8"]',
            'trunk[2] "b".accept[1]: 10.0.0.0/8 is accepted by trunk "a" already',
        ),
    ],
)
def test_wrong_trunks(text: str, message: str) -> None:
    assert errors_of(f"[[trunk]]\n{text}\n") == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('listen = ["ws://127.0.0.1:5071"]', "rpc.listen[1]: ws is not served yet; there are unix, tcp"),
        ('listen = ["unix://"]', 'rpc.listen[1]: "unix://" is neither unix://PATH nor tcp://HOST:PORT'),
        ('listen = ["tcp://h:1", "tcp://h:1"]', "rpc.listen[2]: tcp://h:1 is given twice"),
        (
            'tokens = [{name = "a", role = "admin", token = "short"}]',
            "rpc.tokens[1].token: is shorter than 16 characters: it could be guessed",
        ),
        (
            'tokens = [{name = "a", role = "king", token = "0123456789abcdef"}]',
            'rpc.tokens[1] "a".role: "king" is not one of "admin", "supervisor"',
        ),
    ],
)
def test_wrong_rpc(text: str, message: str) -> None:
    assert errors_of(f"[rpc]\n{text}\n") == [message]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (
            "mysql://root:secret@h/d",
            "is not sqlite:///PATH or postgresql+DRIVER://USER:PASSWORD@HOST/DATABASE",
        ),
        ("sqlite://", "sqlite:// names no file; one is sqlite:///var/seatswitch.db"),
        ("sqlite:///:memory:", "sqlite:///:memory: names no file; one is sqlite:///var/seatswitch.db"),
    ],
)
def test_wrong_stores_are_told_without_their_password(url: str, why: str) -> None:
    assert errors_of(f'[store]\nurl = "{url}"\n') == [f"store.url: {why}"]


def test_http_is_refused_until_it_is_served() -> None:
    assert errors_of('[http]\nlisten = ["http://127.0.0.1:8080"]\n') == [
        "http.listen: HTTP is not served yet; leave the list empty"
    ]


@pytest.mark.parametrize(
    "text", ["sip:h", "sip:h:5080", "sip:h:5080;transport=tcp", "sip:[2001:db8::1]:5060", "sip:[::1]"]
)
def test_contacts(text: str) -> None:
    assert is_contact(text)


@pytest.mark.parametrize("text", ["", "h", "sip:", "tel:1", "sip:user@h", "sip:h:port", "sip:h/path"])
def test_what_is_no_contact(text: str) -> None:
    assert not is_contact(text)


def test_urls_need_host_and_port_and_nothing_else() -> None:
    assert split_url("tcp://h:1") is not None
    assert [
        split_url(url) for url in ("tcp://h", "tcp://h:x", "tcp://u@h:1", "tcp://h:1/p", "tcp://[h:1")
    ] == [None] * 5
