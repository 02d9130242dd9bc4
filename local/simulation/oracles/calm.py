"""When nothing went wrong that would excuse anything, ``besides`` what begins like this."""

from local.simulation.weather import HARMLESS
from local.simulation.world import World


def is_calm(world: World, begin: float, end: float, *, besides: str = "nothing") -> bool:
    platform = world.platform
    dead = any(begin <= time <= end for time in platform.deaths)
    stalled = any(time <= end and time + long >= begin for time, long in platform.stalls)
    lost = any(begin - 400 <= time <= end for time in world.service.lost_answers)
    stormy = any(
        time <= end
        and until + 300 >= begin
        and any(not word.startswith((*HARMLESS, besides)) for word in words.split(", "))
        for time, until, words in world.history.storms
    )
    return not (dead or stalled or lost or stormy)
