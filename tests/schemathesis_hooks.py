"""What schemathesis cannot know from the description alone; it loads this module by SCHEMATHESIS_HOOKS.

JSON Schema has no words for: each field of the list takes one value, a column or the names of the segments.
"""

from typing import Any

import schemathesis
from hypothesis import strategies as st

from shared.catalog.documents import field_key

BOUNDS = [(0, 59), (0, 23), (1, 28), (1, 12), (0, 6)]
NUMBERS = [st.one_of(st.just("*"), st.integers(low, high).map(str)) for low, high in BOUNDS]

schemathesis.openapi.format("cron", st.one_of(st.just("refresh"), st.tuples(*NUMBERS).map(" ".join)))


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    keys = keys_of(body)
    return len(set(keys)) == len(keys)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Bodies that cover each parameter are not filtered."""
    keys = keys_of(case.body)
    if keys and field_key(str(case.body["mapping"].get("segments_field"))) in keys:
        case.body = case.body | {"mapping": case.body["mapping"] | {"segments_field": None}}


def keys_of(body: Any) -> list[str]:
    """The fields of the list that columns go to; none where the body has another form."""
    mapping = body.get("mapping") if isinstance(body, dict) else None
    fields = mapping.get("custom_fields") if isinstance(mapping, dict) else None
    if not isinstance(fields, list) or not all(isinstance(field, dict) for field in fields):
        return []
    return [field_key(str(field.get("key"))) for field in fields]
