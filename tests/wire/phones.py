"""Phones that nobody here wrote: SIPp for exact scenarios and load, baresip for a whole phone with audio."""

import math
import signal
import socket
import struct
import subprocess
import threading
import time
import wave
from itertools import count
from pathlib import Path
from types import TracebackType

from media.codecs.g711 import linear_to_ulaw_bytes, ulaw_to_linear
from tests.ports import free_media_ports

FRAME_EVERY = 0.02  # seconds
SCENARIOS = Path(__file__).resolve().parent / "sipp"


class Sipp:
    """One SIPp process."""

    def __init__(
        self,
        folder: Path,
        scenario: str,
        *,
        port: int,
        target: str = "",
        calls: int = 1,
        rate: float = 10.0,
        rows: list[str] | None = None,
        service: str = "96198",
        status: int = 0,
        audio: int = 0,
        options: tuple[str, ...] = (),
        timeout: float = 60.0,
        core: int | None = None,
    ) -> None:
        self.name = f"{scenario}-{port}"
        self.folder = folder
        self.timeout = timeout
        media = free_media_ports(8)  # SIPp takes four, and gives up where one of them is taken
        text = (SCENARIOS / f"{scenario}.xml").read_text().replace("STATUS", str(status))
        if audio:  # whose port somebody else listens at
            text = text.replace("[media_port]", str(audio))
        script = folder / f"{self.name}.xml"
        script.write_text(text)
        command = [] if core is None else ["taskset", "-c", str(core)]
        command += ["sipp", "-i", "127.0.0.1", "-p", str(port), "-mp", str(media), "-nostdin"]
        command += ["-sf", str(script), "-m", str(calls), "-r", str(rate)]
        command += ["-s", service, "-timeout", f"{timeout:g}s", "-timeout_error", "-buff_size", "4194304"]
        command += ["-trace_err", "-error_file", str(folder / f"{self.name}.err")]
        if rows is not None:
            table = folder / f"{self.name}.csv"
            table.write_text("SEQUENTIAL\n" + "".join(f"{row}\n" for row in rows))
            command += ["-inf", str(table)]
        command += [*options]
        if target:
            command.append(target)
        self._output = (folder / f"{self.name}.out").open("wb")
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=self._output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )

        if not target:
            self._wait_until_it_listens(port, "tcp" if "t1" in options else "udp")

    def _wait_until_it_listens(self, port: int, transport: str) -> None:
        """A phone that is called before it listens is gone, says ICMP, and so does the switch."""
        deadline = time.monotonic() + 30
        while f":{port:04X} " not in Path(f"/proc/net/{transport}").read_text():
            assert self.process.poll() is None, f"{self.name} ended: {self.story()}"
            assert time.monotonic() < deadline, f"{self.name} does not listen"
            time.sleep(0.02)

    def __enter__(self) -> "Sipp":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def wait(self) -> int:
        """Wait for the planned calls and return SIPp's exit code: 0 when every call went as the scenario
        says.
        """
        code = self.process.wait(self.timeout + 10)
        self._output.close()
        return code

    def finish(self) -> None:
        """Wait, and fail with what SIPp said if a call went otherwise."""
        code = self.wait()
        assert code == 0, f"{self.name}: SIPp says {code}\n{self.story()}"

    def kill(self) -> None:
        """End the process at once."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(5)
        self._output.close()

    def story(self) -> str:
        """Return the errors SIPp wrote."""
        path = self.folder / f"{self.name}.err"
        return path.read_text(errors="replace")[-3000:] if path.exists() else "(no error file)"


def register(folder: Path, sip_port: int, users: list[str], *, port: int, password: str = "demo") -> None:
    """Register ``users`` with contacts at 127.0.0.1:``port``."""
    rows = [f"{user};[authentication username={user} password={password}]" for user in users]
    sipp = Sipp(
        folder,
        "register",
        port=port,
        target=f"127.0.0.1:{sip_port}",
        calls=len(users),
        rate=200,
        rows=rows,
        timeout=30,
    )
    sipp.finish()


def write_tone(path: Path, frequency: float, seconds: int = 60) -> None:
    """Write a mono 8 kHz WAV file with one sine tone, of whole hertz, at -6 dBFS."""
    samples = (int(16000 * math.sin(2 * math.pi * frequency * n / 8000)) for n in range(8000))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack("<8000h", *samples) * seconds)


def tone_share(samples: list[int], frequency: float, rate: int = 8000) -> float:
    """Return the share of the samples' energy at ``frequency`` (Goertzel), 0 to 1; 0 for silence."""
    energy = sum(sample * sample for sample in samples)
    if not energy:
        return 0.0
    coefficient = 2 * math.cos(2 * math.pi * frequency / rate)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + coefficient * last - before
    power = before * before + last * last - coefficient * before * last
    return power * 2 / (len(samples) * energy)


