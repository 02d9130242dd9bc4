"""An instance of the host as a child process, for the demo and for tests."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from local.host.times import AS_IN_AZURE, Times

_PROJECT = Path(__file__).resolve().parents[2]


class HostFailedError(RuntimeError):
    """The process ended, or was ended for its silence, before it was ready; its own sentence is in its log."""


class HostProcess:
    """One instance, ready when the constructor returns: `with HostProcess(root, settings={...}) as host: ...`.

    `settings` go over the environment of this process, and that goes over `settings_file`. `log` is a file that the
    instance's log is appended to; without one it goes to this process's stderr. `url` is the instance's root, without a
    slash at the end. Raises HostFailedError.
    """

    def __init__(
        self,
        root: Path,
        *,
        functions: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        settings_file: Path | None = None,
        port: int = 0,
        times: Times = AS_IN_AZURE,
        native: bool = False,
        log: Path | None = None,
        ready_seconds: float = 60,
    ) -> None:
        command = [sys.executable, "-m", "local.host", "--root", os.fspath(root.resolve())]
        command += ["--port", str(port), "--functions", ",".join(functions)]
        for name, seconds in asdict(times).items():
            command += [f"--{name.replace('_', '-')}", str(seconds)]
        if native:
            command.append("--native")
        if settings_file is not None:
            command += ["--settings", os.fspath(settings_file.resolve())]
        stderr: IO[bytes] | None = log.open("ab") if log else None
        try:
            self._process = subprocess.Popen(
                command,
                cwd=_PROJECT,
                env=os.environ | dict(settings or {}),
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
        finally:
            if stderr is not None:
                stderr.close()  # the child has its own handle
        try:
            self.url = self._ready(ready_seconds)
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id of the instance."""
        return self._process.pid

    @property
    def worker_pid(self) -> int:
        """The process id of its worker process."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return int(children[0])

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, by whatever."""
        return self._process.poll() is not None

    def stop(self) -> int:
        """Ask the instance to end and return its exit code; one that has not ended after 30 s is killed."""
        self._process.terminate()
        try:
            return self.wait(30)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End it as a crash of the machine would, without a word to it or to its worker process."""
        self.signal(signal.SIGKILL)
        return self.wait(30)

    def kill_worker(self) -> None:
        """As when it is out of memory: the instance lives."""
        os.kill(self.worker_pid, signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """To the instance and its worker process; to nobody where they have ended."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def wait(self, seconds: float) -> int:
        """The exit code, once the process has ended; subprocess.TimeoutExpired after `seconds`."""
        code = self._process.wait(seconds)
        self._stdout.close()
        return code

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _ready(self, seconds: float) -> str:
        alarm = threading.Timer(seconds, self.signal, [signal.SIGKILL])
        alarm.start()
        try:
            words = self._stdout.readline().decode().split()
        finally:
            alarm.cancel()
        if len(words) < 2:
            raise HostFailedError(f"The local host ended with exit code {self.wait(30)} before it was ready.")
        return words[1]
