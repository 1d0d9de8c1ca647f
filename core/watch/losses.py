"""What the training loss says: no number, rising, flat from the start, flat by now, or nearly nothing left."""

from itertools import pairwise
from statistics import median

from core.events import StepDone
from core.history import RunHistory
from core.plan import TrainingPlan
from core.watch.observation import Observation, Severity, WatchCode
from core.watch.series import Level, every_nth, level, mean_loss, rounded, spread, stage_steps, swing
from core.watch.validation import GAP

#: Steps for which a loss that was no number is told.
_TOLD = 20
#: A loss has risen when it is above its lowest by this share of it, by so much, and by so many standard deviations.
_RISE, _RISE_LEAST, _SIGMAS = 0.25, 0.15, 6.0
_FAR, _MANY = 1.0, 30
#: Blocks of steps among which the lowest loss is looked for.
_BLOCKS = 40
#: A loss that surely fell by less than this share of itself did not fall: since the start, and over the last fifth.
_STILL, _FLAT = 0.015, 0.015
#: Steps in a row without gradient, rate or tokens.
_IDLE = 5
#: Below this training loss rows are known by heart: a perplexity of 1.03.
_BY_HEART = 0.03
#: With a validation loss below this one the model knows what it has not seen, too.
_KNOWN = 0.15


def not_a_number(history: RunHistory, _plan: TrainingPlan) -> Observation | None:
    """Losses among the newest steps, or a newest evaluation, that were NaN or infinite."""
    recent = history.steps[-_TOLD:]
    broken = [step for step in recent if step.loss is None]
    if broken:
        newest = broken[-1]
        facts: dict[str, object] = {"steps": len(broken), "learning_rate": newest.learning_rate}
        return Observation(WatchCode.NOT_A_NUMBER, Severity.TROUBLE, newest.step, broken[0].step, facts)
    evaluation = history.evaluations[-1] if history.evaluations else None
    if evaluation is not None and evaluation.loss is None:
        facts = {"evaluation": evaluation.step}
        return Observation(WatchCode.NOT_A_NUMBER, Severity.TROUBLE, evaluation.step, evaluation.step, facts)
    return None


