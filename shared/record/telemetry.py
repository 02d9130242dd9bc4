"""What the app says of itself to those who run it: one line of JSON for each event, for queries and alerts.

    {"event":"step","export":"high-value","run":"20261123T020004120-9f0c2a1b","step":"send","slice":3,"delivery":1,
     "outcome":"done","seconds":41.2,"batches":50,"done":50,"added":120,"updated":49880,"refused":0,"calls":50,…}

The events and their values stand in docs/operations.md. A value is an id, a code, a number or a count: never an
address, a key or a row.
"""

import json
import logging
from typing import Literal

Event = Literal["tick", "not_started", "run_started", "run_resumed", "step", "rejected", "run_ended"]

_log = logging.getLogger(__name__)
# Also where the root logger asks for warnings only: alerts count these lines.
_log.setLevel(logging.INFO)


def tell(event: Event, **values: str | float | bool | None) -> None:
    """One line; what is None is left out. It is a warning where somebody may have to act."""
    level = logging.WARNING if event in ("not_started", "run_resumed") or values.get("error") else logging.INFO
    said = {name: value for name, value in values.items() if value is not None}
    _log.log(level, "%s", json.dumps({"event": event} | said, separators=(",", ":")))
