"""The door for programs: whoever has a function key has the role that the setting FUNCTION_KEY_ROLE gives."""

import azure.functions as func
from starlette.requests import Request

from shared.app import app
from shared.azure.function_invocation import carried
from shared.web import api, log_without_bodies
from shared.web.roles import Caller

log_without_bodies.keep_bodies_out_of_the_log()


def caller_of(_: Request) -> Caller:
    """Nothing in the request is asked: headers that claim an identity are for the door where people sign in."""
    return Caller("function key", app().settings.function_key_role)


_api = func.AsgiMiddleware(api.create(app, caller_of))


async def main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    with carried(context):
        return await _api.handle_async(req, context)
