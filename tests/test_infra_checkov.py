"""checkov finds nothing insecure in the templates. It lives in an environment of its own: its pins are not ours."""

import os
import re
import subprocess

import pytest
from infra_templates import INFRA

CHECKOV = INFRA.parent / ".venv-checkov/bin/checkov"
CONFIGURATION = INFRA / ".checkov.yaml"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHECKOV.exists() and "CI" not in os.environ, reason="needs checkov: make .venv-checkov/ready"
    ),
]


def checkov(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(CHECKOV), "--config-file", str(CONFIGURATION), *arguments]
    return subprocess.run(command, cwd=INFRA.parent, check=False, capture_output=True, text=True, timeout=300)


def test_nothing_is_insecure_and_everything_is_read():
    answer = checkov("--output", "json")
    assert answer.returncode == 0, answer.stdout
    bicep = re.search(r'"passed": (\d+),\s*"failed": 0,\s*"skipped": \d+,\s*"parsing_errors": 0', answer.stdout)
    assert bicep, answer.stdout[-500:]
    assert int(bicep[1]) > 25


def test_every_check_that_is_passed_over_has_its_reason():
    skipped = CONFIGURATION.read_text(encoding="utf-8").partition("skip-check:\n")[2].splitlines()
    assert skipped
    for line in skipped:
        assert re.fullmatch(r"  - CKV_AZURE_\d+ # .{20,}", line), line