def diverging(history: RunHistory, plan: TrainingPlan) -> Observation | None:
    """The loss is well above the lowest it had, beyond what batches differ, and stays there."""
    start = stage_steps(history)
    size = max(5, min(25, (len(history.steps) - start) // 10))
    groups = swing(history, plan)
    # what is far above needs no whole groups of steps to be seen, nor many steps that say how much batches differ
    whole = -(-size // groups) * groups
    enough = len(history.steps) - start >= max(_MANY, 2 * whole)
    return (_risen(history, start, whole, _RISE) if enough else None) or _risen(history, start, size, _FAR)


def _risen(history: RunHistory, start: int, size: int, share: float) -> Observation | None:
    steps = history.steps
    end = len(steps) - size
    recent = [step.loss for step in steps[end:] if step.loss is not None]
    places = every_nth(start, end - size + 1, _BLOCKS)
    blocks = [(mean, place) for place in places if (mean := mean_loss(steps[place : place + size])) is not None]
    if len(blocks) < 2 or len(recent) < size - 1:
        return None
    lowest, place = min(blocks)
    now = median(recent)
    rise = max(share * lowest, _RISE_LEAST, _SIGMAS * _noise(steps, start, end, size))
    # the newest of them too: it must not be on its way back already
    if now - lowest < rise or median(recent[-(size // 2) :]) - lowest < rise:
        return None
    facts = {"loss": rounded(now), "lowest": rounded(lowest), "learning_rate": steps[-1].learning_rate}
    return Observation(WatchCode.DIVERGING, Severity.TROUBLE, steps[-1].step, steps[place + size - 1].step, facts)


def not_learning(history: RunHistory, plan: TrainingPlan) -> Observation | None:
    """Nothing moves: no gradient, no rate, no tokens, or a loss that is surely where it began."""
    steps = history.steps
    idle = _idle(steps, history.total_steps)
    if idle:
        facts: dict[str, object] = {"still": idle, "loss": steps[-1].loss}
        since = steps[-_IDLE].step
        return Observation(WatchCode.NOT_LEARNING, Severity.TROUBLE, steps[-1].step, since, facts)
    start, total = stage_steps(history), history.total_steps
    if len(steps) - start < plan.warmup * total + max(_MANY, total // 10):
        return None
    groups = swing(history, plan)
    third = (len(steps) - start) // 3 // groups * groups
    first, last = _compared(steps, start, third, len(steps) - third, groups)
    if first is None or last is None or not _surely_flat(first, last, _STILL):
        return None
    facts = {"still": "loss", "first_loss": rounded(first.mean), "loss": rounded(last.mean)}
    facts["learning_rate"] = steps[-1].learning_rate
    return Observation(WatchCode.NOT_LEARNING, Severity.TROUBLE, steps[-1].step, steps[start].step, facts)


def plateau(history: RunHistory, plan: TrainingPlan) -> Observation | None:
    """Over the last fifth of the run the loss surely did not fall, though rate and time are left.

    Where rows are seen again, whole epochs are compared: within one the loss of new rows hardly falls.
    """
    steps, start, total = history.steps, stage_steps(history), history.total_steps
    if not steps or history.step > 0.95 * total or steps[-1].learning_rate < 0.3 * plan.learning_rate:
        return None
    groups = swing(history, plan)
    span = -(-max(50, total // 5) // groups) * groups
    epoch = round(history.step / steps[-1].epoch) if steps[-1].epoch > 0 else total
    if epoch < total:
        if len(steps) - span - start < epoch:
            return None
        span = -(-span // epoch) * epoch if epoch > 1 else span
    before, now = _compared(steps, len(steps) - 2 * span, span, len(steps) - span, groups, least=start)
    if before is None or now is None or not _surely_flat(before, now, _FLAT):
        return None
    facts = {"steps": span, "loss": rounded(now.mean)}
    return Observation(WatchCode.PLATEAU, Severity.CAUTION, steps[-1].step, steps[-span].step, facts)


def memorised(history: RunHistory, _plan: TrainingPlan) -> Observation | None:
    """The training loss is nearly nothing, and the validation loss is not, or nobody looked."""
    recent = history.steps[-max(10, min(50, len(history.steps) // 10)) :]
    loss = mean_loss(recent)
    if loss is None or len(recent) < 10 or loss > _BY_HEART:
        return None
    checked = next((each.loss for each in reversed(history.evaluations) if each.loss is not None), None)
    if checked is not None and checked < max(_KNOWN, GAP * loss):
        return None
    facts = {"loss": rounded(loss)} | ({} if checked is None else {"validation_loss": rounded(checked)})
    return Observation(WatchCode.MEMORISED, Severity.CAUTION, recent[-1].step, recent[0].step, facts)


def learning(history: RunHistory, _plan: TrainingPlan) -> Observation | None:
    """All is well: the newest evaluation is the best, or without any the loss fell by a tenth."""
    first, loss = history.first_loss, history.last_loss
    if first is None or loss is None or len(history.steps) < 10:
        return None
    facts = {"first_loss": rounded(first), "loss": rounded(loss)}
    before, now = ([each.perplexity for each in history.evaluations[place:][:1]] for place in (0, -1))
    if history.evaluations:
        if len(history.evaluations) < 2 or history.waited or not before[0] or not now[0]:
            return None
        facts |= {"before": rounded(before[0]), "perplexity": rounded(now[0])}
    elif loss > 0.9 * first:
        return None
    return Observation(WatchCode.LEARNING, Severity.GOOD, history.step, history.steps[0].step, facts)


def _idle(steps: list[StepDone], total: int) -> str:
    """What has been missing for some steps, "" when nothing has."""
    recent = steps[-_IDLE:]
    if len(recent) < _IDLE:
        return ""
    if all(step.gradient_norm == 0 for step in recent):
        return "gradient"
    # a schedule ends at zero, and begins there
    if all(step.learning_rate == 0 for step in recent) and recent[-1].step < total:
        return "rate"
    # runs that did not count have no tokens at all
    if all(step.tokens and not step.trained_tokens for step in recent):
        return "tokens"
    return ""


def _noise(steps: list[StepDone], start: int, end: int, size: int) -> float:
    """Standard deviation of a block's mean: by its steps, or by neighbouring blocks where those differ more."""
    known = [step.loss for step in steps[max(start, end - 100) : end] if step.loss is not None]
    by_steps = spread([b - a for a, b in pairwise(known)]) / (2 * size) ** 0.5
    places = every_nth(start + size, end - size + 1, _BLOCKS)
    pairs = ((mean_loss(steps[at - size : at]), mean_loss(steps[at : at + size])) for at in places)
    by_blocks = spread([b - a for a, b in pairs if a is not None and b is not None]) / 2**0.5
    return float(max(by_steps, by_blocks))


def _compared(
    steps: list[StepDone], place: int, size: int, other: int, groups: int, *, least: int = 0
) -> tuple[Level | None, Level | None]:
    """The levels of two windows of `size` steps; None where they are too short or begin before `least`."""
    if size < 6 or place < least:
        return None, None
    block = -(-max(2, min(25, size // 12)) // groups) * groups
    return level(steps[place : place + size], block), level(steps[other : other + size], block)


def _surely_flat(before: Level, now: Level, share: float) -> bool:
    """Whether the fall is less than a share with 95 % certainty; what is too noisy to tell is not flat."""
    error = (before.error**2 + now.error**2) ** 0.5
    least = share * before.mean
    return bool(error < least and before.mean - now.mean + error < least)
