"""What the README promises: its commands work in a clean copy, or say what to install where something is missing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
MAKE = shutil.which("make")
# A command stands alone on its line, in a block of code; a comment may follow.
COMMANDS = re.findall(r"^(?: {4})?(make [a-z]+)\b", (PROJECT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
# What make builds once, and what from.
ENVIRONMENTS = {
    ".venv/ready": ("requirements.txt", "requirements-dev.txt"),
    "node_modules/.ready": ("package.json", "package-lock.json"),
}

pytestmark = pytest.mark.skipif(MAKE is None, reason="needs make")


@pytest.fixture
def clean_copy(tmp_path: Path) -> Path:
    """The tracked files, with their times, and nothing else."""
    copy = tmp_path / "copy"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, copy / name)
    return copy


def make(copy: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """As typed at a terminal: not as a part of the make that may have started the tests."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        [MAKE, *arguments],
        check=False,
        cwd=copy,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


def link_environments(copy: Path) -> None:
    """Those of the project where they are up to date, to save minutes; make builds the others."""
    for ready, sources in ENVIRONMENTS.items():
        built = PROJECT / ready
        if built.exists() and all(built.stat().st_mtime >= (PROJECT / name).stat().st_mtime for name in sources):
            (copy / ready).parent.symlink_to(built.parent)


def numbers(line: str) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"[\d,]+", line)]


def test_the_two_commands_are_in_it():
    assert COMMANDS[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_a_target(clean_copy: Path, command: str):
    answer = make(clean_copy, "--dry-run", *command.split()[1:])
    assert answer.returncode == 0, answer.stderr
    assert "-m " in answer.stdout


@pytest.mark.slow
def test_make_demo_takes_the_sample_to_the_list(clean_copy: Path):
    link_environments(clean_copy)
    answer = make(clean_copy, "demo")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "The list, subscriber by subscriber and field by field, equals" in answer.stdout
    equations = [numbers(line) for line in answer.stdout.splitlines() if line.endswith("balances")]
    assert [equation[0] for equation in equations] == [3_000, equations[0][-1]]
    assert all(equation[0] == sum(equation[1:]) for equation in equations)
    assert (clean_copy / ".demo/rejects.csv").exists()
    assert "\x1b" not in answer.stdout  # there is no terminal to control


def programs(folder: Path, **scripts: str) -> str:
    """A PATH with these programs and no other."""
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    return str(folder)


OTHER_PYTHON = f"""#!{sys.executable}
import sys
sys.version_info = (3, 12, 9, "final", 0)
exec(sys.argv[2])
"""


@pytest.mark.parametrize("scripts", [{}, {"python3": OTHER_PYTHON}], ids=["no python3", "python3 is 3.12"])
def test_without_python_3_13_one_sentence_says_what_to_install(clean_copy: Path, tmp_path: Path, scripts):
    answer = make(clean_copy, "demo", PATH=programs(tmp_path / "bin", **scripts))
    assert answer.returncode != 0
    assert answer.stderr.splitlines()[0] == (
        "Python 3.13 is needed, as the command python3: install it, then try again."
    )
    assert answer.stdout == ""


def test_without_npm_one_sentence_says_what_to_install(clean_copy: Path, tmp_path: Path):
    (clean_copy / ".venv").mkdir()
    (clean_copy / ".venv/ready").touch()
    answer = make(clean_copy, "demo", PATH=programs(tmp_path / "bin"))
    assert answer.returncode != 0
    assert answer.stderr.splitlines()[0] == (
        "Node 20 or newer with npm is needed, for the storage emulator: install it, then try again."
    )
    assert answer.stdout == ""
