"""Whatever the rows: the account balances, nobody is sent twice, and the first valid row of an address wins."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import Planned, partition, plan, plan_segments, snapshot

ADDRESSES = [f"{name}@example.com" for name in "abcdef"]


@dataclass(frozen=True)
class Row:
    """``text`` as it stands in the file, and what must become of it: an address to send, or a reason."""

    text: str
    email: str = ""
    city: str = ""
    reason: str = ""

    @property
    def lines(self) -> int:
        return self.text.count("\n") + 1


def _good(email: str, spelt: int, city: str) -> Row:
    written = (email, email.upper(), f'" {email}\t"', f'"{email}"')[spelt]
    return Row(f"1,{written},{city}", email.upper() if spelt == 1 else email, city)


BAD = [
    Row("1,,Cork", reason="email_missing"),
    Row("1,nobody,Cork", reason="email_invalid"),
    Row("1,a@example.com,1812-06-24", reason="date_out_of_range"),
    Row(f"1,b@example.com,{'x' * 251}", reason="value_too_long"),
    Row('1,c@example.com,"two\nlines"', reason="control_character"),
    Row('"1\n1\n1",nobody,x', reason="email_invalid"),
    Row("1,a@example.com", reason="malformed_columns"),
    Row("1,b@example.com,Cork,more", reason="malformed_columns"),
    Row('1,"c@example.com"x,Cork', reason="malformed_quotes"),
    Row('1,"d@example.com,Cork', reason="malformed_quotes"),
    Row("", reason="blank"),
]
GOOD = st.builds(_good, st.sampled_from(ADDRESSES), st.integers(0, 3), st.sampled_from(["", "Cork", "'Łódź'", '5" x']))
# In quotes, so that it also ends a quote that is never closed.
LAST = Row('"1","last@example.com","Cork"', "last@example.com", "Cork")
ROWS = st.lists(st.one_of(GOOD, st.sampled_from(BAD)), max_size=12)


def _expected(files: list[list[Row]]) -> tuple[list[str], list[str], list[tuple[int, int, str]]]:
    """By hand: addresses and cities in the order of sending, and file, line and reason of each reject."""
    seen: set[str] = set()
    emails, cities, rejects = [], [], []
    for number, rows in enumerate(files, 1):
        line = 1
        for row in rows:
            if row.reason:
                if row.reason != "blank":
                    rejects.append((number, line, row.reason))
            elif row.email.lower() in seen:
                rejects.append((number, line, "duplicate_email"))
            else:
                seen.add(row.email.lower())
                emails.append(row.email)
                cities.append(row.city)
            line += row.lines
    return emails, cities, rejects


def _text(rows: list[Row]) -> str:
    return "\n".join(row.text for row in rows) + "\n"


def _balances(planned: Planned) -> None:
    account = planned.account
    turned_down = Counter(one.reason.partition("_")[0] for one in planned.rejects)
    assert account.malformed == turned_down.pop("malformed", 0)
    assert account.duplicate == turned_down.pop("duplicate", 0)
    assert account.invalid == sum(turned_down.values())
    assert account.to_send == len(planned.emails)
    assert account.rows_read == account.malformed + account.invalid + account.duplicate + account.to_send


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=st.lists(ROWS, min_size=1, max_size=3))
def test_whatever_the_rows(files: list[list[Row]]) -> None:
    whole = [[*rows, LAST] for rows in files]
    emails, cities, rejects = _expected(whole)

    planned = plan(*map(_text, whole))

    _balances(planned)
    assert planned.emails == emails
    assert [one["CustomFields"][0]["Value"] for one in planned.subscribers] == cities
    assert [(int(one.partition[-5]), one.line, one.reason) for one in planned.rejects] == rejects
    assert planned.account.rows_read == sum(row.reason != "blank" for rows in whole for row in rows)


def test_the_first_valid_row_of_an_address_wins() -> None:
    planned = plan(
        "1,A@example.com,1812-06-24\n2,a@example.com,Cork\n3,b@example.com,Cork\n",
        "4,a@EXAMPLE.com,Łódź\n5,c@example.com,Cork\n6,B@example.com,\n",
    )

    assert planned.emails == ["a@example.com", "b@example.com", "c@example.com"]
    assert [(one.partition[-5:], one.line, one.customer_id, one.email, one.reason) for one in planned.rejects] == [
        ("1.csv", 1, "1", "A@example.com", "date_out_of_range"),
        ("2.csv", 1, "4", "a@EXAMPLE.com", "duplicate_email"),
        ("2.csv", 3, "6", "B@example.com", "duplicate_email"),
    ]


def test_segments_are_one_list_in_their_order() -> None:
    one, two = (snapshot(partition(1), partition(2), segment=f"BlobExport/{name}") for name in ("One", "Two"))

    planned = plan_segments(
        [
            (one, ["1,a@example.com,One\n", "2,b@example.com,One\n"]),
            (two, ["3,B@example.com,Two\n3,bad,Two\n", "4,c@example.com,Two\n"]),
        ]
    )

    assert [one["CustomFields"][0]["Value"] for one in planned.subscribers] == ["One", "One", "Two"]
    assert [(one.segment, one.partition[-5:], one.line, one.reason) for one in planned.rejects] == [
        ("BlobExport/Two", "1.csv", 1, "duplicate_email"),
        ("BlobExport/Two", "1.csv", 2, "email_invalid"),
    ]
    _balances(planned)


def test_blocks_of_a_large_partition_are_one_list() -> None:
    """Over 16 MiB: the last row repeats the first, in another block."""
    rows = [f"{number},u{number}@example.com,{'x' * 240}\n" for number in range(70_000)]

    planned = plan("".join([*rows, rows[0].upper()]))

    assert planned.account.to_send == 70_000
    assert planned.reasons == [(70_001, "duplicate_email")]
    assert planned.emails == [f"u{number}@example.com" for number in range(70_000)]
    assert [len(slice_) for slice_ in planned.slices] == [24_000, 24_000, 22_000]
