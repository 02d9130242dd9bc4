"""How one call is carried through: limits first, then faults, the service, and the time that it takes."""

import gzip
import re
import traceback
from collections.abc import Callable
from dataclasses import replace

from local.standin.answers import Answer, Payload, render
from local.standin.envelope import rows_in
from local.standin.faults import IMPORT_PATH, Fault, too_many
from local.standin.request_log import Entry
from local.standin.routing import Request
from local.standin.service import Reply, serve
from local.standin.state import State

Gone = Callable[[], bool]  # whether the client has closed the connection

BOM = b"\xef\xbb\xbf"
_IMPORT = re.compile(IMPORT_PATH, re.IGNORECASE)
_WORTH_COMPRESSING = 1000  # bytes


class ResetError(Exception):
    """The connection is to be reset instead of answered."""


class HangUpError(Exception):
    """The connection is to be closed without an answer."""


def conduct(request: Request, state: State, entry: Entry, gone: Gone) -> Payload:
    """The answer to one call of the API. Raises ResetError or HangUpError in place of one."""
    entry.bytes = len(request.body)
    if _IMPORT.search(request.path):
        entry.rows = rows_in(request.body)
    options = state.options
    if not state.pace.allows(options.calls_per_second):
        entry.note = "over calls_per_second"
        return too_many("reset", 1)
    fault = state.faults.strike(request.method, request.path)
    entry.fault = f"{fault.kind} {fault.when}" if fault else ""
    with state.gate.passing(options.calls_at_once):
        payload = _faulty(request, state, entry, fault, gone)
        state.wait(options.latency + options.latency_per_1000 * (entry.rows or 0) / 1000)
    if fault and fault.kind == "bom":
        payload = replace(payload, content=BOM + payload.content)
    return _compressed(request, payload, options.compress == "accepted", bool(fault and fault.kind == "gzip"))


def _faulty(request: Request, state: State, entry: Entry, fault: Fault | None, gone: Gone) -> Payload:
    if fault and fault.when == "before":
        spoilt = _spoil(state, entry, fault, gone)
        if spoilt:
            return spoilt
    reply = _served(request, state)
    entry.note = reply.note
    if fault and fault.when == "after":
        return _spoil(state, entry, fault, gone) or reply.payload
    return reply.payload


def _spoil(state: State, entry: Entry, fault: Fault, gone: Gone) -> Payload | None:
    """The fault's own answer, or None where the service's answer is still to come."""
    match fault.kind:
        case "reset":
            raise ResetError
        case "hang":
            state.hang(fault.seconds, gone)
            raise HangUpError
        case "slow":
            state.wait(fault.seconds + fault.seconds_per_1000 * (entry.rows or 0) / 1000)
    return fault.payload() if fault.answers else None


def _served(request: Request, state: State) -> Reply:
    """A mistake of the stand-in's own must not look like a fault of the network."""
    try:
        return serve(request, state)
    except Exception:
        problem = traceback.format_exc()
        answer = Answer({"Code": 500, "Message": "The stand-in itself failed; its request log says how."}, 500)
        return Reply(render(answer), problem)


def _compressed(request: Request, payload: Payload, allowed: bool, forced: bool) -> Payload:
    accepted = "gzip" in request.headers.get("Accept-Encoding", "")
    if not forced and not (allowed and accepted and len(payload.content) >= _WORTH_COMPRESSING):
        return payload
    headers = {**payload.headers, "Content-Encoding": "gzip"}
    return Payload(payload.status, headers, gzip.compress(payload.content, compresslevel=1))
