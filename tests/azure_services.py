"""What Azure has and Azurite has not: the endpoint of managed identities, a Key Vault over HTTPS, an account that asks
for a role, and a proxy that leads the names of Azure's hosts to this machine. With them the SDKs run as in Azure, with
all their checks."""

import json
import select
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trustme

CLIENT_ID = "3f1c4a52-7d0e-4f59-8a55-0a1b2c3d4e5f"
IDENTITY_HEADER = "header-of-the-identity-endpoint"
TOKEN = "token-of-the-managed-identity"

# As the service words them; a secret that was deleted and can be recovered is answered like one that never was.
NOT_FOUND = (404, {"code": "SecretNotFound", "message": "A secret with (name/id) was not found in this key vault."})
DISABLED = (403, {"code": "Forbidden", "message": "Operation get is not allowed on a disabled secret.",
                  "innererror": {"code": "SecretDisabled"}})  # fmt: skip
NO_ROLE = (403, {"code": "Forbidden", "message": "Caller is not authorized to perform action on resource.",
                 "innererror": {"code": "ForbiddenByRbac"}})  # fmt: skip
FIREWALL = (403, {"code": "Forbidden", "message": "Client address is not authorized.",
                  "innererror": {"code": "ForbiddenByFirewall"}})  # fmt: skip
BUSY = (429, {"code": "Throttled", "message": "Request was not processed because too many requests were received."})

Refusal = tuple[int, dict[str, Any]]


@dataclass
class AzureServices:
    """``secrets`` are what the vault holds: values, or the refusals above. ``next`` are refusals that come first, in
    their order. ``asked`` are the names of the secrets that were asked for with a token. The storage account holds a
    blob ``hello`` in each container, for an identity with a role."""

    # A name of its own: the SDK remembers for the whole process what a host has challenged it with.
    host: str = field(default_factory=lambda: f"contoso-{uuid.uuid4().hex[:8]}.vault.azure.net")
    resource: str = "https://vault.azure.net"
    storage_host: str = field(default_factory=lambda: f"contoso{uuid.uuid4().hex[:8]}.blob.core.windows.net")
    has_storage_role: bool = True
    secrets: dict[str, str | Refusal] = field(default_factory=dict)
    next: list[Refusal] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: int = 0  # how many were given out
    has_identity: bool = True
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://{self.host}"


@contextmanager
def azure_services(folder: Path) -> Iterator[AzureServices]:
    """``environment`` is what a program needs to find them: that of a function app, a proxy, and a CA to trust."""
    services = AzureServices()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(services.host, services.storage_host).configure_cert(tls)
    with ExitStack() as stack:
        vault = stack.enter_context(_serving(_handler(lambda call: _vault(services, call)), tls))
        identity = stack.enter_context(_serving(_handler(lambda call: _identity(services, call))))
        storage = stack.enter_context(_serving(_handler(lambda call: _storage(services, call)), tls))
        ports = {f"{services.host}:443": vault, f"{services.storage_host}:443": storage}
        proxy = stack.enter_context(_serving(_tunnels(ports)))
        services.environment = {
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{identity}/msi/token",
            "IDENTITY_HEADER": IDENTITY_HEADER,
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy}",
            "NO_PROXY": "127.0.0.1,localhost",
            "REQUESTS_CA_BUNDLE": str(folder / "ca.pem"),
        }
        yield services


def _vault(services: AzureServices, call: BaseHTTPRequestHandler) -> tuple[int, object, dict[str, str]]:
    """GET /secrets/{name}/{version}. A call without a token is told where to get one, and for what."""
    if call.headers.get("Authorization") != f"Bearer {TOKEN}":
        challenge = 'Bearer authorization="https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47"'
        error = {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}
        return 401, {"error": error}, {"WWW-Authenticate": f'{challenge}, resource="{services.resource}"'}
    name = urlsplit(call.path).path.split("/")[2]
    services.asked.append(name)
    held = services.next.pop(0) if services.next else services.secrets.get(name, NOT_FOUND)
    if isinstance(held, tuple):
        return held[0], {"error": held[1]}, {}
    return 200, {"value": held, "id": f"{services.url}/secrets/{name}/1", "attributes": {"enabled": True}}, {}


def _storage(services: AzureServices, call: BaseHTTPRequestHandler) -> tuple[int, object, dict[str, str]]:
    """GET /{container}/hello."""
    if call.headers.get("Authorization") != f"Bearer {TOKEN}" or not services.has_storage_role:
        return 403, {}, {"x-ms-error-code": "AuthorizationPermissionMismatch"}
    told = {"ETag": '"1"', "Content-Range": "bytes 0-6/7", "x-ms-blob-type": "BlockBlob"}
    return 206, "hello", told | {"Last-Modified": "Mon, 23 Nov 2026 09:00:00 GMT"}


def _identity(services: AzureServices, call: BaseHTTPRequestHandler) -> tuple[int, object, dict[str, str]]:
    """The REST endpoint of managed identities in App Service and Functions, 2019-08-01."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(call.path).query).items()}
    known = {"api-version": "2019-08-01", "resource": query.get("resource"), "client_id": CLIENT_ID}
    is_known = query == known and query["resource"] in ("https://vault.azure.net", "https://storage.azure.com")
    if not services.has_identity or not is_known or call.headers.get("X-IDENTITY-HEADER") != IDENTITY_HEADER:
        return 400, {"statusCode": 400, "message": "No managed identity found for the specified client id."}, {}
    services.tokens += 1
    expires = str(int(time.time()) + 86_400)
    told = {"access_token": TOKEN, "expires_on": expires, "resource": query["resource"], "token_type": "Bearer"}
    return 200, told | {"client_id": CLIENT_ID}, {}


def _handler(
    answer: Callable[[BaseHTTPRequestHandler], tuple[int, object, dict[str, str]]],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, document, headers = answer(self)
            body = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {
                **headers,
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _tunnels(ports: dict[str, int]) -> type[BaseHTTPRequestHandler]:
    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            if self.path not in ports:
                self.send_error(502)
                return
            with socket.create_connection(("127.0.0.1", ports[self.path])) as there:
                self.send_response(200)
                self.end_headers()
                _pump(self.connection, there)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Proxy


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Both ways, until one side is at its end."""
    while True:
        ready, _, _ = select.select([one, other], [], [])
        for side in ready:
            data = side.recv(65536)
            if not data:
                return
            (other if side is one else one).sendall(data)


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
