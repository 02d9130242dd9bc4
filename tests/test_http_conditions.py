"""If-Match and If-None-Match: who writes on what they have not seen changes nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from http_world import Api, connection, export, serving
from world import World


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with serving(world) as api:
        api.put_connection()
        yield api


KINDS = pytest.mark.parametrize("kind", ["connections", "exports"])


def document(api: Api, kind: str) -> tuple[str, dict[str, object]]:
    """The path of one of the kind that nobody uses, and what to save there."""
    return f"/{kind}/one-{api.world.id}", (connection if kind == "connections" else export)(api.world)


@KINDS
def test_a_write_on_what_was_read_succeeds_once(api: Api, kind: str) -> None:
    path, body = document(api, kind)
    etag = api.call("PUT", path, body).headers["ETag"]
    assert api.call("GET", path).headers["ETag"] == etag

    first = api.call("PUT", path, body | {"display_name": "First"}, headers={"If-Match": etag})
    second = api.call("PUT", path, body | {"display_name": "Second"}, headers={"If-Match": etag})

    assert first.status_code == 200
    api.problem(second, 412, "changed")
    assert api.call("GET", path).json()["display_name"] == "First"
    several = api.call("PUT", path, body, headers={"If-Match": f'"other", {first.headers["ETag"]}'})
    assert several.status_code == 200


@KINDS
@pytest.mark.parametrize("etag", ['"0x8D"', "0x8D", "W/{etag}", "''", '"{etag}', "*x"])
def test_what_is_not_its_etag_changes_nothing(api: Api, kind: str, etag: str) -> None:
    path, body = document(api, kind)
    given = etag.format(etag=api.call("PUT", path, body).headers["ETag"])
    if etag == "*x":
        given = '"*"'

    for method in ("PUT", "DELETE"):
        sent = body | {"display_name": "Changed"} if method == "PUT" else None
        api.problem(api.call(method, path, sent, headers={"If-Match": given}), 412, "changed")

    assert api.call("GET", path).json()["display_name"] == body["display_name"]


@KINDS
def test_only_a_new_one_and_only_an_old_one(api: Api, kind: str) -> None:
    path, body = document(api, kind)

    api.problem(api.call("PUT", path, body, headers={"If-Match": "*"}), 412, "changed")
    assert api.call("GET", path).status_code == 404
    assert api.call("PUT", path, body, headers={"If-None-Match": "*"}).status_code == 201
    api.problem(api.call("PUT", path, body, headers={"If-None-Match": "*"}), 412, "changed")
    assert api.call("PUT", path, body, headers={"If-Match": "*"}).status_code == 200
    api.problem(api.call("PUT", path, body, headers={"If-None-Match": '"x"'}), 400, "invalid")


@KINDS
def test_a_removal_of_what_was_read(api: Api, kind: str) -> None:
    path, body = document(api, kind)
    old = api.call("PUT", path, body).headers["ETag"]
    new = api.call("PUT", path, body).headers["ETag"]

    api.problem(api.call("DELETE", path, headers={"If-Match": old}), 412, "changed")
    assert api.call("DELETE", path, headers={"If-Match": new}).status_code == 204
    assert api.call("DELETE", path).status_code == 404


def test_writes_without_a_condition_never_mix(api: Api) -> None:
    """Every document that is read is one that somebody sent as a whole."""

    def save(number: int) -> int:
        return api.put_export(display_name=f"name {number}", max_profiles=number + 1).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(save, range(24)))

    assert sorted(set(statuses)) == [200, 201]
    assert statuses.count(201) == 1
    kept = api.call("GET", f"/exports/{api.export}").json()
    assert kept["display_name"] == f"name {kept['max_profiles'] - 1}"


def test_of_two_that_write_at_once_on_the_same_one_wins(api: Api) -> None:
    api.put_export()
    for _ in range(10):
        etag = api.call("GET", f"/exports/{api.export}").headers["ETag"]

        def save(name: str, etag: str = etag) -> int:
            body = export(api.world) | {"display_name": name}
            return api.call("PUT", f"/exports/{api.export}", body, headers={"If-Match": etag}).status_code

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(save, ("One", "Two"))) == [200, 412]
