"""A phone in a browser: JsSIP in headless Chromium, driven over Chromium's own debugging socket.

The page comes from a web server on loopback, whose address is the page's origin. Chromium takes the switch's
certificate for good by the hash of its key, and no other that it would not take anyway.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.sync.client import connect

from tests.interop.phones import FOLDER
from tests.wire.switch import wait_until

PAGE = Path(__file__).resolve().parent / "browser" / "page.html"
BUILT = FOLDER / "browser"  # where JsSIP is installed and made into one file
LIBRARY = BUILT / "jssip.js"
INSTALL = "apt-get install chromium npm, then tests/interop/install.sh"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-address=127.0.0.1",
    "--remote-debugging-port=0",
)


def version() -> str:
    """Return the versions of JsSIP and Chromium, "" if either is not here."""
    if shutil.which("chromium") is None or not LIBRARY.exists():
        return ""
    package = json.loads((BUILT / "node_modules" / "jssip" / "package.json").read_text())
    said = subprocess.run(["chromium", "--version"], capture_output=True, text=True, check=False, timeout=60)
    return f"{package['version']} in {' '.join(said.stdout.split()[:2])}"


def key_hash(certificate: Path) -> str:
    """Return what Chromium knows a certificate's key by."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


class _Quiet(SimpleHTTPRequestHandler):
    """A web server's part for one request, without its log."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""


class Site:
    """The page and JsSIP on a web server of their own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        shutil.copy(PAGE, folder / "page.html")
        shutil.copy(LIBRARY, folder / "jssip.js")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> "Site":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class Browser:
    """One Chromium with the page of a site open."""

    def __init__(self, folder: Path, site: Site, trusted: Path) -> None:
        folder.mkdir(parents=True)
        self._log = (folder / "chromium.log").open("wb")
        self.process = subprocess.Popen(
            [
                "chromium",
                *FLAGS,
                f"--user-data-dir={folder}/profile",
                f"--ignore-certificate-errors-spki-list={key_hash(trusted)}",
                f"{site.origin}/page.html",
            ],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._folder = folder
        self._asked = 0

    def __enter__(self) -> "Browser":
        try:
            said = self._folder / "profile" / "DevToolsActivePort"
            wait_until("Chromium's debugging port", lambda: said.exists() and len(read(said)) == 2, 30)
            port, path = read(said)
            self._socket = connect(f"ws://127.0.0.1:{port}{path}", max_size=2**24, proxy=None)
            self._session = ""
            target = wait_until("the page", self._target, 20)
            asked = {"targetId": target, "flatten": True}
            self._session = str(self._ask("Target.attachToTarget", **asked)["sessionId"])
            wait_until("JsSIP", lambda: self.evaluate("typeof begin + typeof JsSIP") == "functionobject", 20)
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self.kill()

    def kill(self) -> None:
        """End the browser at once."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self._log.close()

    def begin(self, server: str, user: str, password: str) -> None:
        """Let the phone register over the WebSocket ``server``."""
        arguments = ", ".join(json.dumps(text) for text in (server, f"sip:{user}@127.0.0.1", password))
        self.evaluate(f"begin({arguments})")

    def told(self) -> list[str]:
        """Return what has happened to the phone, oldest first."""
        told: list[str] = self.evaluate("told")
        return told

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _target(self) -> str:
        pages = self._ask("Target.getTargets")["targetInfos"]
        return next((str(page["targetId"]) for page in pages if page["url"].endswith("page.html")), "")

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._asked += 1
        asked: dict[str, Any] = {"id": self._asked, "method": method, "params": params}
        if self._session:
            asked["sessionId"] = self._session
        self._socket.send(json.dumps(asked))
        while True:
            answer = json.loads(self._socket.recv(20))
            if answer.get("id") == self._asked:
                assert "result" in answer, answer
                result: dict[str, Any] = answer["result"]
                return result


def read(path: Path) -> list[str]:
    """Return the lines of a small file."""
    return path.read_text().split()
