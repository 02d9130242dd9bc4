"""The whole app with its console, in the local host, for tests: a world, a running instance and people who sign in."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from world import World

from local.host.process import HostProcess

PROJECT = Path(__file__).resolve().parents[1]
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True)
class ConsoleApp:
    """``url`` is that of the instance, without a slash at the end."""

    url: str
    world: World

    def person(self, role: str = "Exports.Admin", name: str = "jane@contoso.example") -> requests.Session:
        """Somebody who has signed in at the local host, calling from the console's own pages."""
        session = requests.Session()
        session.headers.update(SAME_ORIGIN)
        answer = session.post(
            f"{self.url}/.auth/login/aad", data={"name": name, "role": role}, allow_redirects=False, timeout=30
        )
        assert answer.status_code == 303
        return session


@contextmanager
def console_app(world: World, log: Path, **settings: str) -> Iterator[ConsoleApp]:
    """``settings`` go beside those of the world. The timer does not tick by itself."""
    chosen = {
        **world.environment,
        "REQUIRE_SIGN_IN": "true",
        "EXPORT_SCHEDULE": "0 0 0 1 1 *",
        "UPLOAD_CONCURRENCY": "2",  # slow enough to be followed
        "PARALLEL_SLICES": "1",
        "KEY_VAULT_URL": "",
        "SegmentStorage": "",
        **settings,
    }
    with HostProcess(PROJECT, settings=chosen, log=log) as host:
        yield ConsoleApp(host.url, world)


def principal(*claims: tuple[str, str], role_typ: str = "roles", name_typ: str = "name") -> str:
    """The header as the platform writes it."""
    content = {
        "auth_typ": "aad",
        "claims": [{"typ": typ, "val": val} for typ, val in claims],
        "name_typ": name_typ,
        "role_typ": role_typ,
    }
    return base64.b64encode(json.dumps(content).encode()).decode()
