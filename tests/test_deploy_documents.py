"""The pages for operators against the code: every error has its entry, every command and file is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
DOCS = PROJECT / "docs"
PAGES = ("deploy.md", "operations.md", "security.md")
TREES = [ast.parse(file.read_text(encoding="utf-8")) for file in sorted((PROJECT / "shared").rglob("*.py"))]
CODE = re.compile(r"[a-z]+(_[a-z]+)*")


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@cache
def errors() -> frozenset[str]:
    """ExportError and all that come of it, wherever they are."""
    classes = [node for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    family = {"ExportError"}
    while more := {one.name for one in classes if any(_name(base) in family for base in one.bases)} - family:
        family |= more
    return frozenset(family)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _codes(node: ast.expr) -> list[str]:
    """Those that an argument can be; a {…} in one is any word."""
    if isinstance(node, ast.IfExp):
        return _codes(node.body) + _codes(node.orelse)
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "[a-z]+" for part in node.values]
        return ["".join(map(str, parts))]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


@cache
def codes() -> frozenset[str]:
    """The first argument where an error is made: by its class, or by a name that stands for one of several classes,
    which shows by the sentence behind the code."""
    found: set[str] = set()
    for tree in TREES:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            is_error = _name(node.func) in errors() or (_name(node.func) == "__init__" and len(node.args) > 2)
            is_like_one = len(node.args) > 2 and any(" " in said for said in _codes(node.args[1]))
            found |= {code for code in _codes(node.args[0]) if is_error or (is_like_one and CODE.fullmatch(code))}
    return frozenset(code for code in found if re.fullmatch(r"[a-z_\[\]+-]+", code))


@cache
def entries() -> frozenset[str]:
    """The codes that begin the rows of the tables of errors."""
    tables = text("operations.md").partition("\n## Errors\n")[2]
    rows = re.findall(r"^\| (`[^|]+`) \|", tables, re.MULTILINE)
    return frozenset(code for row in rows for code in re.findall(r"`(\w+)`", row))


def test_the_codes_are_found():
    assert {"key_rejected", "columns_missing", "columns_ambiguous", "internal", "held", "changed"} <= codes()
    assert "campaign_monitor_unavailable" in codes()
    assert "[a-z]+_not_found" in codes()


@pytest.mark.parametrize("code", sorted(codes()))
def test_every_error_has_its_entry(code: str):
    found = [entry for entry in entries() if re.fullmatch(code, entry)]
    assert found, f"say in docs/operations.md, under Errors, what to do about {code}"


def test_no_entry_is_of_an_error_that_is_gone():
    gone = [entry for entry in entries() if not any(re.fullmatch(code, entry) for code in codes())]
    assert gone == []


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page: str):
    for name in re.findall(r"`?(infra/[\w./-]+\.(?:sh|bicep|bicepparam|kql)|tests/\w+\.py)", text(page)):
        assert (PROJECT / name).exists(), name
    for target, anchor in re.findall(r"\]\((\w+\.md)(?:#([\w-]+))?\)", text(page)):
        headings = re.findall(r"^#+ (.+)$", text(target), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES)
def test_options_of_our_scripts_are_theirs(page: str):
    for script, arguments in re.findall(r"(infra/\w[\w-]*\.sh)((?: +--?[\w-]+(?: [^-\s#`]\S*)?)+)", text(page)):
        usage = (PROJECT / script).read_text(encoding="utf-8")
        for option in re.findall(r"--[\w-]+", arguments):
            assert option in usage, f"{script} {option}"


def test_the_bill_adds_up():
    page = text("deploy.md")
    rows = re.findall(r"^\| [^|*]+ \| [^|]+ \| [^|]+ \| ([\d.]+)(?: \([^|]*\))? \|$", page, re.MULTILINE)
    (total,) = re.findall(r"\*\*Together\*\* \| \| \| \*\*([\d.]+)\*\*", page)
    assert len(rows) == 9
    assert round(sum(map(float, rows)), 2) == float(total)
