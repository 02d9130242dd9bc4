"""The control path, `/control/…`: what a test or a demo sets up and reads back. It needs no credential.

A malformed call is answered 400 and told what is allowed; nothing of it is done.
"""

import re
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from local.standin import seeding
from local.standin.answers import Answer, Payload, RefusalError, render
from local.standin.dump import subscribers_as_ndjson
from local.standin.faults import FaultPlan, Faults
from local.standin.options import Options
from local.standin.pending import store_due
from local.standin.routing import Request, find_route
from local.standin.seeding import MisfitError
from local.standin.specifications import (
    AccountBody,
    ChangedKey,
    NewClient,
    NewFields,
    NewList,
    NewSubscribers,
    TokenBody,
)
from local.standin.state import State


@dataclass(frozen=True)
class ControlCall:
    state: State
    request: Request
    arguments: dict[str, str]

    def body[T: BaseModel](self, kind: type[T]) -> T:
        """Raises MisfitError with what is wrong and what is allowed."""
        try:
            return kind.model_validate_json(self.request.body)
        except ValidationError as problem:
            wrong = [f"{'.'.join(map(str, error['loc'])) or 'body'}: {error['msg']}" for error in problem.errors()]
            raise MisfitError("; ".join(wrong), kind.model_json_schema()) from None

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return self.state.database.transaction()


Operation = Callable[[ControlCall], Answer | Payload]


def control(request: Request, state: State) -> Payload:
    """The answer to any path under `/control`."""
    try:
        found = find_route(OPERATIONS, request.method, request.path.removeprefix("/control").strip("/"))
        if found is None:
            calls = [f"{method} /control/{pattern}" for method, pattern, _ in OPERATIONS]
            return render(Answer({"error": "no such control call", "allowed": calls}, 404))
        operation, arguments = found
        answer = operation(ControlCall(state, request, arguments))
    except MisfitError as problem:
        answer = Answer({"error": str(problem), "allowed": problem.allowed}, 400)
    except RefusalError as refusal:
        answer = Answer({"error": str(refusal)}, 400)
    return answer if isinstance(answer, Payload) else render(answer)


def _accounts(call: ControlCall) -> Answer:
    body = call.body(AccountBody)
    with call.transaction() as sql:
        return Answer(seeding.add_account(sql, body), 201)


def _clients(call: ControlCall) -> Answer:
    body = call.body(NewClient)
    with call.transaction() as sql:
        return Answer(seeding.add_client(sql, body.account, body), 201)


def _lists(call: ControlCall) -> Answer:
    body = call.body(NewList)
    with call.transaction() as sql:
        return Answer(seeding.add_list(sql, body.client_id, body), 201)


def _fields(call: ControlCall) -> Answer:
    body = call.body(NewFields)
    with call.transaction() as sql:
        return Answer(seeding.add_fields(sql, body.list_id, body.fields), 201)


def _token(call: ControlCall) -> Answer:
    body = call.body(TokenBody)
    with call.transaction() as sql:
        seeding.add_token(sql, body)
    return Answer()


def _key(call: ControlCall) -> Answer:
    body = call.body(ChangedKey)
    with call.transaction() as sql:
        seeding.change_key(sql, body)
    return Answer()


def _subscribers(call: ControlCall) -> Answer:
    body = call.body(NewSubscribers)
    with call.transaction() as sql:
        seeding.put_subscribers(sql, body, call.state.options.moment())
    return Answer()


def _dump(call: ControlCall) -> Payload:
    query = call.request.query
    most = query.get("most", "-1")  # SQLite: no limit
    if not re.fullmatch(r"-1|\d{1,9}", most):
        raise MisfitError("most: not a number", "a whole number of lines; without it, all of them")
    with call.transaction() as sql:
        store_due(sql)
        found = seeding.the_list(sql, call.arguments["list"])
        content = subscribers_as_ndjson(sql, found, query.get("after", ""), int(most))
    return Payload(200, {"Content-Type": "application/x-ndjson; charset=utf-8"}, content)


def _read_options(call: ControlCall) -> Answer:
    return Answer(call.state.options.model_dump(mode="json"))


def _set_options(call: ControlCall) -> Answer:
    """Those in the body; the others stay."""
    stated = call.body(Options).model_dump(exclude_unset=True)
    call.state.options = call.state.options.model_copy(update=stated)
    return _read_options(call)


def _reset_options(call: ControlCall) -> Answer:
    call.state.options = call.state.initial_options
    return _read_options(call)


def _read_faults(call: ControlCall) -> Answer:
    return Answer(call.state.faults.plan.model_dump(mode="json"))


def _set_faults(call: ControlCall) -> Answer:
    """In place of those before; every count begins anew."""
    call.state.faults = Faults(call.body(FaultPlan))
    return _read_faults(call)


def _clear_faults(call: ControlCall) -> Answer:
    call.state.faults = Faults(FaultPlan())
    return Answer()


def _read_log(call: ControlCall) -> Answer:
    """`path` is searched in the calls' paths; `summary=true` leaves the calls themselves out."""
    pattern = call.request.query.get("path", "")
    try:
        calls = call.state.log.read(pattern)
    except re.error as problem:
        raise MisfitError(f"path: {problem}", "a regular expression") from None
    rows: dict[str, int] = {}
    for each in calls:
        rows[str(each["status"])] = rows.get(str(each["status"]), 0) + (each["rows"] or 0)
    summary = {
        "peak_in_flight": max((each["in_flight"] for each in calls), default=0),
        "number": len(calls),
        "rows_by_status": rows,
    }
    return Answer(summary if call.request.query.get("summary") == "true" else summary | {"calls": calls})


def _clear_log(call: ControlCall) -> Answer:
    call.state.log.clear()
    return Answer()


def _reset(call: ControlCall) -> Answer:
    call.state.reset()
    return Answer()


OPERATIONS: tuple[tuple[str, str, Operation], ...] = (
    ("POST", "accounts", _accounts),
    ("POST", "clients", _clients),
    ("POST", "lists", _lists),
    ("POST", "fields", _fields),
    ("PUT", "tokens", _token),
    ("PUT", "keys", _key),
    ("PUT", "subscribers", _subscribers),
    ("GET", "lists/{list}/subscribers", _dump),
    ("GET", "options", _read_options),
    ("PUT", "options", _set_options),
    ("DELETE", "options", _reset_options),
    ("GET", "faults", _read_faults),
    ("PUT", "faults", _set_faults),
    ("DELETE", "faults", _clear_faults),
    ("GET", "log", _read_log),
    ("DELETE", "log", _clear_log),
    ("POST", "reset", _reset),
)
