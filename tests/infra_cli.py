"""The scripts in infra/ with a stand-in for az on the PATH, which notes each call and answers as it is told."""

import http.server
import json
import os
import pty
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import trustme

PROVIDERS = (
    "Microsoft.App",
    "Microsoft.Web",
    "Microsoft.Storage",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "microsoft.insights",  # as Azure spells it
    "Microsoft.OperationalInsights",
    "Microsoft.AlertsManagement",
    "Microsoft.Network",
)
PROJECT = Path(__file__).resolve().parents[1]

_AZ = f"""#!{sys.executable} -IS
import json, os, pathlib, sys
place = pathlib.Path(os.environ["AZ_STANDIN"])
call = sys.argv[1:]
with (place / "calls").open("a") as calls:
    calls.write(json.dumps({{"call": call, "key": os.environ.get("AZURE_STORAGE_KEY")}}) + chr(10))
answers = json.loads((place / "answers").read_text())
for answer in answers:
    if " ".join(call).startswith(answer["to"]) and answer["times"] != 0:
        answer["times"] -= 1
        (place / "answers").write_text(json.dumps(answers))
        print(answer["says"], end="")
        print(answer["complains"], end="", file=sys.stderr)
        sys.exit(answer["exits"])
"""


class Az:
    """Answers of later calls of ``on`` go before earlier ones; a call that nothing is said of succeeds in silence."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._answers: list[dict[str, Any]] = []
        (place / "bin").mkdir()
        (place / "bin/az").write_text(_AZ, encoding="utf-8")
        (place / "bin/az").chmod(0o755)
        (place / "calls").touch()
        self._write()

    def on(self, to: str, says: str = "", *, complains: str = "", exits: int = 0, times: int = -1) -> None:
        """``to`` begins the call, words parted by a space; ``times`` -1 for always."""
        self._answers.insert(0, {"to": to, "says": says, "complains": complains, "exits": exits, "times": times})
        self._write()

    @property
    def calls(self) -> list[str]:
        lines = (self._place / "calls").read_text(encoding="utf-8").splitlines()
        return [" ".join(json.loads(line)["call"]) for line in lines]

    @property
    def keys(self) -> list[str | None]:
        """AZURE_STORAGE_KEY as each call found it."""
        lines = (self._place / "calls").read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["key"] for line in lines]

    def run(
        self, script: str, *arguments: str, stdin: str = "", terminal: bool = False, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """With ``terminal``, ``stdin`` is typed at one."""
        values = {
            "PATH": f"{self._place / 'bin'}:{os.environ['PATH']}",
            "AZ_STANDIN": str(self._place),
            "PAUSE_SECONDS": "0",
            "ALERT_EMAIL": "operators@contoso.example",
        }
        options: dict[str, Any] = {"input": stdin}
        with ExitStack() as stack:
            if terminal:
                keyboard, line = pty.openpty()
                stack.callback(os.close, keyboard)
                stack.callback(os.close, line)
                os.write(keyboard, stdin.encode())
                options = {"stdin": line}
            return subprocess.run(
                [str(PROJECT / "infra" / script), *arguments],
                env=os.environ | values | environment,
                check=False,
                capture_output=True,
                text=True,
                timeout=120,
                **options,
            )

    def _write(self) -> None:
        (self._place / "answers").write_text(json.dumps(self._answers), encoding="utf-8")


def deployed(az: Az, host: str = "127.0.0.1:9") -> None:
    """A subscription in which everything is deployed and nothing is different."""
    az.on("account show --query id", "subscription-1\n")
    az.on("account show --query tenantId", "tenant-1\n")
    az.on("group exists", "true\n")
    az.on("provider list", "".join(f"{name}\n" for name in PROVIDERS))
    az.on("deployment group what-if", "NoChange\t/subscriptions/subscription-1/a\n")
    show = "deployment group show --resource-group contoso --name segments --query properties.outputs."
    az.on(f"{show}[appName.value] ", "segments-app\n")
    az.on(f"{show}[appName.value, appHost.value, storageName.value] ", f"segments-app\n{host}\nsegmentsstore\n")
    az.on(f"{show}[appName.value, appHost.value, identityPrincipalId.value] ", f"segments-app\n{host}\nprincipal-1\n")
    functions = "".join(f"segments-app/{name}\n" for name in ("ExportHttp", "ExportTimer", "ExportWorker", "Console"))
    az.on("functionapp function list", functions)
    az.on("storage account show", "false\n")
    az.on("storage account keys list", "the-key-of-the-account\n")
    az.on("storage container list", complains="ERROR: Key based authentication is not permitted\n", exits=1)
    az.on("functionapp keys list", "the-function-key\n")


Answer = Callable[[str, str, bytes, dict[str, str]], tuple[int, bytes]]
"""Method, path, body and headers of a call to status and body."""


@contextmanager
def https(answer: Answer, place: Path) -> Iterator[tuple[str, str]]:
    """A server with a certificate: its address as host:port, and the file with the authority that curl is to trust."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, said = answer(self.command, self.path, body, dict(self.headers.items()))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = _answer  # noqa: N815  # named by the standard library

        def log_message(self, *_: Any) -> None:
            pass

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(place / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", str(place / "authority.pem")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
