"""The control path, `/control/…`: what a test or a demo sets up and reads back. It needs no credential.

A malformed call is answered 400 and told what is allowed; nothing of it is done.
"""

import json
from collections.abc import Callable

from pydantic import BaseModel, ValidationError

from local.standin import seeding
from local.standin.answers import Answer, Payload, RefusalError, render
from local.standin.dump import subscribers_as_ndjson
from local.standin.faults import FaultPlan, Faults
from local.standin.options import Options
from local.standin.routing import Request, match
from local.standin.specifications import AccountBody, NewClient, NewFields, NewList, NewSubscribers, TokenBody
from local.standin.state import State

Operation = Callable[[State, Request, dict[str, str]], Answer | Payload]


def control(request: Request, state: State) -> Payload:
    """The answer to any path under `/control`."""
    try:
        found = match(OPERATIONS, request.method, request.path.removeprefix("/control").strip("/"))
        if found is None:
            calls = [f"{method} /control/{pattern}" for method, pattern, _ in OPERATIONS]
            return render(Answer({"error": "no such control call", "allowed": calls}, 404))
        operation, arguments = found
        answer = operation(state, request, arguments)
    except seeding.MisfitError as problem:
        answer = Answer({"error": str(problem)}, 400)
    except RefusalError as refusal:
        answer = Answer({"error": str(refusal)}, 400)
    return answer if isinstance(answer, Payload) else render(answer)


def _body[T: BaseModel](kind: type[T], request: Request) -> T:
    """Raises MisfitError with what is wrong and what is allowed."""
    try:
        return kind.model_validate_json(request.body)
    except ValidationError as problem:
        wrong = [f"{'.'.join(map(str, error['loc'])) or 'body'}: {error['msg']}" for error in problem.errors()]
        raise seeding.MisfitError(f"{'; '.join(wrong)}. Allowed: {json.dumps(kind.model_json_schema())}") from None


def _accounts(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    body = _body(AccountBody, request)
    with state.database.transaction() as sql:
        return Answer(seeding.add_account(sql, body), 201)


def _clients(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    body = _body(NewClient, request)
    with state.database.transaction() as sql:
        return Answer(seeding.add_client(sql, body.account, body), 201)


def _lists(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    body = _body(NewList, request)
    with state.database.transaction() as sql:
        return Answer(seeding.add_list(sql, body.client_id, body), 201)


def _fields(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    body = _body(NewFields, request)
    with state.database.transaction() as sql:
        return Answer(seeding.add_fields(sql, body.list_id, body.fields), 201)


def _token(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    body = _body(TokenBody, request)
    with state.database.transaction() as sql:
        seeding.add_token(sql, body)
    return Answer()


def _subscribers(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    body = _body(NewSubscribers, request)
    with state.database.transaction() as sql:
        seeding.put_subscribers(sql, body, state.options.moment())
    return Answer()


def _dump(state: State, request: Request, arguments: dict[str, str]) -> Payload:
    query = request.query
    with state.database.transaction() as sql:
        found = seeding.the_list(sql, arguments["list"])
        most = int(query.get("most", "-1"))  # SQLite: no limit
        content = subscribers_as_ndjson(sql, found, query.get("after", ""), most)
    return Payload(200, {"Content-Type": "application/x-ndjson; charset=utf-8"}, content)


def _read_options(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    return Answer(state.options.model_dump(mode="json"))


def _set_options(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    """Those in the body; the others stay."""
    stated = _body(Options, request).model_dump(exclude_unset=True)
    state.options = state.options.model_copy(update=stated)
    return _read_options(state, request, arguments)


def _read_faults(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    return Answer(state.faults.plan.model_dump(mode="json"))


def _set_faults(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    """In place of those before; every count begins anew."""
    state.faults = Faults(_body(FaultPlan, request))
    return _read_faults(state, request, arguments)


def _clear_faults(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    state.faults = Faults(FaultPlan())
    return Answer()


def _read_log(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    calls = state.log.read(request.query.get("path", ""))
    return Answer({"peak_in_flight": max((call["in_flight"] for call in calls), default=0), "calls": calls})


def _clear_log(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    state.log.clear()
    return Answer()


def _reset(state: State, request: Request, arguments: dict[str, str]) -> Answer:
    state.reset()
    return Answer()


OPERATIONS: tuple[tuple[str, str, Operation], ...] = (
    ("POST", "accounts", _accounts),
    ("POST", "clients", _clients),
    ("POST", "lists", _lists),
    ("POST", "fields", _fields),
    ("PUT", "tokens", _token),
    ("PUT", "subscribers", _subscribers),
    ("GET", "lists/{list}/subscribers", _dump),
    ("GET", "options", _read_options),
    ("PUT", "options", _set_options),
    ("GET", "faults", _read_faults),
    ("PUT", "faults", _set_faults),
    ("DELETE", "faults", _clear_faults),
    ("GET", "log", _read_log),
    ("DELETE", "log", _clear_log),
    ("POST", "reset", _reset),
)
