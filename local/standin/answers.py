"""What the stand-in answers: a status and a body, as JSON, or as XML where the path does not end in `.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Answer:
    """`body` is whatever JSON can hold; None sends no body at all."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusalError(Exception):
    """A call that the service turns down as a whole: nothing of it is stored."""

    def __init__(self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}, Code {code}: {message}")
        self.code = code
        self.message = message
        self.answer = Answer({"Code": code, "Message": message}, status, headers or {})


@dataclass(frozen=True)
class Payload:
    """The bytes of an answer, ready for the wire."""

    status: int
    headers: dict[str, str]
    content: bytes


def render(answer: Answer, *, as_json: bool = True) -> Payload:
    headers = dict(answer.headers)
    if answer.body is None:
        return Payload(answer.status, headers, b"")
    if as_json:
        headers["Content-Type"] = "application/json; charset=utf-8"
        return Payload(answer.status, headers, json.dumps(answer.body, ensure_ascii=False).encode())
    headers["Content-Type"] = "application/xml; charset=utf-8"
    text = '<?xml version="1.0" encoding="utf-8"?>' + _xml("Result", answer.body)
    return Payload(answer.status, headers, text.encode())


def _xml(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        inner = "".join(_xml(key, item) for key, item in value.items())
    elif isinstance(value, list):
        inner = "".join(_xml("Item", item) for item in value)
    elif isinstance(value, bool):
        inner = str(value).lower()
    else:
        inner = "" if value is None else escape(str(value))
    return f"<{name}>{inner}</{name}>"
