"""infra/deploy.sh: its az calls in their order, and what it says and leaves when one of them fails."""

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from infra_cli import PROJECT, PROVIDERS, Az, deployed

GROUP = ("--group", "contoso")


@pytest.fixture
def az(tmp_path: Path) -> Az:
    az = Az(tmp_path)
    deployed(az)
    return az


@pytest.fixture
def well(tmp_path: Path) -> None:
    """A curl that finds the app well: what it says to the app is test_deploy_smoke.py's."""
    curl = tmp_path / "bin/curl"
    curl.write_text(
        '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = --output ] && printf \'{"ok": true}\' >"$2"; shift; done\n'
        "printf 200\n",
        encoding="utf-8",
    )
    curl.chmod(0o755)


def verbs(calls: list[str]) -> list[str]:
    """The calls without their options."""
    return [re.split(r" --", call)[0] for call in calls]


def test_the_calls_in_their_order(az: Az, well):
    az.on("deployment group what-if", "Create\t/subscriptions/subscription-1/b\n")
    az.on("provider list", "".join(f"{name}\n" for name in PROVIDERS if name != "Microsoft.App"))
    answer = az.run("deploy.sh", *GROUP, "--yes")
    assert answer.returncode == 0, answer.stderr
    calls = verbs(az.calls)
    assert calls[:5] == ["account show", "group exists", "keyvault list-deleted", "provider list", "provider register"]
    assert calls[5:] == [
        "deployment group what-if",
        "deployment group create",
        "deployment group show",
        "functionapp deployment source config-zip",
        "functionapp function list",
        "account show",
        "deployment group show",
        "functionapp function list",
        "storage account show",
        "storage account keys list",
        "storage container list",
        "functionapp keys list",
    ]
    assert "Create\t/subscriptions/subscription-1/b" in answer.stdout


def test_what_is_deployed_is_what_was_previewed(az: Az, well):
    az.run("deploy.sh", *GROUP, "--parameters", "mine.bicepparam", "--yes", ALERT_EMAIL="")
    preview, create = (
        call for call in az.calls if call.startswith(("deployment group what-if", "deployment group create"))
    )
    shared = "--resource-group contoso --name segments --parameters mine.bicepparam"
    assert shared in preview
    assert shared in create
    zipped = next(call for call in az.calls if "config-zip" in call)
    assert "--resource-group contoso --name segments-app --src" in zipped


def test_a_second_deployment_asks_nothing_and_changes_no_resource(az: Az, well):
    answer = az.run("deploy.sh", *GROUP)
    assert answer.returncode == 0, answer.stderr
    assert "Nothing is different." in answer.stdout
    assert "group create" not in verbs(az.calls)
    assert "provider register" not in verbs(az.calls)


def test_a_dry_run_prints_every_call_and_makes_none(az: Az):
    answer = az.run("deploy.sh", *GROUP, "--location", "northeurope", "--export", "high-value", "--dry-run")
    assert answer.returncode == 0, answer.stderr
    assert az.calls == []
    printed = [line for line in (answer.stdout + answer.stderr).splitlines() if line.startswith("+ ")]
    for call in (
        "az deployment group what-if",
        "az deployment group create",
        "config-zip",
        "az functionapp keys list",
        "curl --request POST",
    ):
        assert any(call in line for line in printed), call


@pytest.mark.parametrize("script", ["deploy.sh", "smoke.sh", "destroy.sh", "package.sh", "sign-in.sh"])
def test_help_needs_nothing(az: Az, script: str):
    answer = az.run(script, "--help")
    assert answer.returncode == 0
    assert answer.stdout.startswith(f"usage: infra/{script}")
    assert az.calls == []


@pytest.mark.parametrize("arguments", [(), ("--group",), ("--grupe", "contoso")])
def test_a_wrong_command_line_gets_the_usage(az: Az, arguments: tuple[str, ...]):
    answer = az.run("deploy.sh", *arguments)
    assert answer.returncode == 2
    assert "usage: infra/deploy.sh" in answer.stderr
    assert az.calls == []


