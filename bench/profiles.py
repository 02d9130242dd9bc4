"""Made-up profiles as Customer Insights may write them: 40 columns, every cell in quotes, no header row.

Made one piece after the other, so that no number of them takes memory. All are valid and no two have one address, so
that a run of them ends as `succeeded` and the peers, which check nothing, do the same work.
"""

from collections.abc import Iterator
from itertools import batched
from random import Random

MAPPED = ("EMail", "FirstName", "LastName", "City", "BirthDate", "TotalSpend")
COLUMNS = ("CustomerId", *MAPPED, *(f"Attribute{number}" for number in range(7, 40)))
FIELDS = [
    {"name": "City", "type": "Text"},
    {"name": "BirthDate", "type": "Date"},
    {"name": "TotalSpend", "type": "Number"},
]
MAPPING = {
    "email": "EMail",
    "first_name": "FirstName",
    "last_name": "LastName",
    "custom_fields": [{"key": field["name"], "column": field["name"]} for field in FIELDS],
}
CHANGED_EVERY = 100
_ROWS_IN_A_PIECE = 5_000
_NAMES = ("Jonas", "Ona", "Rūta", "Małgorzata", "Γιώργος", "秀英", "Seán", 'Robert ""Bob""', "Mary Ann", "Grace")
_FAMILIES = ("Kazlauskas", "Wójcik", "Παπαδόπουλος", "O'Brien", "Smith, Jr.", "Taylor", "陈", "Evans", "Žukauskaitė")
_CITIES = ("Vilnius", "Łódź", "Θεσσαλονίκη", "上海", "Washington, D.C.", "Cork", "'s-Hertogenbosch")


def pieces(first: int, end: int, *, changed: bool = False) -> Iterator[bytes]:
    """Profiles `first` to `end` (exclusive) as CSV. `changed`: one in CHANGED_EVERY has moved to another city."""
    dice = Random(1)
    # Values that nothing maps: shared, since making them anew for each row would take longer than the run.
    tails = [
        "".join(
            f',"{dice.choice(("", "true", "2024-01-31T23:59:59Z", f"value {dice.randrange(10**6)}"))}"'
            for _ in COLUMNS[7:]
        )
        for _ in range(61)
    ]
    for numbers in batched(range(first, end), _ROWS_IN_A_PIECE, strict=False):
        yield "".join(
            f'"{n * 2654435761 & 0xFFFFFFFFFFFFFFFF:032x}","person{n}@example.com","{_NAMES[n % 10]}",'
            f'"{_FAMILIES[n % 9]}","{"Kaunas" if changed and n % CHANGED_EVERY == 0 else _CITIES[n % 7]}",'
            f'"{1940 + n % 67}-{1 + n % 12:02}-{1 + n % 28:02}","{n % 9973}.{n % 100:02}"{tails[n % 61]}\n'
            for n in numbers
        ).encode()
