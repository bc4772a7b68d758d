"""The phones of the interop table, all with one face: each plays a tone, records what it hears, and is told
what to do.
"""

import json
import os
import re
import shutil
import struct
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from tests.ports import free_media_ports, free_port
from tests.wire.phones import Baresip, write_tone

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOLDER = ROOT / "var" / "interop"  # what tests/interop/install.sh has installed
PJSUA_PYTHON = FOLDER / "pjsua2" / "bin" / "python"
FREQUENCY = 440.0  # of the phone under test
USER = "2001"
BARESIP_PORTS = 100  # its range of media ports


class Phone(Protocol):
    """What every phone can do. Verbs return at once; what comes of them is seen at the switch."""

    def __enter__(self) -> "Phone": ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def dial(self, uri: str) -> None: ...
    def hold(self) -> None: ...
    def resume(self) -> None: ...
    def dtmf(self, digits: str) -> None: ...
    def hang_up(self) -> None: ...
    def heard(self) -> tuple[list[int], int]: ...
    def story(self) -> str: ...


class Where:
    """Where a phone registers, and by which transport."""

    def __init__(self, folder: Path, transport: str, host: str, port: int) -> None:
        self.folder = folder
        self.transport = transport
        self.host = host
        self.port = port
        self.ca = folder / "ca.pem"  # whom a phone trusts that registers by TLS


def read_wav(path: Path) -> tuple[list[int], int]:
    """Return samples and rate of a mono 16-bit file, even one whose header was not finished."""
    data = path.read_bytes()
    begin = data.find(b"data") + 8
    rate = struct.unpack("<I", data[24:28])[0]
    count = (len(data) - begin) // 2
    return list(struct.unpack(f"<{count}h", data[begin : begin + count * 2])), rate


def all_heard(phone: Baresip) -> list[int]:
    """Return what a baresip heard: it begins a new recording with every change of direction."""
    return [sample for recording in phone.heard() for sample in [*recording, *([0] * 4000)]]


class BaresipPhone:
    """baresip, driven over its control socket."""

    name = "baresip"
    install = "apt-get install baresip-core"
    transports = ("udp", "tcp", "tls")

    @staticmethod
    def version() -> str:
        """Return the version that is installed, "" for none."""
        if shutil.which("baresip") is None:
            return ""
        said = subprocess.run(["baresip", "-h"], capture_output=True, text=True, check=False, timeout=10)
        found = re.search(r"baresip v?([\d.]+)", said.stdout + said.stderr)
        return found[1] if found else "?"

    def __init__(self, where: Where) -> None:
        self._phone = Baresip(
            where.folder,
            USER,
            port=free_port(),
            control=free_port(),
            rtp=free_media_ports(BARESIP_PORTS),
            sip_port=where.port,
            frequency=FREQUENCY,
            transport=where.transport,
            host=where.host,
            extra=f"sip_cafile {where.ca}\nsip_verify_server yes\n" if where.transport == "tls" else "",
        )

    def __enter__(self) -> "BaresipPhone":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._phone.kill()

    def dial(self, uri: str) -> None:
        self._phone.command("dial", uri)

    def hold(self) -> None:
        self._phone.command("hold")

    def resume(self) -> None:
        self._phone.command("resume")

    def dtmf(self, digits: str) -> None:
        for digit in digits:
            self._phone.command("sndcode", digit)
            time.sleep(0.4)

    def hang_up(self) -> None:
        self._phone.command("hangup")

    def heard(self) -> tuple[list[int], int]:
        return all_heard(self._phone), 8000

    def story(self) -> str:
        lines = re.split("[\r\n]+", (self._phone.folder / "out.log").read_text(errors="replace"))
        return "\n".join([line for line in lines if "(bit/s)" not in line][-40:])


