"""The door for people who sign in: the pages of the console, and below them the API."""

from pathlib import Path

import azure.functions as func

from shared.app import app
from shared.azure.function_invocation import carried
from shared.web import console, log_without_bodies

log_without_bodies.keep_bodies_out_of_the_log()

_console = func.AsgiMiddleware(console.create(app, Path(__file__).with_name("static")))


async def main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    with carried(context):
        return await _console.handle_async(req, context)
