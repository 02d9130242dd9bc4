"""How long things take in Azure, as measured or read; whoever cannot wait for that says what is quicker."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """In seconds.

    ``invisible``: for how long a message is hidden when it is taken, and when that is renewed, at half of it. Only
    where an instance has died does it come back by that.
    ``storage_patience``: for how long a call of a listener that storage fails is tried again.
    ``grace``: what a stop leaves to those that run (RpcFunctionInvocationDispatcher, _shutdownTimeout).
    ``tick_lease``: after how long another instance looks whether the one that ticks is gone, and how long it is held.
    """

    invisible: float = 600.0
    storage_patience: float = 25.0
    grace: float = 10.0
    tick_lease: float = 60.0


AS_IN_AZURE = Times()

# A setting for those who look on: an empty queue is asked four times a second, not every maxPollingInterval.
ASKED_OFTEN = {"AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.25"}