class _Piped:
    """A phone that is a process with verbs on its standard input."""

    def __init__(self, folder: Path, command: list[str], environment: dict[str, str]) -> None:
        self.folder = folder
        self._log = (folder / "out.log").open("wb")
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
        )

    def __enter__(self) -> Any:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.quit()
            self.process.wait(8)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            self.process.wait(5)
        self._log.close()

    def quit(self) -> None:
        """Ask the process to end."""

    def write(self, line: str) -> None:
        """Write one line to the process."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def heard(self) -> tuple[list[int], int]:
        path = self.folder / "heard.wav"
        return read_wav(path) if path.exists() else ([], 8000)

    def story(self) -> str:
        return (self.folder / "out.log").read_text(errors="replace")[-3000:]


class PjsuaPhone(_Piped):
    """pjsua2, in a virtual environment of its own."""

    name = "pjsua2"
    install = "pjsua2-python in a virtual environment of its own: tests/interop/install.sh"
    transports = ("udp", "tcp", "tls")

    @staticmethod
    def version() -> str:
        """Return the version that is installed, "" for none."""
        if not PJSUA_PYTHON.exists():
            return ""
        ask = "from importlib.metadata import version; print(version('pjsua2-python'))"
        said = subprocess.run(
            [str(PJSUA_PYTHON), "-c", ask], capture_output=True, text=True, check=False, timeout=30
        )
        return said.stdout.strip()

    def __init__(self, where: Where, user: str = USER, frequency: float = FREQUENCY, **more: object) -> None:
        """``more`` is as pjsua_agent.py has it: auto, reliable, timers, expires."""
        folder = where.folder / f"pjsua2-{user}"
        folder.mkdir()
        write_tone(folder / "tone.wav", frequency)
        settings = {
            "user": user,
            "password": "demo",
            "domain": "127.0.0.1",
            "registrar": f"{where.host}:{where.port}",
            "transport": where.transport,
            "port": free_port(),
            "rtp_port": free_media_ports(16),
            "play": str(folder / "tone.wav"),
            "record": str(folder / "heard%.wav"),
            "log": str(folder / "pjsip.log"),
            "ca": str(where.ca) if where.transport == "tls" else "",
            **more,
        }
        command = [str(PJSUA_PYTHON), str(HERE / "pjsua_agent.py"), json.dumps(settings)]
        super().__init__(folder, command, {})

    def _act(self, verb: str, **more: str) -> None:
        self.write(json.dumps({"verb": verb, **more}))

    def transfer(self, uri: str) -> None:
        """Send the last call elsewhere and leave it."""
        self._act("transfer", uri=uri)

    def join(self) -> None:
        """Let the call before and the last one talk with each other, and leave both."""
        self._act("join")

    def heard(self, call: int = 0) -> tuple[list[int], int]:
        path = self.folder / f"heard{call}.wav"
        return read_wav(path) if path.exists() else ([], 8000)

    def log(self) -> str:
        """Return every message it has sent and received."""
        return (self.folder / "pjsip.log").read_text(errors="replace")

    def dial(self, uri: str) -> None:
        self._act("dial", uri=uri)

    def hold(self) -> None:
        self._act("hold")

    def resume(self) -> None:
        self._act("resume")

    def dtmf(self, digits: str) -> None:
        self._act("dtmf", digits=digits)

    def hang_up(self) -> None:
        self._act("hang_up")

    def quit(self) -> None:
        self._act("quit")


LINPHONE_CONFIG = """\
[net]
mtu=0
[sip]
sip_port={sip_port}
sip_tcp_port={tcp_port}
sip_tls_port={tls_port}
use_ipv6=0
bind_address=127.0.0.1
root_ca={ca}
verify_server_certs=1
verify_server_cn=1
[rtp]
bind_address=127.0.0.1
audio_rtp_port={rtp}
[video]
enabled=0
"""


class LinphonePhone(_Piped):
    """linphonec, driven by its prompt; a file stands for microphone and loudspeaker."""

    name = "linphone"
    install = "apt-get install linphone-cli"
    transports = ("udp", "tcp", "tls")

    @staticmethod
    def version() -> str:
        """Return the version that is installed, "" for none."""
        if shutil.which("linphonec") is None:
            return ""
        said = subprocess.run(["linphonec", "-v"], capture_output=True, text=True, check=False, timeout=10)
        found = re.search(r"version: *(\S+)", said.stdout + said.stderr)
        return found[1] if found else "?"

    def __init__(self, where: Where) -> None:
        folder = where.folder / "linphone"
        (folder / ".local" / "share" / "linphone").mkdir(parents=True)  # without it there is no socket
        write_tone(folder / "tone.wav", FREQUENCY)
        ports = {f"{name}_port": -1 for name in ("sip", "tcp", "tls")}
        ports["sip_port" if where.transport == "udp" else f"{where.transport}_port"] = free_port()
        (folder / "rc").write_text(LINPHONE_CONFIG.format(rtp=free_media_ports(4), ca=where.ca, **ports))
        super().__init__(
            folder, ["linphonec", "-c", "rc", "-d", "0", "-l", "linphone.log"], {"HOME": str(folder)}
        )
        self.write("soundcard use files")
        self.write("play tone.wav")
        self.write("record heard.wav")
        proxy = f"sip:{where.host}:{where.port};transport={where.transport}"
        self.write(f"register sip:{USER}@127.0.0.1 {proxy} demo")

    def dial(self, uri: str) -> None:
        self.write(f"call {uri}")

    def join(self) -> None:
        """Let its two calls talk with each other, and leave both."""
        self.write("transfer 1 --to-call 2")

    def hold(self) -> None:
        self.write("pause")

    def resume(self) -> None:
        self.write("resume")

    def dtmf(self, digits: str) -> None:
        for digit in digits:
            self.write(digit)
            time.sleep(0.4)

    def hang_up(self) -> None:
        self.write("terminate")

    def quit(self) -> None:
        self.write("quit")


PHONES = (BaresipPhone, PjsuaPhone, LinphonePhone)