class Voice(threading.Thread):
    """Audio without a phone: says a tone every 20 ms to ``to``, as soon as that is known, and hears whatever
    comes, before a call and after it.
    """

    def __init__(self, frequency: float) -> None:
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.to: tuple[str, int] | None = None
        self.said = 0  # packets
        self.heard: list[tuple[int, bytes]] = []  # sequence numbers and payloads, u-law
        wave_of = (int(16000 * math.sin(2 * math.pi * frequency * n / 8000)) for n in range(8000))
        self._tone = linear_to_ulaw_bytes(wave_of)
        self._is_over = threading.Event()

    def __enter__(self) -> "Voice":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self.join(5)
        self._socket.close()

    def run(self) -> None:
        """Speak and listen."""
        begun = time.monotonic()
        for number in count():
            if self._is_over.is_set():
                return
            if self.to is not None:
                at = number % 50 * 160
                header = struct.pack(">BBHII", 0x80, 0, number & 0xFFFF, number * 160, self.port)
                self._socket.sendto(header + self._tone[at : at + 160], self.to)
                self.said += 1
            while (left := begun + (number + 1) * FRAME_EVERY - time.monotonic()) > 0:
                self._socket.settimeout(left)
                try:
                    data = self._socket.recv(2048)
                except OSError:
                    continue  # nothing came, or nobody is where we speak to
                self.heard.append((int.from_bytes(data[2:4], "big"), data[12:]))

    def samples(self, since: int = 0) -> list[int]:
        """Return what was heard, from the packet ``since`` on."""
        return [ulaw_to_linear(code) for _, payload in self.heard[since:] for code in payload]


BARESIP_CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{port}
sip_trans_def udp
net_interface 127.0.0.1
call_local_timeout 120
call_max_calls 4
audio_player aubridge,nil
audio_source aufile,{tone}
audio_alert aubridge,nil2
snd_path {folder}
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_txmode thread
rtp_ports {rtp}-{rtp_end}
rtcp_mux no
jitter_buffer_delay 1-5
rtp_stats yes
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module aubridge.so
module uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


class Baresip:
    """One baresip phone that plays a tone and records what it hears into its folder."""

    def __init__(
        self,
        folder: Path,
        user: str,
        *,
        port: int,
        control: int,
        rtp: int,
        sip_port: int,
        frequency: float,
        answer: str = "manual",
        register_for: int = 120,
        password: str = "demo",
        transport: str = "udp",
        host: str = "127.0.0.1",
        extra: str = "",
        account: str = "",
    ) -> None:
        self.folder = folder / f"baresip-{user}"
        self.folder.mkdir()
        tone = self.folder / "tone.wav"
        write_tone(tone, frequency)
        modules = next(path for path in MODULES if path.is_dir())
        (self.folder / "config").write_text(
            BARESIP_CONFIG.format(
                port=port,
                tone=tone,
                folder=self.folder,
                rtp=rtp,
                rtp_end=rtp + 98,
                control=control,
                modules=modules,
            )
            + extra
        )
        (self.folder / "accounts").write_text(
            f"<sip:{user}@{host}:{sip_port};transport={transport}>;auth_user={user};auth_pass={password};"
            f"answermode={answer};"
            f"regint={register_for};audio_codecs=pcmu,pcma{account}\n"
        )
        (self.folder / "contacts").write_text("")
        self.control = control
        self._output = (self.folder / "out.log").open("wb")
        self.process = subprocess.Popen(
            ["baresip", "-4", "-f", str(self.folder)],
            cwd=self.folder,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )

    def __enter__(self) -> "Baresip":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if error is not None:
            print((self.folder / "out.log").read_text(errors="replace")[-3000:])

    def command(self, name: str, params: str = "") -> None:
        """Send one command to the phone's control socket."""
        text = f'{{"command":"{name}","params":"{params}"}}'.encode()
        with socket.create_connection(("127.0.0.1", self.control), 5) as control:
            control.sendall(str(len(text)).encode() + b":" + text + b",")
            control.settimeout(2)
            control.recv(4096)

    def heard(self) -> list[list[int]]:
        """Return the samples of each recording of what the phone heard, oldest first."""
        recordings = []
        for path in sorted(self.folder.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime):
            data = path.read_bytes()[44:]
            recordings.append(list(struct.unpack(f"<{len(data) // 2}h", data[: len(data) // 2 * 2])))
        return recordings

    def kill(self, how: int = signal.SIGTERM) -> None:
        """End the phone."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self._output.close()


MODULES = (Path("/usr/lib/baresip/modules"), Path("/usr/lib/x86_64-linux-gnu/baresip/modules"))
