"""What processes take, read from /proc (Linux): processor time, memory at its highest, and their temporary files."""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_BLOCK = 512  # st_blocks counts these, whatever the file system's own
_LOOK_EVERY = 0.02  # seconds
_MIB = 1024 * 1024


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes, all threads, and of their children that have ended."""
    return sum(sum(map(int, _stat(pid)[11:15])) for pid in pids) / _TICKS


def machine_seconds() -> float:
    """Processor time of everything on this machine, all cores, since it was started; idle time left out."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS


def peak_mib(pid: int) -> float:
    """The most memory that the process has held at once (resident, VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"/proc/{pid}/status has no VmHWM")


class Watch:
    """The most that was in a folder at any moment, in MiB, looked at 50 times a second."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.most = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        over = threading.Event()

        def look() -> None:
            while not over.wait(_LOOK_EVERY):
                self.most = max(self.most, _size(self._folder) / _MIB)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _size(folder: Path) -> int:
    """Bytes on disk; a file that is gone meanwhile does not count."""
    total = 0
    for place, _, names in folder.walk():
        for name in names:
            with suppress(FileNotFoundError):
                total += (place / name).stat().st_blocks * _BLOCK
    return total


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat behind the name, which may hold blanks: utime is the 12th of them."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
