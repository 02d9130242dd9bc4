"""What schemathesis cannot know from the description alone; it loads this module by SCHEMATHESIS_HOOKS."""

from typing import Any

import schemathesis
from hypothesis import strategies as st

NUMBERS = [
    st.one_of(st.just("*"), st.integers(low, high).map(str))
    for low, high in [(0, 59), (0, 23), (1, 28), (1, 12), (0, 6)]
]

schemathesis.openapi.format("cron", st.one_of(st.just("refresh"), st.tuples(*NUMBERS).map(" ".join)))


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """JSON Schema has no word for: each custom field once."""
    mapping = body.get("mapping") if isinstance(body, dict) else None
    fields = mapping.get("custom_fields") if isinstance(mapping, dict) else None
    if not isinstance(fields, list) or not all(isinstance(field, dict) for field in fields):
        return True
    keys = [
        str(field.get("key")).strip().removeprefix("[").removesuffix("]").replace(" ", "").casefold()
        for field in fields
    ]
    return len(set(keys)) == len(keys)
