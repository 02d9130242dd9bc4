"""The sample can be trusted: what stands in its files is what its expectation says about them."""

import csv
import io
import itertools
import json
import tracemalloc
from collections import Counter

import pytest

from local.sample import MAPPING, SEGMENT, Sample, account, afterwards, known_before, rejects
from local.sample.cases import CASES, EVERY
from local.sample.columns import COLUMNS
from local.sample.fates import Fate

SAMPLE = Sample()
NUMBERS = range(1, SAMPLE.partitions + 1)


def contents(sample: Sample) -> dict[str, bytes]:
    return {blob.path: b"".join(blob.pieces) for blob in sample.blobs()}


def text_of(sample: Sample, number: int) -> str:
    """A partition of the newest refresh."""
    return max(
        (path, content.decode("utf-8-sig"))
        for path, content in contents(sample).items()
        if path.endswith(sample.partition(number))
    )[1]


def every_row(sample: Sample):
    return [placed for number in range(1, sample.partitions + 1) for placed in sample.rows(number)]


def test_the_same_arguments_give_the_same_bytes():
    assert contents(SAMPLE) == contents(Sample())


def test_another_seed_gives_other_people_in_the_same_folders_of_another_instance():
    one, other = contents(Sample(seed=1)), contents(Sample(seed=2))
    assert not set(one.values()) & set(other.values())
    assert [path.partition("/")[2] for path in one] == [path.partition("/")[2] for path in other]


def test_it_is_laid_out_as_customer_insights_does_it():
    paths = list(contents(SAMPLE))
    root = paths[-1].removesuffix("/BlobExport/model.json")
    assert root.startswith("CustomerInsights_")
    assert [path.removeprefix(f"{root}/BlobExport/") for path in paths] == [
        "HighValueSegment/2026/11/22/0900/HighValueSegment_1.csv",
        "HighValueSegment/2026/11/23/0900/HighValueSegment_1.csv",
        "HighValueSegment/2026/11/23/0900/HighValueSegment_2.csv",
        "HighValueSegment/2026/11/23/0900/HighValueSegment_3.csv",
        "model.json",
    ]


def test_the_model_names_the_columns_and_where_the_newest_partitions_are():
    blobs = contents(SAMPLE)
    model = json.loads(next(content for path, content in blobs.items() if path.endswith("model.json")))
    (entity,) = model["entities"]
    assert [each["name"] for each in entity["attributes"]] == list(COLUMNS)
    assert len(COLUMNS) == 40
    newest = [path for path in blobs if "/2026/11/23/0900/" in path]
    located = [each["location"].partition("/customerinsights/")[2] for each in entity["partitions"]]
    assert located == newest
    assert not any("fileFormatSettings" in each for each in entity["partitions"])


@pytest.mark.parametrize("number", NUMBERS)
def test_a_csv_reader_finds_every_row_on_the_line_where_it_is_said_to_start(number):
    reader = csv.reader(io.StringIO(text_of(SAMPLE, number), newline=""))
    found, line = {}, 1
    for cells in reader:
        if cells:
            found[line] = cells
        line = reader.line_num + 1
    rows = list(SAMPLE.rows(number))
    assert list(found) == [placed.line for placed in rows]
    for placed in rows:
        if placed.row.damage is None:
            assert found[placed.line] == placed.content
            assert found[placed.line][: len(placed.row.written)] == list(placed.row.written)


def test_what_is_called_malformed_is():
    damaged = [placed for placed in every_row(SAMPLE) if placed.row.damage]
    assert damaged
    for _, row, _, content in damaged:
        assert isinstance(content, str)
        record = csv.reader(io.StringIO(content, newline=""), strict=True)
        if row.fate == Fate.MALFORMED_QUOTES:
            with pytest.raises(csv.Error):
                list(record)
        else:
            assert len(next(record)) != len(COLUMNS)


def test_every_fate_and_every_special_case_occurs_from_a_thousand_profiles_on():
    rows = [placed.row for placed in every_row(Sample(profiles=1_000))]
    assert {row.fate for row in rows} == set(Fate)
    assert EVERY * len(CASES) <= 1_000
    assert {row.known_as for row in rows} == {"", "Active", "Unsubscribed", "Bounced", "Deleted"}


