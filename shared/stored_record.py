"""How stored records outlive versions: a field that this version does not know is read over, and written back."""

import json
from typing import Any

from pydantic import BaseModel


def read[T: BaseModel](model: type[T], data: bytes) -> T:
    """Raises ValidationError where a field that this version knows is not as it should be."""
    return model.model_validate_json(data, extra="ignore")


def written(record: BaseModel, before: bytes | None = None, *, exclude_defaults: bool = False) -> bytes:
    """The record as JSON, with all that ``before``, the JSON that it replaces, has beside: a newer version wrote it,
    and will look for it. Entries of a list are the same where their ``key`` is."""
    new = record.model_dump(mode="json", exclude_defaults=exclude_defaults)
    old = json.loads(before) if before else {}
    known = record.model_dump(mode="json") if exclude_defaults else new
    indent = None if exclude_defaults else 1
    return json.dumps(_with_unknown(new, known, old), indent=indent, ensure_ascii=False).encode()


def _with_unknown(new: Any, known: Any, old: Any) -> Any:
    if isinstance(new, dict) and isinstance(old, dict):
        kept = {name: _with_unknown(value, known.get(name), old.get(name)) for name, value in new.items()}
        return kept | {name: value for name, value in old.items() if name not in known}
    if isinstance(new, list) and isinstance(old, list):
        before = {one["key"]: one for one in old if isinstance(one, dict) and "key" in one}
        return [_with_unknown(one, one, before.get(one.get("key"))) if isinstance(one, dict) else one for one in new]
    return new
