"""The demo's verdict can be bad: each kind of difference is found and told."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from local.demo.comparison import counts_that_differ, rejects_in, rejects_that_differ, subscribers_that_differ
from local.demo.report import show_account, show_differences
from local.sample import Reject, Sample, Subscriber, account, afterwards

ELENI = Subscriber("eleni@example.com", "Ελένη Γεωργίου", "+447700900123", "Active", {"City": "Θεσσαλονίκη"})
ONE = Reject("BlobExport/HighValueSegment", "HighValueSegment_1.csv", 8, "email_missing")
BALANCED = account(Sample(profiles=1_000))


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def shown(console: Console) -> str:
    return console.file.getvalue()


def test_equal_lists_do_not_differ_in_whatever_order_they_come():
    everyone = list(afterwards(Sample(profiles=1_000)))
    assert list(subscribers_that_differ(reversed(everyone), everyone)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "Ελενη Γεωργίου"}, "name is 'Ελενη Γεωργίου', and must be 'Ελένη Γεωργίου'"),
        ({"email": "Eleni@example.com"}, "email is 'Eleni@example.com', and must be 'eleni@example.com'"),
        ({"mobile": ""}, "mobile is '', and must be '+447700900123'"),
        ({"state": "Unsubscribed"}, "state is 'Unsubscribed', and must be 'Active'"),
        ({"fields": {}}, "fields is {}, and must be {'City': 'Θεσσαλονίκη'}"),
    ],
)
def test_one_letter_in_one_field_is_a_difference(change: dict[str, object], told: str):
    assert list(subscribers_that_differ([replace(ELENI, **change)], [ELENI])) == [f"eleni@example.com: {told}"]


def test_one_too_few_and_one_too_many_are_differences():
    assert list(subscribers_that_differ([], [ELENI])) == ["eleni@example.com is missing from the list"]
    assert list(subscribers_that_differ([ELENI], [])) == ["eleni@example.com is on the list, and must not be"]


def test_a_count_that_is_wrong_or_missing_is_a_difference():
    found = {**BALANCED, "added": 1}
    del found["unsent"]
    assert list(counts_that_differ(found, BALANCED)) == [
        f"added is 1, and must be {BALANCED['added']}",
        "unsent is None, and must be 0",
    ]


def test_a_reject_at_another_line_or_for_another_reason_is_a_difference():
    assert list(rejects_that_differ([ONE], [ONE])) == []
    assert list(rejects_that_differ([ONE._replace(line=9)], [ONE])) == [
        "HighValueSegment_1.csv, line 8, email_missing is missing from the rejects",
        "HighValueSegment_1.csv, line 9, email_missing is in the rejects, and must not be",
    ]
    assert len(list(rejects_that_differ([ONE._replace(reason="email_invalid")], [ONE]))) == 2


def test_a_reject_that_comes_twice_is_a_difference():
    assert list(rejects_that_differ([ONE, ONE], [ONE])) == [
        "HighValueSegment_1.csv, line 8, email_missing is in the rejects, and must not be"
    ]


def test_rejects_are_read_whatever_line_ends_stand_in_their_cells():
    text = (
        "segment,partition,line,customer_id,email,reason,message\r\n"
        'BlobExport/HighValueSegment,HighValueSegment_1.csv,8,ab,"two\x85\nlines",email_missing,"EMail is empty."\r\n'
    )
    assert rejects_in(text) == [ONE]


def test_the_account_is_shown_as_two_equations(console: Console):
    assert show_account(console, BALANCED)
    words = shown(console).split()
    assert words[words.index("1,000") + 1] == "="
    assert words.count("balances") == 2


def test_an_account_that_does_not_balance_is_called_so(console: Console):
    assert not show_account(console, {**BALANCED, "updated": 0})
    assert "does not balance" in shown(console)


def test_ten_differences_are_listed_and_the_others_counted(console: Console):
    assert not show_differences(console, "The list", (f"[{n}]" for n in range(1_234)))
    assert "[9]" in shown(console)
    assert "[10]" not in shown(console)
    assert "1,224 more" in shown(console)


def test_no_difference_is_equality(console: Console):
    assert show_differences(console, "The list", iter([]))
    assert "The list equals" in shown(console)
