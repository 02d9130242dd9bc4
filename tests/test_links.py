"""Every page that a document leads to is there."""

import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")


def pages() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=PROJECT, check=True, capture_output=True, text=True)
    return [PROJECT / name for name in listed.stdout.splitlines()]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(PROJECT)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_pages_of_the_docs_are_found_from_the_readme() -> None:
    linked = set(LINK.findall((PROJECT / "README.md").read_text(encoding="utf-8")))

    assert {f"docs/{page.name}" for page in pages() if page.parent.name == "docs"} <= linked
