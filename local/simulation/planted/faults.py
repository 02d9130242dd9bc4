"""What a planted fault is: a few lines of the engine replaced, and applied to a copy of the tree."""

import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class Misplaced(Exception):
    """The text that a patch replaces is not there, or there twice: the engine has changed."""


@dataclass(frozen=True)
class Patch:
    """``file`` below the root; ``old`` stands there once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Fault:
    """``what`` a reviewer could have overlooked."""

    name: str
    what: str
    patches: tuple[Patch, ...]


def fault(name: str, what: str, *hunks: tuple[str, str, str]) -> Fault:
    return Fault(name, what, tuple(Patch(*hunk) for hunk in hunks))


def patched(one: Fault, root: Path = ROOT) -> dict[str, str]:
    """The files below ``root`` as they are with the fault. Raises Misplaced."""
    texts: dict[str, str] = {}
    for patch in one.patches:
        file = root / patch.file
        text = texts.get(patch.file) or (file.read_text() if file.exists() else "")
        if text.count(patch.old) != 1:
            raise Misplaced(f"{one.name}: {patch.file} has {text.count(patch.old)} times:\n{patch.old}")
        texts[patch.file] = text.replace(patch.old, patch.new)
    return texts


def plant(one: Fault, tree: Path) -> None:
    """Copies the engine and the simulation to ``tree``, with the fault. Raises Misplaced."""
    texts = patched(one)
    for folder in ("shared", "local"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in texts.items():
        (tree / name).write_text(text)
