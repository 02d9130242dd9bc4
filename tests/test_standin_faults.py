"""Faults on order, both kinds of 429, limits and latency: what a sender must survive."""

import gzip
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from standin_calls import LIST, Caller, row

pytest_plugins = ["standin_fixtures"]


def statuses(standin: Caller, number: int) -> list[int]:
    return [standin.imported(row(f"person{each}@example.com")).status_code for each in range(number)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_500_is_json(standin: Caller, when: str) -> None:
    standin.faults({"kind": "500", "calls": [1], "when": when})
    answer = standin.imported(row())
    assert (answer.status_code, answer.json()["Code"]) == (500, 500)
    assert bool(standin.stored()) == (when == "after")


@pytest.mark.parametrize("kind", ["502", "503", "504"])
@pytest.mark.parametrize(("body", "starts"), [("html", b"<html>"), ("empty", b"")])
def test_gateway_errors_are_not_json(standin: Caller, kind: str, body: str, starts: bytes) -> None:
    standin.faults({"kind": kind, "calls": [1], "body": body})
    answer = standin.imported(row())
    assert answer.status_code == int(kind)
    assert answer.content.startswith(starts)
    assert bool(answer.content) == (body == "html")
    assert not standin.stored()


def test_429_as_documented(standin: Caller) -> None:
    standin.faults({"kind": "429", "calls": [1], "headers": "reset", "wait": 7})
    answer = standin.imported(row())
    assert (answer.status_code, answer.json()) == (429, {"Code": 429, "Message": "Rate limit exceeded"})
    assert answer.headers["X-RateLimit-Reset"] == "7"
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert "X-RateLimit-Limit" in answer.headers
    assert "Retry-After" not in answer.headers


def test_429_with_retry_after(standin: Caller) -> None:
    standin.faults({"kind": "429", "calls": [1], "headers": "retry-after", "wait": 3})
    answer = standin.imported(row())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert "X-RateLimit-Reset" not in answer.headers


def test_429_without_a_word(standin: Caller) -> None:
    standin.faults({"kind": "429", "calls": [1]})
    answer = standin.imported(row())
    assert answer.json() == {
        "Code": 429,
        "Message": "Subscriber was added too many times too quickly, try again later.",
    }
    assert not {"Retry-After", "X-RateLimit-Reset"} & answer.headers.keys()


@pytest.mark.parametrize("when", ["before", "after"])
def test_hang_outlasts_the_client(standin: Caller, when: str) -> None:
    standin.faults({"kind": "hang", "calls": [1], "when": when})
    with pytest.raises(requests.ReadTimeout):
        standin.imported(row(), timeout=0.3)
    assert bool(standin.stored()) == (when == "after")


def test_call_that_nobody_waits_for_is_no_longer_in_flight(standin: Caller) -> None:
    standin.options(calls_at_once=1)
    standin.faults({"kind": "hang", "calls": [1]})
    with pytest.raises(requests.ReadTimeout):
        standin.imported(row(), timeout=0.1)
    assert standin.imported(row()).status_code == 201  # would wait for ever behind the other


def test_hang_that_ends_closes_the_connection(standin: Caller) -> None:
    standin.faults({"kind": "hang", "calls": [1], "seconds": 0.1})
    with pytest.raises(requests.ConnectionError, match="without response"):
        standin.imported(row())


@pytest.mark.parametrize("when", ["before", "after"])
def test_connection_reset(standin: Caller, when: str) -> None:
    standin.faults({"kind": "reset", "calls": [1], "when": when})
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        standin.imported(row())
    assert bool(standin.stored()) == (when == "after")
    assert standin.imported(row()).status_code == 201


def test_bom_before_the_json(standin: Caller) -> None:
    standin.faults({"kind": "bom", "calls": [1]})
    answer = standin.imported(row())
    assert answer.content.startswith(b"\xef\xbb\xbf{")
    assert json.loads(answer.content.decode("utf-8-sig"))["TotalNewSubscribers"] == 1


def test_gzip_answer(standin: Caller) -> None:
    standin.faults({"kind": "gzip", "calls": [1]})
    answer = standin.imported(row(), stream=True)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.raw.read(decode_content=False)))["TotalNewSubscribers"] == 1


