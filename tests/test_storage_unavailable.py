"""Accounts that do not answer as they should: what is tried again, for how long, and what the operator is told."""

import http.client
import re
import threading
import time
import uuid
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from azure_services import CLIENT_ID, AzureServices

from local.azurite import Azurite
from local.provision import make_container
from shared.azure.blob_storage import BlobStorage
from shared.azure.queue_storage import QueueStorage
from shared.errors import Changed, DeploymentError, Held, TemporaryError
from shared.ports.compare_and_swap import compare_and_swap
from shared.settings import StorageAccount, read

NOBODY = "BlobEndpoint=http://127.0.0.1:9/contoso;QueueEndpoint=http://127.0.0.1:9/contoso"
A_PERSON_WAITS_SECONDS = 15


def by_identity(azure: AzureServices) -> BlobStorage:
    environment = {
        "ExportStorage__blobServiceUri": f"https://{azure.storage_host}/",
        "ExportStorage__queueServiceUri": f"https://{azure.storage_host}/",
        "ExportStorage__credential": "managedidentity",
        "ExportStorage__clientId": CLIENT_ID,
    }
    return BlobStorage(read(environment).export_storage, "export-state")


def test_an_account_that_nobody_answers_for_is_told_while_a_person_waits() -> None:
    account = StorageAccount("SegmentStorage", f"AccountName=contoso;AccountKey=a2V5;{NOBODY}")
    begun = time.monotonic()
    with ThreadPoolExecutor() as pool:
        uses = [
            pool.submit(BlobStorage(account, "export-state").read, "a"),
            pool.submit(list, BlobStorage(account, "export-state").list("")),
            pool.submit(QueueStorage(account, "export-work").put, "message"),
        ]
        errors = [use.exception() for use in uses]

    assert time.monotonic() - begun < A_PERSON_WAITS_SECONDS
    for error in errors:
        assert isinstance(error, TemporaryError)
        assert error.code == "storage_unavailable"
        assert "The storage account of SegmentStorage does not answer" in error.message
        assert "check the address in SegmentStorage" in error.action
        assert "AccountKey" not in repr(error)


def test_an_account_that_is_busy_for_a_moment_is_asked_again(azurite: Azurite) -> None:
    name = f"c-{uuid.uuid4().hex}"
    make_container(azurite.connection_string, name)
    with in_front_of(azurite, busy=2) as (connection_string, answers):
        container = BlobStorage(StorageAccount("ExportStorage", connection_string), name)
        container.write("name", b"one", new=True)

        read_ = container.read("name")

    assert read_
    assert read_.data == b"one"
    assert answers == [503, 503, 201, 206]


@pytest.mark.parametrize("lost", [1, 2], ids=["the blob was made", "the lease was granted"])
def test_a_lease_whose_answer_is_lost_is_had_all_the_same(azurite: Azurite, lost: int) -> None:
    name = f"c-{uuid.uuid4().hex}"
    make_container(azurite.connection_string, name)
    with in_front_of(azurite, lost={lost}) as (connection_string, answers):
        container = BlobStorage(StorageAccount("ExportStorage", connection_string), name)

        lease = container.lease("lock", 15)
        lease.renew()

        with pytest.raises(Held):
            container.lease("lock", 15)
    # Made twice, the blob is there already; asked for twice, the lease is the same.
    assert answers[:4] == ([201, 409, 201, 200] if lost == 1 else [201, 201, 201, 200])


def test_a_write_whose_answer_is_lost_meets_itself(azurite: Azurite) -> None:
    name = f"c-{uuid.uuid4().hex}"
    make_container(azurite.connection_string, name)
    with in_front_of(azurite, lost={1, 4, 8}) as (connection_string, answers):
        container = BlobStorage(StorageAccount("ExportStorage", connection_string), name)

        with pytest.raises(Changed):
            container.write("name", b"one", new=True)
        made = compare_and_swap(container, "name", lambda _: b"two")
        gone = compare_and_swap(container, "name", lambda _: None)

    assert (made.data, made.wrote) == (b"two", True)
    assert (gone.data, gone.wrote) == (None, True)
    assert answers == [201, 409, 206, 201, 412, 206, 206, 202, 412, 404]


def test_a_key_that_is_not_that_of_the_account_is_told(azurite: Azurite) -> None:
    wrong = re.sub("AccountKey=[^;]+", "AccountKey=d3Jvbmc=", azurite.connection_string)
    with pytest.raises(DeploymentError) as caught:
        BlobStorage(StorageAccount("ExportStorage", wrong), "export-state").read("name")

    error = caught.value
    assert (error.code, error.field) == ("storage_forbidden", "ExportStorage")
    assert re.search(r"does not let this app use the container export-state \(HTTP 403, \w+\)", error.message)
    assert error.action == "Check the account's key in ExportStorage."
    assert "d3Jvbmc" not in repr(error)


def test_an_account_opens_to_the_apps_identity(azure: AzureServices) -> None:
    read_ = by_identity(azure).read("hello")
    assert read_
    assert read_.data == b'"hello"'
    assert azure.tokens == 1


def test_an_identity_without_a_role_is_told_which_it_lacks(azure: AzureServices) -> None:
    azure.has_storage_role = False
    with pytest.raises(DeploymentError) as caught:
        by_identity(azure).read("hello")

    assert caught.value.code == "storage_forbidden"
    assert "(HTTP 403, AuthorizationPermissionMismatch)" in caught.value.message
    assert "Storage Blob Data Contributor" in caught.value.action


def test_an_app_without_its_identity_is_told_so(azure: AzureServices) -> None:
    azure.has_identity = False
    with pytest.raises(DeploymentError) as caught:
        by_identity(azure).read("hello")

    assert (caught.value.code, caught.value.field) == ("identity_unavailable", "ExportStorage__clientId")


@contextmanager
def in_front_of(azurite: Azurite, *, busy: int = 0, lost: Collection[int] = ()) -> Iterator[tuple[str, list[int]]]:
    """A connection string to an account that is ServerBusy ``busy`` times and then as Azurite; and what it answers. Of
    those answers, counted from 1, the ``lost`` ones never arrive."""
    found = re.search("BlobEndpoint=http://([^/]+)", azurite.connection_string)
    assert found
    address = found[1]
    answers: list[int] = []

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if len(answers) < busy:
                answers.append(503)
                self._answer(503, [("x-ms-error-code", "ServerBusy")], b"")
                return
            there = http.client.HTTPConnection(address)
            there.request(self.command, self.path, body, dict(self.headers))
            answer = there.getresponse()
            content = answer.read()
            answers.append(answer.status)
            if len(answers) in lost:
                there.close()
                self.close_connection = True
                return
            kept = [one for one in answer.getheaders() if one[0].lower() not in ("content-length", "transfer-encoding")]
            self._answer(answer.status, kept, content)
            there.close()

        do_HEAD = do_PUT = do_DELETE = do_GET  # noqa: N815 - as the library names them

        def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield azurite.connection_string.replace(address, f"127.0.0.1:{server.server_port}"), answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
