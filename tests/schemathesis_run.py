"""One run of schemathesis over a description, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def run_schemathesis(
    schema: str, examples: int, *options: str, phases: str = "examples,coverage,fuzzing"
) -> subprocess.CompletedProcess[str]:
    """``examples`` of each operation, beside those that cover each parameter; always the same."""
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(HERE / "schemathesis.toml")]
    command += ["run", schema, "--max-examples", str(examples), "--seed", "1", "--phases", phases]
    command += ["--generation-database", "none", "--no-color", "--header", "x-role: admin", *options]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent}",
    }
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
