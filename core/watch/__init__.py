"""What a training looks like from outside: pure functions over its history and plan, for live and for old runs."""

from core.watch.episodes import Episode, episodes
from core.watch.gradients import spike
from core.watch.observation import Observation, Severity, WatchCode
from core.watch.observe import observe
from core.watch.remaining import seconds_left
from core.watch.remedies import Remedy, remedies
from core.watch.validation import stop_early

__all__ = [
    "Episode",
    "Observation",
    "Remedy",
    "Severity",
    "WatchCode",
    "episodes",
    "observe",
    "remedies",
    "seconds_left",
    "spike",
    "stop_early",
]