@pytest.mark.parametrize(
    ("choice", "accepts", "encoding"),
    [("accepted", "gzip", "gzip"), ("accepted", "identity", None), ("never", "gzip", None)],
)
def test_large_answers_are_compressed_where_accepted(
    standin: Caller, choice: str, accepts: str, encoding: str | None
) -> None:
    standin.options(compress=choice)
    standin.put(*[{"email": f"person{each}@example.com"} for each in range(50)])
    answer = standin.api("GET", f"lists/{LIST}/active.json", headers={"Accept-Encoding": accepts})
    assert answer.headers.get("Content-Encoding") == encoding
    assert len(answer.json()["Results"]) == 50


def test_slow_call_takes_longer_with_more_rows(standin: Caller) -> None:
    standin.faults({"kind": "slow", "calls": [1, 2], "seconds": 0.05, "seconds_per_1000": 10})
    took = []
    for rows in (1, 20):
        assert standin.imported(*[row(f"person{each}@example.com") for each in range(rows)]).status_code == 201
        took.append(standin.log()[-1]["seconds"])
    assert took[0] >= 0.06
    assert took[1] >= 0.25


def test_latency_is_an_option(standin: Caller) -> None:
    standin.options(latency=0.05, latency_per_1000=50)
    standin.imported(row("a@example.com"), row("b@example.com"))
    assert standin.log()[-1]["seconds"] >= 0.15


def test_exact_calls_are_counted_by_path(standin: Caller) -> None:
    standin.faults({"kind": "503", "calls": [2]}, {"kind": "500", "calls": [1], "path": "/lists/", "method": "GET"})
    assert standin.api("GET", "clients.json").status_code == 200
    assert standin.api("GET", f"lists/{LIST}.json").status_code == 500
    assert standin.api("GET", f"lists/{LIST}.json").status_code == 200
    assert statuses(standin, 3) == [201, 503, 201]


def test_same_seed_gives_the_same_faults(standin: Caller) -> None:
    rule = {"kind": "500", "probability": 0.5}
    runs = []
    for seed in (1, 1, 2):
        standin.faults(rule, seed=seed)
        runs.append(statuses(standin, 30))
    assert runs[0] == runs[1] != runs[2]
    assert 5 < runs[0].count(500) < 25


def test_probability_hits_all_or_none(standin: Caller) -> None:
    standin.faults({"kind": "500", "probability": 1})
    assert statuses(standin, 3) == [500] * 3
    standin.faults({"kind": "500", "probability": 0})
    assert statuses(standin, 3) == [201] * 3


def test_cleared_faults_are_gone(standin: Caller) -> None:
    standin.faults({"kind": "500", "probability": 1})
    standin.control("DELETE", "faults")
    assert statuses(standin, 1) == [201]


def test_log_names_the_fault(standin: Caller) -> None:
    standin.faults({"kind": "500", "calls": [1], "when": "after"})
    standin.imported(row())
    assert standin.log()[-1]["fault"] == "500 after"


def in_parallel(standin: Caller, number: int) -> list[requests.Response]:
    """As many threads as calls, all let go at once."""
    ready = threading.Barrier(number)

    def one(index: int) -> requests.Response:
        ready.wait(timeout=5)
        body = {"Subscribers": [row(f"person{index}@example.com")]}
        with requests.Session() as http:
            alone = Caller(standin.url, http)
            return alone.api("POST", f"subscribers/{LIST}/import.json", json=body)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_many_calls_in_flight(standin: Caller) -> None:
    standin.options(latency=0.4)
    began = time.perf_counter()
    answers = in_parallel(standin, 32)
    assert [each.status_code for each in answers] == [201] * 32
    assert time.perf_counter() - began < 0.4 * 32 / 2
    assert standin.control("GET", "log?summary=true").json()["peak_in_flight"] >= 16
    assert len(standin.stored()) == 32


def test_calls_at_once_can_be_limited(standin: Caller) -> None:
    standin.options(latency=0.1, calls_at_once=1)
    began = time.perf_counter()
    assert [each.status_code for each in in_parallel(standin, 4)] == [201] * 4
    assert time.perf_counter() - began >= 0.4


def test_calls_per_second_can_be_limited(standin: Caller) -> None:
    standin.options(calls_per_second=3)
    answers: list[Any] = [standin.imported(row(f"person{each}@example.com")) for each in range(5)]
    assert 429 in [each.status_code for each in answers]
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.headers["X-RateLimit-Reset"] == "1"
    assert len(standin.stored()) == sum(each.status_code == 201 for each in answers)
