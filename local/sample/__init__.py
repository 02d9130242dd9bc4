"""A made-up Customer Insights export and what must come of it.

`Sample(profiles=3_000)` makes the blobs; `account`, `rejects`, `known_before` and `afterwards` say what an export of
it must find, turn down and leave on the list.
"""

from local.sample.columns import LIST_FIELDS, MAPPING
from local.sample.expectation import Reject, Subscriber, account, afterwards, known_before, rejects
from local.sample.layout import SEGMENT, Blob, Sample

__all__ = [
    "LIST_FIELDS",
    "MAPPING",
    "SEGMENT",
    "Blob",
    "Reject",
    "Sample",
    "Subscriber",
    "account",
    "afterwards",
    "known_before",
    "rejects",
]
