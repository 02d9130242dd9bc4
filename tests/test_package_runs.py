"""The package that is deployed, in an empty folder, with what requirements.txt installs and nothing else."""

import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from infra_cli import PROJECT, Az, deployed, https

from local.azurite import Azurite
from local.demo import comparison
from local.demo.client import Client
from local.demo.scene import API_KEY, SECRET_SETTING, fill_container, fill_list, list_address
from local.provision import provide
from local.sample import Sample, account, afterwards, known_before
from local.standin import StandIn

FUNCTIONS = {"ExportHttp", "ExportTimer", "ExportWorker", "Console"}
# The local host serves HTTP with these; the app has no use for them.
OF_HOST = ("uvicorn", "h11", "click", "grpcio", "protobuf")


@dataclass(frozen=True)
class Package:
    """``root`` is the folder that it is unpacked into; ``path`` is what Python searches beside what is installed."""

    file: Path
    root: Path
    python: Path
    path: str


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    place = tmp_path_factory.mktemp("package")
    subprocess.run([PROJECT / "infra/package.sh", place / "app.zip"], check=True)
    root = place / "root"
    with zipfile.ZipFile(place / "app.zip") as file:
        file.extractall(root)
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    python = place / "venv/bin/python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-r", root / "requirements.txt"], check=True)
    # The host comes from here, without its neighbours.
    beside = place / "beside"
    versions = subprocess.run(
        [sys.executable, "-m", "pip", "freeze"], check=True, capture_output=True, text=True
    ).stdout
    wanted = [line for line in versions.splitlines() if line.split("==")[0] in OF_HOST]
    subprocess.run([*install, "--no-deps", "--target", beside, *wanted], check=True)
    (beside / "local").symlink_to(PROJECT / "local")
    return Package(place / "app.zip", root, python, str(beside))


@pytest.fixture
def own_azurite() -> Iterator[Azurite]:
    """Without the exports of other tests: the tick starts every export that is due."""
    with Azurite() as running:
        yield running


@contextmanager
def host(package: Package, settings: dict[str, str], log: Path) -> Iterator[str]:
    """The address of an instance that runs the package."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [package.python, "-m", "local.host", "--root", package.root],
            cwd=package.root.parent,  # the host forgets the folder that it is started in
            env=environment | {"PYTHONPATH": package.path} | settings,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout is not None
    alarm = threading.Timer(60, process.kill)
    alarm.start()
    with process.stdout as lines:
        try:
            first = lines.readline().decode().split()
            alarm.cancel()
            assert len(first) > 1, log.read_text()
            yield first[1]
        finally:
            alarm.cancel()
            process.terminate()
            process.wait(30)


def test_it_holds_what_runs_and_nothing_else():
    listed = subprocess.run([PROJECT / "infra/package.sh", "--list"], check=True, capture_output=True, text=True)
    files = [Path(line) for line in listed.stdout.splitlines()]
    tops = {file.parts[0] for file in files}
    assert tops >= FUNCTIONS | {"shared", "host.json", "requirements.txt"}
    functions = {file.parts[0] for file in files if file.name == "function.json"}
    assert tops - functions == {"shared", "host.json", "requirements.txt"}
    # function_app.py would make it an app of the other programming model.
    assert not {"tests", "local", "infra", "docs", "bench", "function_app.py", "local.settings.json"} & tops


@pytest.mark.slow
def test_the_zip_holds_what_is_committed(package: Package):
    with zipfile.ZipFile(package.file) as file:
        commit = file.comment.decode()
        held = {name for name in file.namelist() if not name.endswith("/")}
    tops = sorted({name.split("/")[0] for name in held})
    tracked = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", commit, "--", *tops],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert held == set(tracked.stdout.splitlines())


@pytest.mark.slow
def test_shared_comes_from_the_package_alone(package: Package):
    """Where the host runs, nothing but the root that it is given offers the app's code."""
    look = "import importlib.util, local; print(importlib.util.find_spec('shared'))"
    answer = subprocess.run(
        [package.python, "-c", look],
        cwd=package.root.parent,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": package.path},
        check=True,
        capture_output=True,
        text=True,
    )
    assert answer.stdout.strip() == "None"


@pytest.mark.slow
def test_it_runs_an_export_and_passes_the_look_after_a_deployment(
    package: Package, own_azurite: Azurite, campaign_monitor: StandIn, tmp_path: Path
):
    sample = Sample(profiles=300)
    settings = {
        "ExportStorage": own_azurite.connection_string,
        "AzureWebJobsStorage": own_azurite.connection_string,
        "SegmentStorage": "",
        "KEY_VAULT_URL": "",
        "SEGMENT_CONTAINER": sample.container,
        "EXPORT_SCHEDULE": "0 0 0 1 1 *",
        "EXPORT_QUEUE": "package-work",
        "CAMPAIGN_MONITOR_URL": f"{campaign_monitor.url}/api/v3.3",
        "QUIET_MINUTES": "0",
        "FUNCTION_KEY_ROLE": "admin",
        SECRET_SETTING: API_KEY,
    }
    provide(own_azurite.connection_string, settings["EXPORT_QUEUE"])
    fill_container(own_azurite.connection_string, sample)
    fill_list(campaign_monitor.url, known_before(sample))
    log = tmp_path / "host.log"
    with host(package, settings, log) as url:
        client = Client(url)
        client.set_up(max_profiles=1_000_000)
        address = client.start_run()
        *_, run = client.follow(address, lambda: None)
        found = comparison.subscribers_at(list_address(campaign_monitor.url))
        assert list(comparison.counts_that_differ(run["counts"], account(sample))) == []
        assert list(comparison.subscribers_that_differ(found, afterwards(sample))) == []

        requests.post(f"{url}/admin/functions/ExportTimer", json={}, timeout=60).raise_for_status()

        def forward(method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
            kept = {name: value for name, value in headers.items() if name.lower() == "content-type"}
            answer = requests.request(method, url + path, data=body, headers=kept, timeout=60)
            return answer.status_code, answer.content

        with https(forward, tmp_path) as (address, authority):
            az = Az(tmp_path)
            deployed(az, address)
            smoke = az.run(
                "smoke.sh", "--group", "contoso", "--export", "high-value", PAUSE_SECONDS="1", CURL_CA_BUNDLE=authority
            )
    assert smoke.returncode == 0, smoke.stderr
    assert "It succeeds. Nothing was sent." in smoke.stdout
    said = log.read_text()
    assert '"event":"tick"' in said
    assert said.count('"event":"run_ended"') == 2
