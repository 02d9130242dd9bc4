"""An account, opened for somebody who waits for the answer."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from shared.catalog.documents import Connection
from shared.errors import ConfigurationError, Conflict, DeploymentError
from shared.parts import App
from shared.ports.destination import Destination

CALLS_AT_ONCE = 8  # an agency has hundreds of clients, and each is asked for its lists


@contextmanager
def opened(app: App, connection: Connection) -> Iterator[Destination]:
    """Raises Conflict where its key cannot be read: that is no fault of the request."""
    try:
        account = app.account(connection, at_once=CALLS_AT_ONCE, patient=False)
    except DeploymentError:
        raise
    except ConfigurationError as error:
        raise Conflict(error.code, error.message, error.action, field=error.field) from error
    with closing(account):
        yield account
