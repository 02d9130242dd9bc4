"""`POST /oauth/token`: a new access token for a refresh token. Needs no other credential."""

import secrets
import sqlite3
from urllib.parse import parse_qsl

from local.standin.answers import Answer
from local.standin.options import Options

LIFETIME = 1_209_600  # seconds: 14 days


def refresh(sql: sqlite3.Connection, body: bytes, options: Options) -> Answer:
    """The client libraries send the form `grant_type=refresh_token&refresh_token=…`, without a client secret."""
    form = dict(parse_qsl(body.decode(errors="replace")))
    old = form.get("refresh_token", "")
    row = sql.execute("SELECT access_token, state FROM token WHERE refresh_token = ?", (old,)).fetchone()
    if form.get("grant_type") != "refresh_token" or row is None or row["state"] == "revoked":
        error = {"error": "invalid_grant", "error_description": "Specified refresh_token was invalid"}
        return Answer(error, options.invalid_grant_status)
    access = secrets.token_urlsafe(48)
    new = secrets.token_urlsafe(48) if options.refresh_rotates else old
    sql.execute(
        "UPDATE token SET access_token = ?, refresh_token = ?, state = 'valid' WHERE access_token = ?",
        (access, new, row["access_token"]),
    )
    return Answer({"access_token": access, "expires_in": LIFETIME, "refresh_token": new})
