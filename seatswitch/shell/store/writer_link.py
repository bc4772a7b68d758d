"""The switch's side of the row writer: starts it, hears what it tells, revives it."""

import asyncio
import sys
from pathlib import Path

import msgspec
import structlog

from kernel.errors import OperatorError
from seatswitch.shell.store.database import public_url
from seatswitch.shell.store.writer import Told

COMMAND = (sys.executable, "-m", "seatswitch", "row-writer")
READY_WITHIN = 15.0  # seconds until the switch starts without a database
RESTART_FIRST = 1.0  # seconds after a death, doubled up to RESTART_MAX
RESTART_MAX = 60.0
STOP_WITHIN = 10.0  # seconds it may take to finish
KILLED_WITHIN = 2.0  # seconds until a killed process is gone; longer only inside a broken disk

log = structlog.get_logger()


class WriterLink:
    """One row writer process, kept alive until :meth:`stop`."""

    def __init__(
        self,
        journal: Path,
        url: str,
        *,
        command: tuple[str, ...] = COMMAND,
        restart_first: float = RESTART_FIRST,
    ) -> None:
        self.trouble = ""  # why rows wait in the journal; empty when all is well
        self.restarts = 0
        self.pid = 0  # 0: not running
        self._journal = journal
        self._url = url
        self._command = command
        self._restart_after = restart_first
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._ready: asyncio.Future[bool] | None = None

    async def start(self, ready_within: float = READY_WITHIN) -> bool:
        """Start the process and wait until the schema is up to date; False if that takes too long.

        Raises OperatorError when the database cannot be used as it is.
        """
        self._ready = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep_running())
        try:
            return await asyncio.wait_for(asyncio.shield(self._ready), ready_within)
        except TimeoutError:
            log.warning("! the database is not ready: rows wait in the journal", why=self.trouble or "slow")
            return False

    async def stop(self, within: float = STOP_WITHIN) -> None:
        """Let the process write what is in the journal and end; the next start writes what it leaves."""
        self._is_stopping = True
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
        if self._task is None:
            return
        done, _ = await asyncio.wait([self._task], timeout=within)
        if not done:
            if process is not None and process.returncode is None:
                process.kill()
            done, _ = await asyncio.wait([self._task], timeout=KILLED_WITHIN)
        if not done:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def snapshot(self) -> dict[str, object]:
        """Return what an operator may see."""
        return {
            "database": public_url(self._url),
            "pid": self.pid,
            "restarts": self.restarts,
            "trouble": self.trouble,
        }

    async def _keep_running(self) -> None:
        pause = self._restart_after
        while not self._is_stopping:
            began_at = asyncio.get_running_loop().time()
            try:
                code = await self._run_once()
            except OSError as error:  # no memory, no process more, the interpreter is not this user's
                self._note_unstartable(error.strerror or str(error))
                code = -1
            if self._is_stopping:
                break
            if asyncio.get_running_loop().time() - began_at > RESTART_MAX:
                pause = self._restart_after
            self.restarts += 1
            self.trouble = self.trouble or f"the row writer ended with code {code}"
            log.warning("! the row writer ended and is started again", code=code, after=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, RESTART_MAX)

    def _note_unstartable(self, why: str) -> None:
        self.trouble = f"the row writer cannot be started ({why})"
        if self._ready is not None and not self._ready.done():
            self._is_stopping = True
            self._ready.set_exception(OperatorError(self._command[0], self.trouble))

    async def _run_once(self) -> int:
        """Run one process to its end and return its exit code."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            "--journal",
            str(self._journal),
            "--url",
            "-",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,  # and the session of the switch (run_writer)
        )
        self._process = process
        self.pid = process.pid
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(self._url.encode() + b"\n")
        if self._is_stopping:
            process.stdin.close()
        try:
            while line := await process.stdout.readline():
                self._hear(line)
            return await process.wait()
        finally:
            self.pid = 0
            self._process = None

    def _hear(self, line: bytes) -> None:
        try:
            told = msgspec.json.decode(line, type=Told)
        except msgspec.MsgspecError:
            log.warning("the row writer said", line=line.decode("utf-8", "replace").rstrip())
            return
        if told.told == "ready":
            self.trouble = ""
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(True)
        elif told.told == "well":
            self.trouble = ""
            log.info("rows are written again")
        elif told.told == "trouble":
            self.trouble = told.why
            log.warning("! the database refuses: rows wait in the journal", database=told.where, why=told.why)
        elif told.told == "refused":
            self.trouble = told.why
            if self._ready is not None and not self._ready.done():
                self._is_stopping = True
                self._ready.set_exception(OperatorError(told.where, told.why))
            else:
                log.error("! the row writer gave up", database=told.where, why=told.why)
