"""Answers to an import that are right in an odd way: nobody has promised that they never come."""

import json
import random
from typing import Any

from local.standin.answers import Payload

_MISSPELT, _UNTOLD = "failures misspelt", "a failure untold"
_NO_FIT, _SWAPPED = "a count that does not fit", "new for existing"
UNLISTED = "failures with a code that nobody listed"
NAMELESS = (_MISSPELT, _UNTOLD)  # nobody can tell from it who was refused
MISCOUNTED = (*NAMELESS, _NO_FIT, _SWAPPED)  # or how many were what


def oddly(payload: Payload, chance: random.Random) -> tuple[Payload, str]:
    """The answer otherwise, and how."""
    answer, result = _parsed(payload)
    if result is None:
        return payload, "it is as it was"
    how = chance.choice(_WAYS)
    said = how(result, chance)
    mark = b"\xef\xbb\xbf" if how is _with_mark else b""
    return Payload(payload.status, payload.headers, mark + json.dumps(answer).encode()), said


def with_blanks(payload: Payload) -> Payload:
    """The answer with blanks around each address that it names."""
    answer, result = _parsed(payload)
    if result is None:
        return payload
    _put_blanks(result)
    return Payload(payload.status, payload.headers, json.dumps(answer).encode())


def _parsed(payload: Payload) -> tuple[Any, dict[str, Any] | None]:
    """All of the answer to an import, and its result; None where it has none."""
    try:
        answer = json.loads(payload.content)
    except ValueError:
        return None, None
    result = answer.get("ResultData", answer) if isinstance(answer, dict) else None
    is_result = isinstance(result, dict) and "TotalNewSubscribers" in result
    return answer, result if is_result else None


def _more(result: dict[str, Any], chance: random.Random) -> str:
    by = chance.choice([-1, 1])
    result["TotalExistingSubscribers"] = max(0, result["TotalExistingSubscribers"] + by)
    return _NO_FIT


def _swapped(result: dict[str, Any], _: random.Random) -> str:
    new, existing = result["TotalNewSubscribers"], result["TotalExistingSubscribers"]
    result["TotalNewSubscribers"], result["TotalExistingSubscribers"] = existing, new
    return _SWAPPED


def _in_capitals(result: dict[str, Any], _: random.Random) -> str:
    for one in result["FailureDetails"]:
        one["EmailAddress"] = one["EmailAddress"].upper()
    return "failures in capitals"


def _with_blanks(result: dict[str, Any], _: random.Random) -> str:
    _put_blanks(result)
    return "failures with blanks"


def _put_blanks(result: dict[str, Any]) -> None:
    for one in result["FailureDetails"]:
        one["EmailAddress"] = f" {one['EmailAddress']}\t"


def _misspelt(result: dict[str, Any], _: random.Random) -> str:
    for one in result["FailureDetails"]:
        one["EmailAddress"] = one["EmailAddress"].replace("@", "=40")
    return _MISSPELT if result["FailureDetails"] else "it is as it was"


def _unlisted_code(result: dict[str, Any], _: random.Random) -> str:
    for one in result["FailureDetails"]:
        one["Code"] = 299
    return UNLISTED


def _twice(result: dict[str, Any], _: random.Random) -> str:
    result["FailureDetails"] += result["FailureDetails"][:1]
    return "a failure twice"


def _without_details(result: dict[str, Any], _: random.Random) -> str:
    told = result["FailureDetails"]
    result["FailureDetails"] = told[1:]
    return _UNTOLD if told else "it is as it was"


def _with_mark(_result: dict[str, Any], _: random.Random) -> str:
    return "behind a byte order mark"


_WAYS = (_more, _swapped, _in_capitals, _with_blanks, _misspelt, _unlisted_code, _twice, _without_details, _with_mark)
