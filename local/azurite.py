"""Azurite, the emulator of Azure Storage, started from the project's node_modules for a demo or a test."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_PROJECT = Path(__file__).resolve().parents[1]
_ACCOUNT = "devstoreaccount1"
# Not a secret: the key that Microsoft publishes for every storage emulator.
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_LISTENING = re.compile(r"Azurite (Blob|Queue) service is successfully listening at (http://\S+)")
_MEMORY_LIMIT_MB = 2048
"""What blobs may take when they are kept in memory."""
_READY_SECONDS = 30.0


class AzuriteError(RuntimeError):
    """Azurite cannot be started: one sentence that says what to install or to run."""


class Azurite:
    """Blob and queue storage on free ports of 127.0.0.1, ready when the constructor returns.

    Without a `location` all data is in memory and gone at the end; with one it is kept there. `connection_string` fits
    every storage setting; `stop` may be called twice. Raises AzuriteError.
    """

    def __init__(self, location: Path | None = None, *, node_modules: Path = _PROJECT / "node_modules") -> None:
        if shutil.which("node") is None:
            raise AzuriteError("Azurite needs Node 20 or newer, as the command node: install it, then try again.")
        program = node_modules / ".bin" / "azurite"
        if not program.exists():
            raise AzuriteError(f"Azurite is not in {node_modules}: run npm ci in {node_modules.parent}.")
        self._scratch = tempfile.TemporaryDirectory(prefix="azurite-")
        log = Path(self._scratch.name) / "log"
        # Port 0: the system gives free ones and Azurite says which. The SDKs speak a newer API than it lists.
        command = [os.fspath(program), "--blobPort", "0", "--queuePort", "0", "--tablePort", "0"]
        command += ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        if location is None:
            command += ["--inMemoryPersistence", "--extentMemoryLimit", str(_MEMORY_LIMIT_MB)]
        else:
            location.mkdir(parents=True, exist_ok=True)
            command += ["--location", os.fspath(location.resolve())]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, cwd=self._scratch.name, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            urls = self._wait_for_urls(log)
        except BaseException:
            self.stop()
            raise
        self.connection_string = (
            f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};"
            f"BlobEndpoint={urls['Blob']}/{_ACCOUNT};QueueEndpoint={urls['Queue']}/{_ACCOUNT};"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id of Azurite."""
        return self._process.pid

    def stop(self) -> None:
        """End Azurite and wait until it has written what it keeps."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._scratch.cleanup()

    def _wait_for_urls(self, log: Path) -> dict[str, str]:
        deadline = time.monotonic() + _READY_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            urls = dict(_LISTENING.findall(log.read_text(errors="replace")))
            if len(urls) == 2:
                return urls
            time.sleep(0.02)
        raise AzuriteError(f"Azurite did not start: {log.read_text(errors='replace').strip()[-500:]}")
