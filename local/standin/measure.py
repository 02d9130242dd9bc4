"""How fast the stand-in is: it must never be what a benchmark of the product measures.

`python -m local.standin.measure` starts one in a process of its own and prints two figures. To be reached on one
core: 100,000 subscribers stored in 3 s, 1,000,000 counted in 4 s.
"""

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

ROWS = 1000
FIELDS = 4
AUTHORIZATION = "Basic bWVhc3VyZTp4"  # measure:x
LIST = "measured"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.standin.measure", description=__doc__)
    parser.add_argument("--stored", type=int, default=100_000, help="subscribers to store")
    parser.add_argument("--counted", type=int, default=1_000_000, help="subscribers to count")
    arguments = parser.parse_args()
    with _standin() as connection:
        _call(connection, "POST", "/control/accounts", json.dumps(_account()).encode())
        print(f"stored  {_timed(connection, arguments.stored)}")
        _call(connection, "PUT", "/control/options", b'{"counting": true}')
        print(f"counted {_timed(connection, arguments.counted)}")


@contextmanager
def _standin() -> Iterator[http.client.HTTPConnection]:
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder, "standin.db"))
        command = [sys.executable, "-m", "local.standin", "--database", database]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout
                yield http.client.HTTPConnection(urlsplit(process.stdout.readline().split()[-1]).netloc)
            finally:
                process.terminate()


def _account() -> dict[str, object]:
    fields = [{"name": f"field {number}"} for number in range(FIELDS)]
    client = {"name": "Contoso", "lists": [{"id": LIST, "title": "Measured", "fields": fields}]}
    return {"api_key": "measure", "clients": [client]}


def _timed(connection: http.client.HTTPConnection, subscribers: int) -> str:
    """Only the calls are timed: their bodies are made before, a hundred at a time."""
    seconds = 0.0
    for start in range(0, subscribers, 100 * ROWS):
        bodies = [_body(first) for first in range(start, min(start + 100 * ROWS, subscribers), ROWS)]
        began = time.perf_counter()
        for body in bodies:
            _call(connection, "POST", f"/api/v3.3/subscribers/{LIST}/import.json", body)
        seconds += time.perf_counter() - began
    return f"{subscribers:>9,} subscribers in {seconds:.2f} s ({subscribers / seconds:,.0f}/s)"


def _body(first: int) -> bytes:
    rows = [
        {
            "EmailAddress": f"person{number}@example.com",
            "Name": f"Person {number}",
            "CustomFields": [{"Key": f"field{each}", "Value": f"value {number}"} for each in range(FIELDS)],
            "ConsentToTrack": "Unchanged",
        }
        for number in range(first, first + ROWS)
    ]
    return json.dumps({"Subscribers": rows, "Resubscribe": False}).encode()


def _call(connection: http.client.HTTPConnection, method: str, path: str, body: bytes) -> None:
    connection.request(method, path, body, {"Authorization": AUTHORIZATION})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise RuntimeError(f"{method} {path} answered {answer.status}: {content.decode()}")


if __name__ == "__main__":
    main()