def test_the_letters_of_the_world_the_quotes_and_the_line_breaks_are_in_it():
    names = " ".join(each.name for each in afterwards(SAMPLE))
    for part in ("Žukauskaitė", "Małgorzata", "Οικονόμου", "秀英", "𠮷田", "O'Brien", '"Bob"', "Smith, Jr."):
        assert part in names
    taken = [placed.row.written for placed in every_row(SAMPLE) if placed.row.fate == Fate.ADDED]
    assert any("\n" in written.address for written in taken)
    assert any("\r\n" in written.address for written in taken)


@pytest.mark.parametrize("sample", [SAMPLE, Sample(profiles=1_000, seed=7, partitions=5), Sample(profiles=30)])
def test_the_account_balances(sample: Sample):
    counts = account(sample)
    assert counts["rows_read"] == sample.profiles
    kept = ("malformed", "invalid", "duplicate", "unchanged", "to_send")
    assert counts["rows_read"] == sum(counts[name] for name in kept)
    assert counts["to_send"] == sum(counts[name] for name in ("added", "updated", "refused", "unsent"))


def test_the_rejects_are_the_rows_that_the_account_turns_down():
    counts, turned_down = account(SAMPLE), list(rejects(SAMPLE))
    assert len(turned_down) == sum(counts[name] for name in ("malformed", "invalid", "duplicate", "refused"))
    assert len(set(turned_down)) == len(turned_down)
    assert {each.segment for each in turned_down} == {SEGMENT}
    assert {each.partition for each in turned_down} == {SAMPLE.partition(number) for number in NUMBERS}


def test_the_list_grows_by_those_who_are_added_and_holds_nobody_twice():
    before = {each.email.lower(): each for each in known_before(SAMPLE)}
    after = {each.email.lower(): each for each in afterwards(SAMPLE)}
    assert len(before) == len(list(known_before(SAMPLE)))
    assert len(after) == len(list(afterwards(SAMPLE))) == len(before) + account(SAMPLE)["added"]
    states = Counter(each.state for each in before.values())
    assert states["Active"] == account(SAMPLE)["updated"] + 1  # the one who has left the segment
    assert states.total() - states["Active"] == account(SAMPLE)["refused"]
    assert all(after[email].state == each.state for email, each in before.items())


def test_one_who_has_left_the_segment_and_a_field_that_is_not_mapped_stay_as_they_were():
    before = {each.email: each for each in known_before(SAMPLE)}
    after = {each.email: each for each in afterwards(SAMPLE)}
    departed = SAMPLE.departed.email
    assert after[departed] == before[departed]
    mapped = {each["key"] for each in MAPPING["custom_fields"]}
    for email, each in before.items():
        untold = each.fields.keys() - mapped
        assert {key: after[email].fields[key] for key in untold} == {key: each.fields[key] for key in untold}


def test_a_duplicate_repeats_an_earlier_row_that_is_taken_and_the_twin_of_a_bad_row_is_taken():
    taken, turned_down = set(), set()
    twins = 0
    for placed in every_row(SAMPLE):
        email = placed.row.written.email.strip().lower()
        if placed.row.fate == Fate.DUPLICATE_EMAIL:
            assert email in taken
        elif placed.row.fate.is_sent:
            assert email not in taken
            taken.add(email)
            twins += email in turned_down
        elif placed.row.damage is None and email:
            turned_down.add(email)
    assert twins


def test_rows_are_made_when_they_are_asked_for():
    endless = Sample(profiles=10**15)
    partition = itertools.islice(endless.blobs(), 1, 2)
    pieces = next(partition).pieces
    assert len(list(itertools.islice(pieces, 3))) == 3


def test_a_hundred_thousand_rows_take_no_more_memory_than_a_piece_of_them():
    tracemalloc.start()
    size = sum(len(piece) for blob in Sample(profiles=100_000).blobs() for piece in blob.pieces)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 40_000_000
    assert peak < 5_000_000
