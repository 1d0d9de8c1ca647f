"""observe: everything that is worth saying about a training at this moment, worst first."""

from core.history import RunHistory
from core.plan import TrainingPlan
from core.watch.answers import answers
from core.watch.gradients import recent_spike
from core.watch.losses import diverging, learning, memorised, not_a_number, not_learning, plateau
from core.watch.observation import Observation, Severity, WatchCode
from core.watch.pace import pace
from core.watch.validation import overfitting, stop_early

_SEVERITIES = tuple(Severity)
_CODES = tuple(WatchCode)
#: Where one of the first is seen, the second says the same with less.
_COVERED = {
    WatchCode.NOT_LEARNING: WatchCode.PLATEAU,
    WatchCode.DIVERGING: WatchCode.NOT_LEARNING,
    WatchCode.OVERFITTING: WatchCode.MEMORISED,
}


def observe(history: RunHistory, plan: TrainingPlan) -> tuple[Observation, ...]:
    """Judge a training by what is known now, each code once; what is over is not told any more.

    Cheap enough for every frame: only windows of bounded length are looked at.
    """
    if not history.steps:
        return ()
    looks = (not_a_number, diverging, not_learning, stop_early, plateau, memorised, pace)
    found = [look(history, plan) for look in looks]
    found += [overfitting(history), recent_spike(history), *answers(history, plan)]
    seen = {each.code: each for each in found if each is not None}
    for code in [covered for code, covered in _COVERED.items() if code in seen]:
        seen.pop(code, None)
    if not seen and (well := learning(history, plan)) is not None:
        seen[well.code] = well
    return tuple(sorted(seen.values(), key=lambda each: (_SEVERITIES.index(each.severity), _CODES.index(each.code))))
