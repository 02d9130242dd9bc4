"""The HTTP door: each request goes to the API."""

import azure.functions as func

from shared.app import app
from shared.web import api

_api = func.AsgiMiddleware(api.create(app))


async def main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return await _api.handle_async(req, context)
