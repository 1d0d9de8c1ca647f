"""Episodes: what was observed in the course of a run, from when to when, for runs that nobody watched."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.events import Evaluated, Event, Last, Sampled, StepDone
from core.history import RunHistory
from core.plan import TrainingPlan
from core.watch.observation import Observation, Severity, WatchCode
from core.watch.observe import observe

#: How often a run is looked at.
_LOOKS = 200


@dataclass(frozen=True)
class Episode:
    """An observation at its worst, seen from step `first` to step `last`; `now` when it was there at the end."""

    observation: Observation
    first: int
    last: int
    now: bool


def episodes(events: Iterable[Event], plan: TrainingPlan) -> tuple[Episode, ...]:
    """What was observed in the course of `events`, in the order in which it began; good observations only at the end.

    The run is looked at about 200 times, and at each evaluation and round of samples.
    """
    history, found = RunHistory(), list[Episode]()
    lasting: dict[WatchCode, Episode] = {}
    for event in events:
        history.apply(event)
        every = max(1, history.total_steps // _LOOKS)
        if not isinstance(event, Evaluated | Sampled | Last | StepDone):
            continue
        if isinstance(event, StepDone) and event.step % every and event.step < event.total_steps:
            continue
        seen = {each.code: each for each in observe(history, plan) if each.severity is not Severity.GOOD}
        for code in [code for code in lasting if code not in seen]:
            found.append(lasting.pop(code))
        for code, each in seen.items():
            lasting[code] = _longer(lasting.get(code), each, history.step)
    found += [Episode(each.observation, each.first, each.last, now=True) for each in lasting.values()]
    good = [each for each in observe(history, plan) if each.severity is Severity.GOOD]
    found += [Episode(each, each.since_step, each.step, now=True) for each in good]
    return tuple(sorted(found, key=lambda each: each.first))


def _longer(before: Episode | None, seen: Observation, step: int) -> Episode:
    if before is None:
        return Episode(seen, step, step, now=False)
    severities = tuple(Severity)
    worse = severities.index(seen.severity) <= severities.index(before.observation.severity)
    return Episode(seen if worse else before.observation, before.first, step, now=False)
