"""Partitions of every shape: the exact account, rejects and subscribers that they give."""

import gzip
from dataclasses import dataclass, field

import pytest
from azure.storage.blob import ContentSettings
from reading import COLUMNS, partition, plan
from world import INSTANCE, World, balances, csv_rows, person

from shared.errors import SegmentError

A, B, C = "1,a@example.com,Cork", "2,b@example.com,Łódź", "3,c@example.com,上海"
EMAILS = {"a": "a@example.com", "b": "b@example.com", "c": "c@example.com"}


@dataclass(frozen=True)
class Case:
    """``sent``: letters of the addresses, in order; ``rejects`` by line; ``cities`` where they are worth a look."""

    text: str
    sent: str
    rejects: dict[int, str] = field(default_factory=dict)
    cities: tuple[str, ...] = ()


CASES = {
    "LF": Case(f"{A}\n{B}\n", "ab", cities=("Cork", "Łódź")),
    "CRLF": Case(f"{A}\r\n{B}\r\n", "ab", cities=("Cork", "Łódź")),
    "mixed line breaks": Case(f"{A}\r\n{B}\n{C}\r\n", "abc", cities=("Cork", "Łódź", "上海")),
    "line breaks of three characters": Case(f"{A}\r\r\n{B}\r\r\n", "ab", cities=("Cork", "Łódź")),
    "byte order mark": Case(f"\ufeff{A}\n", "a"),
    "no line break at the end": Case(f"{A}\n{B}", "ab"),
    "blank lines": Case(f"\n{A}\n\n\r\n{B}\nbad\n\n", "ab", {6: "malformed_columns"}),
    "embedded line breaks": Case(
        f'"1\n1",a@example.com,Cork\n{B}\n3,c@example.com,"Ker\r\nk"\n4,bad,Cork\n',
        "ab",
        {4: "control_character City", 6: "email_invalid EMail"},
    ),
    "embedded quotes": Case('"1","a@example.com","The ""Corner"", Cork"\n', "a", cities=('The "Corner", Cork',)),
    "too few cells": Case(f"{A}\n2,b@example.com\n{C}\n", "ac", {2: "malformed_columns"}),
    "too many cells": Case(f"{A}\n{B},more\n{C}\n", "ac", {2: "malformed_columns"}),
    "text behind quotes": Case(f'{A}\n2,"b@example.com"x,y\n{C}\n', "ac", {2: "malformed_quotes"}),
    "never closed": Case(f'{A}\n2,"b@example.com,y\n{C}\n', "ac", {2: "malformed_quotes"}),
    "never closed at the end": Case(f'{A}\n{B}\n3,c@example.com,"Cork', "ab", {3: "malformed_quotes"}),
    "two never closed": Case(f'{A}\n2,"b,y\n3,"c,z\n{C}\n', "ac", {2: "malformed_quotes", 3: "malformed_quotes"}),
    "opened after a stray quote": Case(f'1,5" x,"y\n{A}\n{B}\n', "ab", {1: "malformed_quotes"}),
    "a stray quote closes it": Case(f'1,"x,y\n{A}\n2,b@example.com,5"\n{C}\n', "abc", {1: "malformed_quotes"}),
    "only blank lines": Case("\n\r\n\n", ""),
    "nothing": Case("", ""),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
def test_rows(case: Case, zipped: bool) -> None:
    data = case.text.encode()
    part = partition(suffix=".csv.gz" if zipped else ".csv")

    planned = plan(gzip.compress(data) if zipped else data, parts=[part])

    assert planned.emails == [EMAILS[letter] for letter in case.sent]
    assert {each.line: f"{each.reason} {each.column}".strip() for each in planned.rejects} == case.rejects
    assert planned.account.rows_read == len(case.sent) + len(case.rejects)
    if case.cities:
        assert tuple(one["CustomFields"][0]["Value"] for one in planned.subscribers) == case.cities


HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize("text", [f"{HEADER}\n", HEADER, f'\ufeff"{HEADER.replace(",", '","')}"\r\n'])
@pytest.mark.parametrize("header", [True, None])
def test_a_header_row_alone(text: str, header: bool | None) -> None:
    assert plan(text, parts=[partition(header=header)]).account.rows_read == 0


def test_each_partition_has_a_header_row_of_its_own() -> None:
    parts = [partition(number, None, header=True) for number in (1, 2, 3)]

    planned = plan(f"{HEADER}\n{A}\n", "", "City,EMail,CustomerId\nŁódź,b@example.com,2\nx\n", parts=parts)

    assert planned.emails == [EMAILS["a"], EMAILS["b"]]
    assert [(each.partition[-5:], each.line) for each in planned.rejects] == [("3.csv", 3)]


def test_a_header_row_that_cannot_be_read() -> None:
    with pytest.raises(SegmentError, match="the quotes of the header row do not pair"):
        plan(f'"CustomerId,EMail,City\n{A}\n', parts=[partition(columns=None, header=True)])


def test_gzip_is_known_by_its_first_bytes() -> None:
    assert plan(gzip.compress(f"{A}\n{B}\n".encode())).emails == [EMAILS["a"], EMAILS["b"]]


@pytest.mark.parametrize("mark", [b"PAR1", b"Obj\x01", b"PK\x03\x04"])
def test_a_file_that_is_no_text_is_named(mark: bytes) -> None:
    with pytest.raises(SegmentError, match=r", and no CSV") as raised:
        plan(mark + bytes(100) + b"a@example.com" + bytes(100))

    assert raised.value.code == "not_csv"
    assert "example.com" not in str(raised.value)


def test_a_row_that_begins_like_one_is_a_row() -> None:
    assert plan("PAR1,a@example.com,Cork\n").emails == [EMAILS["a"]]


def test_lines_may_end_with_cr_alone() -> None:
    text = f"{A}\r{B}\r\n{C}".replace("Cork", '"Co\rrk"')

    planned = plan(text)

    assert planned.emails == [EMAILS["b"], EMAILS["c"]]
    assert planned.reasons == [(1, "control_character")]


def test_a_header_row_that_is_announced_and_is_not_there_shows_no_cell() -> None:
    with pytest.raises(SegmentError) as raised:
        plan(f"{HEADER}\n{A}\n", f"{B}\n", parts=[partition(header=True), partition(2, header=True)])

    assert raised.value.code == "header_missing"
    assert "HighValueSegment_2.csv" in str(raised.value)
    assert not any(cell in str(raised.value) for cell in B.split(",") if len(cell) > 1)


def test_a_header_row_in_another_order_that_nothing_announces() -> None:
    planned = plan("City,CustomerId,EMail\nCork,1,a@example.com\n")

    assert planned.emails == [EMAILS["a"]]
    assert planned.subscribers[0]["CustomFields"][0]["Value"] == "Cork"


def test_several_members_of_gzip_follow_each_other() -> None:
    data = gzip.compress(f"{A}\n2,b@exam".encode()) + gzip.compress(f"ple.com,Cork\n{C}\n".encode())

    assert plan(data, parts=[partition(suffix=".csv.gz")]).emails == list(EMAILS.values())


WHOLE = gzip.compress(f"{A}\n".encode() * 50, mtime=0)  # the same in every process of the tests


@pytest.mark.parametrize(
    "data", [WHOLE[:-1], WHOLE[:20], b"", f"{A}\n".encode(), WHOLE[:-8] + b"12345678", WHOLE + b"more"]
)
def test_what_is_no_whole_gzip_file_is_told(data: bytes) -> None:
    with pytest.raises(SegmentError, match=r"BlobExport/HighValueSegment, .*_1\.csv\.gz is not a whole gzip") as raised:
        plan(data, parts=[partition(suffix=".csv.gz")])

    assert raised.value.code == "broken_gzip"


def test_a_segment_without_rows_is_no_error(world: World) -> None:
    world.put_rows("", "\n")
    world.save()

    run = world.run()

    assert run.status == "succeeded"
    assert set(run.counts.model_dump().values()) == {0}
    assert balances(run)
    assert not world.listed()


@pytest.mark.parametrize("name", ["HighValueSegment_1.csv.gz", "HighValueSegment_1.csv"])
def test_a_whole_run_over_a_blob_that_says_that_it_is_compressed(world: World, name: str) -> None:
    """Content-Encoding: the SDK must not inflate it on the way."""
    world.segments.upload_blob(
        f"{INSTANCE}/BlobExport/HighValueSegment/2026/11/23/0900/{name}",
        gzip.compress(csv_rows(person(1)).encode()),
        content_settings=ContentSettings(content_encoding="gzip"),
    )
    world.put_model(partitions=0)
    world.save()

    assert world.run().counts.added == 1


def test_a_whole_run_over_a_compressed_partition(world: World) -> None:
    world.put(
        "BlobExport/HighValueSegment/2026/11/23/0900/HighValueSegment_1.csv.gz",
        gzip.compress(csv_rows(person(1)).encode()),
    )
    world.put_model(partitions=0)
    world.save()

    assert world.run().counts.added == 1
    assert list(world.listed()) == ["user1@example.com"]
