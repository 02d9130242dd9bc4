"""A faithful double of the Campaign Monitor API, for development and tests; see this folder's README."""

from local.standin.options import Options
from local.standin.server import StandIn

__all__ = ["Options", "StandIn"]
