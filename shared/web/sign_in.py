"""Who has signed in, as App Service authentication says it.

It puts the header X-MS-CLIENT-PRINCIPAL on every call of somebody who has signed in, and takes it away from what comes
from outside (Microsoft's documentation of "Work with user identities"). Both only while it is on, so a door asks the
setting REQUIRE_SIGN_IN before it reads the header.
"""

import base64
import json
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.settings import ROLES, Role

HEADER = "x-ms-client-principal"

APP_ROLES: Mapping[str, Role] = {
    "Exports.Viewer": "viewer",
    "Exports.Contributor": "contributor",
    "Exports.Admin": "admin",
}

# Entra ID gives app roles as "roles", whatever role_typ says; with claims mapping they have the name in role_typ.
_ROLES = "roles"
_NAMES = ("preferred_username", "name")


class _Claim(BaseModel):
    model_config = ConfigDict(frozen=True)

    typ: str
    val: str


class _Principal(BaseModel):
    model_config = ConfigDict(frozen=True)

    claims: tuple[_Claim, ...] = ()
    name_typ: str | None = None
    role_typ: str | None = None


class SignedIn(BaseModel):
    """Somebody who has signed in; ``role`` is the highest of their app roles, None where they have none."""

    model_config = ConfigDict(frozen=True)

    name: str
    role: Role | None


def signed_in(headers: Mapping[str, str]) -> SignedIn | None:
    """None where nobody has, or where the header is not what the platform writes."""
    try:
        principal = _Principal.model_validate(json.loads(base64.b64decode(headers.get(HEADER, ""), validate=True)))
    except (ValueError, ValidationError):
        return None
    names = (principal.name_typ, *_NAMES)
    name = next((claim.val for typ in names for claim in principal.claims if typ and claim.typ == typ), "").strip()
    if not name:
        return None
    held = {claim.val for claim in principal.claims if claim.typ in (principal.role_typ, _ROLES)}
    roles = [role for app_role, role in APP_ROLES.items() if app_role in held]
    return SignedIn(name=name[:320], role=max(roles, key=ROLES.index, default=None))
