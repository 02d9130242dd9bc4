"""infra/smoke.sh over HTTPS, and the scripts that remove a deployment and register it for sign-in."""

import json
from pathlib import Path

import pytest
from infra_cli import Az, deployed, https

RUNS = "/api/exports/high-value/runs"


class App:
    """Answers as the app does: first what ``health`` and ``runs`` say, in turn, the last again and again."""

    def __init__(self) -> None:
        self.health = [(200, {"ok": True})]
        self.start = (202, {"id": "run-1", "status": "queued"})
        self.runs = [{"id": "run-1", "status": "planning"}, {"id": "run-1", "status": "succeeded"}]
        self.seen: list[tuple[str, str, bytes]] = []
        self.keys: set[str] = set()

    def __call__(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        self.seen.append((method, path, body))
        self.keys.add(headers.get("x-functions-key", ""))
        if path == "/api/health":
            status, said = self.health.pop(0) if len(self.health) > 1 else self.health[0]
        elif method == "POST":
            status, said = self.start
        else:
            status, said = 200, self.runs.pop(0) if len(self.runs) > 1 else self.runs[0]
        return status, json.dumps(said, separators=(",", ":")).encode()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def az(tmp_path: Path) -> Az:
    return Az(tmp_path)


@pytest.fixture
def smoke(az: Az, app: App, tmp_path: Path):
    with https(app, tmp_path) as (host, authority):
        deployed(az, host)
        yield lambda *arguments: az.run("smoke.sh", "--group", "contoso", *arguments, CURL_CA_BUNDLE=authority)


def test_a_deployment_that_works(smoke, app: App, az: Az):
    answer = smoke("--export", "high-value")
    assert answer.returncode == 0, answer.stderr
    assert app.seen == [
        ("GET", "/api/health", b""),
        ("POST", RUNS, b'{"dry_run": true}'),
        ("GET", f"{RUNS}/run-1", b""),
        ("GET", f"{RUNS}/run-1", b""),
    ]
    assert app.keys == {"the-function-key"}


def test_no_key_is_an_argument_or_is_shown(smoke, az: Az):
    answer = smoke("--export", "high-value")
    for key in ("the-function-key", "the-key-of-the-account"):
        assert key not in answer.stdout + answer.stderr
        assert not any(key in call for call in az.calls)
    tried = dict(zip(az.calls, az.keys, strict=True))
    assert [key for call, key in tried.items() if call.startswith("storage container list")] == [
        "the-key-of-the-account"
    ]


def test_an_app_that_starts_slowly_is_waited_for(smoke, app: App):
    app.health = [(503, {"code": "x"}), (200, {"ok": False}), (200, {"ok": True})]
    assert smoke().returncode == 0
    assert len(app.seen) == 3


@pytest.mark.parametrize("health", [(500, {"code": "setting_missing"}), (200, {"ok": False, "code": "vault_unknown"})])
def test_an_app_that_is_not_well_is_shown(smoke, app: App, health):
    app.health = [health]
    answer = smoke("--export", "high-value")
    assert answer.returncode == 1
    assert health[1]["code"] in answer.stderr
    assert "the app is not well" in answer.stderr
    assert not any(method == "POST" for method, _, _ in app.seen)


def test_an_account_that_takes_keys_is_told(smoke, az: Az):
    az.on("storage container list", "export-state\n")
    answer = smoke()
    assert answer.returncode == 1
    assert "the account segmentsstore takes keys." in answer.stderr


def test_an_account_that_may_take_keys_is_told(smoke, az: Az):
    az.on("storage account show", "true\n")
    assert "the account segmentsstore takes keys." in smoke().stderr
    assert not any(call.startswith("storage account keys") for call in az.calls)


def test_a_missing_function_is_told(smoke, az: Az):
    az.on("functionapp function list", "segments-app/ExportHttp\nsegments-app/ExportWorker\n")
    answer = smoke()
    assert answer.returncode == 1
    assert "the app has no function ExportTimer." in answer.stderr


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ((404, {"code": "export_not_found"}), "the rehearsal did not start: HTTP 404"),
        ((409, {"code": "consent_missing"}), "the rehearsal did not start: HTTP 409"),
        ((200, {"id": "run-0", "status": "sending"}), "the export high-value has a run already."),
    ],
)
def test_a_rehearsal_that_does_not_start_is_told(smoke, app: App, start, told: str):
    app.start = start
    answer = smoke("--export", "high-value")
    assert answer.returncode == 1
    assert told in answer.stderr


def test_a_rehearsal_that_fails_is_shown(smoke, app: App):
    app.runs = [{"id": "run-1", "status": "failed", "error": {"code": "segment_not_found"}}]
    answer = smoke("--export", "high-value")
    assert answer.returncode == 1
    assert "segment_not_found" in answer.stderr
    assert "the rehearsal ended as failed" in answer.stderr


def test_nothing_is_deployed(az: Az):
    az.on("account show --query id", "subscription-1\n")
    answer = az.run("smoke.sh", "--group", "contoso")
    assert answer.returncode == 1
    assert "the resource group contoso holds no deployment of this app." in answer.stderr


DELETE = "group delete --name contoso --yes"


def test_a_deployment_is_removed_when_its_name_is_given(az: Az):
    deployed(az)
    az.on("resource list", "Microsoft.KeyVault/vaults\tsegments-vault\n")
    answer = az.run("destroy.sh", "--group", "contoso", stdin="contoso\n")
    assert answer.returncode == 0, answer.stderr
    assert "segments-vault" in answer.stdout
    assert az.calls[-1] == DELETE


@pytest.mark.parametrize("stdin", ["", "\n", "y\n", "contoso2\n"])
def test_without_the_name_nothing_is_removed(az: Az, stdin: str):
    deployed(az)
    answer = az.run("destroy.sh", "--group", "contoso", stdin=stdin)
    assert answer.returncode == 1
    assert "Nothing was deleted." in answer.stderr
    assert DELETE not in az.calls


def test_a_group_that_cannot_be_read_is_not_removed(az: Az):
    deployed(az)
    az.on("resource list", complains="ERROR: ResourceGroupNotFound\n", exits=3)
    answer = az.run("destroy.sh", "--group", "contoso", stdin="contoso\n")
    assert answer.returncode == 1
    assert "cannot be read" in answer.stderr
    assert DELETE not in az.calls


def test_the_registration_is_made_once(az: Az):
    deployed(az, "segments-app.azurewebsites.net")
    az.on("ad app create", "client-1\n")
    first = az.run("sign-in.sh", "--group", "contoso")
    assert first.returncode == 0, first.stderr
    assert "SIGN_IN_CLIENT_ID=client-1 infra/deploy.sh --group contoso" in first.stdout
    created = next(call for call in az.calls if call.startswith("ad app federated-credential create"))
    trusted = json.loads(created.split("--parameters ")[1].removesuffix(" --output none"))
    assert trusted == {
        "name": "app",
        "issuer": "https://login.microsoftonline.com/tenant-1/v2.0",
        "subject": "principal-1",
        "audiences": ["api://AzureADTokenExchange"],
    }
    update = next(call for call in az.calls if call.startswith("ad app update"))
    assert "--web-redirect-uris https://segments-app.azurewebsites.net/.auth/login/aad/callback" in update
    assert not any("password" in call or "credential reset" in call for call in az.calls)

    before = len(az.calls)
    az.on("ad app list", "client-1\n")
    az.on("ad app federated-credential list", "app\n")
    az.on("ad sp list", "principal-2\n")
    assert az.run("sign-in.sh", "--group", "contoso").returncode == 0
    assert not any(" create" in call for call in az.calls[before:])
