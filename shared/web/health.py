"""The routes that tell of the app itself, and of the caller."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from pydantic import BaseModel

from shared.checks import health
from shared.settings import Role
from shared.web.request_parts import AS_VIEWER, Viewer, Wired, answers

router = APIRouter(tags=["health"])


class CallerView(BaseModel):
    name: str
    role: Role


@router.get(
    "/health",
    dependencies=[AS_VIEWER],
    responses=answers()
    | {
        int(HTTPStatus.OK): {"description": "Everything answers."},
        int(HTTPStatus.SERVICE_UNAVAILABLE): {"description": "Something does not.", "model": health.Health},
    },
)
def get_health(app: Wired, response: Response) -> health.Health:
    """Whether storage, vault and queue answer, when the timer last ticked, and how many messages were given up."""
    found = health.look(app)
    if not found.ok:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return found


@router.get("/me", responses=answers())
def get_me(caller: Viewer) -> CallerView:
    """Who the caller is to this door."""
    return CallerView(name=caller.name, role=caller.role)
