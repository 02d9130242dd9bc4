"""The three programs that the demo needs: started in order, watched, and stopped in the opposite order."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local.azurite import Azurite, AzuriteError
from local.demo.errors import DemoError
from local.host.process import HostFailedError, HostProcess
from local.host.times import ASKED_OFTEN
from local.provision import provide

PROJECT = Path(__file__).resolve().parents[2]
READY_SECONDS = 30.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Place:
    """Where the demo writes. `keep`: what is in the container and on the list goes there too, else into memory."""

    folder: Path
    keep: bool = False

    @property
    def storage(self) -> Path | None:
        return self.folder / "storage" if self.keep else None

    @property
    def database(self) -> str:
        return str(self.folder / "campaign-monitor.sqlite") if self.keep else ":memory:"

    def log(self, program: str) -> Path:
        return self.folder / f"{program}.log"


@dataclass(frozen=True)
class Programs:
    """What runs: a connection string, addresses without a slash at the end, and process ids by name."""

    storage: str
    standin: str
    host: str
    pids: dict[str, int]

    def check(self) -> None:
        """Raises DemoError when one of them has ended by itself."""
        for name, pid in self.pids.items():
            # Without reaping it: whoever started it asks for its exit code later.
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                raise DemoError(f"{name} has ended by itself: see the end of its log, and run the demo again.")


@contextmanager
def running(place: Place, settings: dict[str, str], say: Callable[[str], None]) -> Iterator[Programs]:
    """`settings` are application settings, beside those that say where the storage and the stand-in are.

    Raises DemoError when one of the programs does not start.
    """
    with ExitStack() as stack:
        try:
            azurite = stack.enter_context(Azurite(place.storage))
            say(f"Azurite, for Azure Storage, at {_blob_endpoint(azurite.connection_string)} (process {azurite.pid})")
            standin, standin_url = stack.enter_context(running_standin(place))
            say(f"the stand-in for Campaign Monitor at {standin_url} (process {standin})")
            provide(azurite.connection_string, settings["EXPORT_QUEUE"])
            addresses = {
                "ExportStorage": azurite.connection_string,
                "AzureWebJobsStorage": azurite.connection_string,
                "CAMPAIGN_MONITOR_URL": f"{standin_url}/api/v3.3",
            }
            chosen = settings | addresses | ASKED_OFTEN
            host = stack.enter_context(HostProcess(PROJECT, settings=chosen, log=place.log("host")))
            say(f"the function app, in the local host, at {host.url} (process {host.pid})")
        except AzuriteError as error:
            raise DemoError(str(error)) from None
        except HostFailedError as error:
            raise DemoError(f"{error} Its last word: {_last_line(place.log('host'))}") from None
        pids = {
            "Azurite": azurite.pid,
            "The stand-in for Campaign Monitor": standin,
            "The local host": host.pid,
        }
        yield Programs(azurite.connection_string, standin_url, host.url, pids)


@contextmanager
def running_standin(place: Place) -> Iterator[tuple[int, str]]:
    """Its process id and its address."""
    command = [sys.executable, "-m", "local.standin", "--database", place.database]
    with place.log("campaign-monitor").open("wb") as errors:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=errors)
    assert process.stdout is not None
    with process.stdout as lines:
        try:
            address = _address(process, lines)
            if address is None:
                last = _last_line(place.log("campaign-monitor"))
                raise DemoError(f"The stand-in for Campaign Monitor does not start. Its last word: {last}")
            yield process.pid, address
        finally:
            _stop(process)


def _address(process: subprocess.Popen[bytes], lines: IO[bytes]) -> str | None:
    """What its first line says; None when it ends, or is ended, without one."""
    alarm = threading.Timer(READY_SECONDS, process.kill)
    alarm.start()
    try:
        found = re.search(r"http://\S+", lines.readline().decode())
    finally:
        alarm.cancel()
    return found[0] if found else None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _blob_endpoint(connection_string: str) -> str:
    return dict(part.split("=", 1) for part in connection_string.split(";") if part)["BlobEndpoint"]


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").strip() or "none").splitlines()[-1]