CREATE = "deployment group create"
ZIP = "functionapp deployment source config-zip"
# What fails, what is said of it, and the last call that may change something.
FAILURES = {
    "not signed in": (
        ("account show --query id", "", "ERROR: Please run 'az login' to setup account.\n"),
        ("you are not signed in to Azure.", "Sign in: az login"),
        None,
    ),
    "the preview fails": (
        ("deployment group what-if", "", "ERROR: InvalidTemplate\n"),
        ("ERROR: InvalidTemplate", "stopped at: preview."),
        None,
    ),
    "the templates are not taken": (
        (CREATE, "", "ERROR: QuotaExceeded\n"),
        ("ERROR: QuotaExceeded", "What it made before it stopped is there and stays; the code is as before."),
        CREATE,
    ),
    "the package is not taken": (
        (ZIP, "", "ERROR: Bad Request\n"),
        ("ERROR: Bad Request", "The templates are; the app runs the code that it ran before, if any."),
        ZIP,
    ),
    "another deployment does not end": (
        (ZIP, "", "ERROR: Status Code: 409, Details: Conflict\n"),
        ("409", "The templates are; the app runs the code that it ran before, if any."),
        ZIP,
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_is_told_with_what_is_done_and_what_is_not(az: Az, case: str):
    (to, says, complains), told, last = FAILURES[case]
    az.on(to, says, complains=complains, exits=1)
    answer = az.run("deploy.sh", *GROUP, "--yes")
    assert answer.returncode == 1
    for sentence in told:
        assert sentence in answer.stderr
    assert re.search(r"stopped at: .+\.\n  Done before: .+\n  Every step may be done again", answer.stderr)
    changing = [call for call in verbs(az.calls) if call in (CREATE, ZIP, "group create", "provider register")]
    assert (changing[-1] if changing else None) == last


def test_another_subscription_is_refused(az: Az):
    answer = az.run("deploy.sh", *GROUP, "--subscription", "subscription-2", "--yes")
    assert answer.returncode == 1
    assert "az works in the subscription subscription-1, not in subscription-2." in answer.stderr
    assert verbs(az.calls) == ["account show"]


def test_a_preview_that_deletes_stops_before_anything_changes(az: Az, well):
    az.on("deployment group what-if", "Modify\t/a\nDelete\t/subscriptions/subscription-1/storage\n")
    answer = az.run("deploy.sh", *GROUP, "--yes")
    assert answer.returncode == 1
    assert "Delete\t/subscriptions/subscription-1/storage" in answer.stdout
    assert "something is deleted. No resource was changed." in answer.stderr
    assert CREATE not in verbs(az.calls)
    assert az.run("deploy.sh", *GROUP, "--yes", "--allow-delete").returncode == 0


def test_without_yes_and_without_a_terminal_nothing_changes(az: Az):
    az.on("deployment group what-if", "Create\t/a\n")
    answer = az.run("deploy.sh", *GROUP)
    assert answer.returncode == 1
    assert "there is nobody to ask whether to go on. No resource was changed." in answer.stderr
    assert CREATE not in verbs(az.calls)


@pytest.mark.parametrize(("typed", "goes_on"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_at_a_terminal_it_asks(az: Az, well, typed: str, goes_on: bool):
    az.on("deployment group what-if", "Create\t/a\n")
    answer = az.run("deploy.sh", *GROUP, stdin=typed, terminal=True)
    assert "Change this? [y/N]" in answer.stdout
    assert (answer.returncode == 0) is goes_on
    assert (CREATE in verbs(az.calls)) is goes_on
    assert ("you said no. No resource was changed." in answer.stderr) is not goes_on


def test_a_subscription_that_may_not_be_looked_over_is_no_hindrance(az: Az, well):
    az.on("keyvault list-deleted", complains="ERROR: AuthorizationFailed\n", exits=1)
    assert az.run("deploy.sh", *GROUP).returncode == 0


def test_a_group_that_is_not_there_is_made_where_it_is_wanted(az: Az, well):
    az.on("group exists", "false\n")
    answer = az.run("deploy.sh", *GROUP, "--yes")
    assert answer.returncode == 1
    assert "the resource group contoso does not exist." in answer.stderr
    assert az.run("deploy.sh", *GROUP, "--location", "northeurope", "--yes").returncode == 0
    assert "group create --name contoso --location northeurope --output none" in az.calls


def test_a_vault_that_was_deleted_is_named_with_how_to_take_it_back(az: Az):
    az.on("keyvault list-deleted", "segments-vault\n")
    answer = az.run("deploy.sh", *GROUP, "--yes")
    assert answer.returncode == 1
    assert "az keyvault recover --name segments-vault --resource-group contoso" in answer.stderr
    assert CREATE not in verbs(az.calls)


def test_a_deployment_that_is_running_is_waited_for(az: Az, well):
    az.on(ZIP, complains="ERROR: Status Code: 409, Details: Conflict\n", exits=1, times=2)
    answer = az.run("deploy.sh", *GROUP, "--yes")
    assert answer.returncode == 0, answer.stderr
    assert verbs(az.calls).count(ZIP) == 3
    assert answer.stdout.count("Not yet: ") == 2


def test_an_app_that_az_calls_unhealthy_is_looked_at(az: Az, well):
    az.on(ZIP, complains="Deployment was successful but the app appears to be unhealthy, please check\n", exits=1)
    answer = az.run("deploy.sh", *GROUP, "--yes")
    assert answer.returncode == 0, answer.stderr
    assert "The package is there: looking at it." in answer.stdout
    assert verbs(az.calls).count(ZIP) == 1


def test_an_app_without_functions_is_told(az: Az):
    az.on("functionapp function list", "")
    answer = az.run("deploy.sh", *GROUP, "--yes")
    assert answer.returncode == 1
    assert "the app shows no functions after ten minutes." in answer.stderr
    assert "deploy the package; " in answer.stderr


def test_who_is_told_of_alerts_must_be_said(az: Az):
    answer = az.run("deploy.sh", *GROUP, ALERT_EMAIL="")
    assert answer.returncode == 1
    assert "ALERT_EMAIL is not set." in answer.stderr
    assert az.calls == []


def test_the_package_that_is_sent_is_that_of_the_commit(az: Az, well, tmp_path: Path):
    """The stand-in keeps it: the script removes its own."""
    copy = tmp_path / "sent.zip"
    script = (tmp_path / "bin/az").read_text(encoding="utf-8")
    keep = f"import shutil\nif '--src' in sys.argv: shutil.copy(sys.argv[sys.argv.index('--src') + 1], {str(copy)!r})\n"
    (tmp_path / "bin/az").write_text(script + keep, encoding="utf-8")
    assert az.run("deploy.sh", *GROUP, "--yes").returncode == 0
    assert "host.json" in zipfile.ZipFile(copy).namelist()
    sent = next(call for call in az.calls if call.startswith(ZIP)).split("--src ")[1].split()[0]
    assert not Path(sent).exists()


@pytest.mark.skipif(
    shutil.which("shellcheck") is None and "CI" not in os.environ, reason="needs shellcheck: apt-get install shellcheck"
)
def test_shellcheck_has_nothing_to_say():
    scripts = sorted(str(script.relative_to(PROJECT)) for script in (PROJECT / "infra").glob("*.sh"))
    answer = subprocess.run(["shellcheck", "-x", *scripts], cwd=PROJECT, check=False, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout
