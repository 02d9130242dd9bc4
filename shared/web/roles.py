"""Who asks, and what a role may do. A door hands the caller to the API; what a request says of itself is not believed.

As in Customer Insights, administrators control where data can go, contributors what goes there and when.
"""

from dataclasses import dataclass

from shared.catalog.documents import Connection, Export
from shared.catalog.store import Catalog
from shared.errors import Forbidden, NotFound
from shared.settings import ROLES, Role


@dataclass(frozen=True)
class Caller:
    """``name`` is recorded with every change and every run."""

    name: str
    role: Role

    def has(self, least: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(least)

    def must_have(self, least: Role) -> None:
        """Raises Forbidden."""
        if not self.has(least):
            raise Forbidden(
                "role_missing",
                f"This needs the role {least}; the caller has the role {self.role}.",
                "Ask an administrator of this app.",
            )

    def may_use(self, connection: Connection) -> bool:
        return self.role == "admin" or (self.has("contributor") and connection.usable_by == "contributors")

    def must_manage(self, export: Export, catalog: Catalog) -> None:
        """Contributors manage every export whose connection is shared with them, also those of others, and those that
        have none. Raises Forbidden."""
        self.must_have("contributor")
        if export.connection is None or self.role == "admin":
            return
        try:
            allowed = self.may_use(catalog.connection(export.connection))
        except NotFound:
            allowed = False
        if not allowed:
            raise Forbidden(
                "connection_not_shared",
                f"There is no connection {export.connection} that is shared with contributors.",
                "Choose one that GET /api/connections lists, or ask an administrator to share it (usable_by).",
            )
