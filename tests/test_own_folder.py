"""The temporary folder of a step: nothing of it stays, whatever becomes of its process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.record.own_folder import own_folder

ROOT = Path(__file__).resolve().parents[1]
HOLDING = """
import time
from shared.record.own_folder import own_folder
with own_folder() as folder:
    (folder / "rows.csv").write_text("jane@contoso.example")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@contextmanager
def another_process() -> Iterator[tuple[int, Path]]:
    command = [sys.executable, "-c", HOLDING]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.pid, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_it_is_gone_with_the_block(temporary: Path) -> None:
    with own_folder() as folder:
        (folder / "rows.csv").write_text("jane@contoso.example")
    assert list(temporary.iterdir()) == []


def test_what_a_dead_process_left_is_taken_away_by_the_next_step(temporary: Path) -> None:
    with another_process() as (pid, left):
        assert (left / "rows.csv").exists()
        os.kill(pid, signal.SIGKILL)
    assert left.exists()
    with own_folder() as mine:
        assert list(temporary.iterdir()) == [mine]


def test_what_others_are_at_work_in_stays(temporary: Path) -> None:
    with another_process() as (_, theirs), own_folder() as mine, own_folder() as beside:
        assert {path for path in temporary.iterdir() if path.is_dir()} == {theirs, mine, beside}
        assert (theirs / "rows.csv").exists()
