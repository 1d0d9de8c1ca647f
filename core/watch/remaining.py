"""How long a training still takes: its steps, and the evaluations, samples and savings between them."""

from statistics import fmean, median

from core.events import StageName
from core.history import RunHistory, read_tokens
from core.plan import TrainingPlan
from core.rounds import rounds_every

#: Steps whose speed is the speed of now, and those of the start that compile and warm up.
_RECENT, _WARM_UP = 200, 2
#: The newest times of an evaluation or of a saving that count.
_NEWEST = 5
#: Until one was measured: a pass without gradients takes about this share of a training step over as many rows (the
#: starter model on a processor: 0.42), and less of one that computes layers twice.
_FORWARD, _FORWARD_OF_THREE = 0.43, 0.33
#: Seconds of a saving until one was measured: some hundred megabytes, flushed.
_SAVING = 0.5


def seconds_left(history: RunHistory, plan: TrainingPlan) -> float | None:
    """Seconds of training to the end, the last evaluation and saving included; None while nobody can tell.

    Pauses do not count, and neither does what comes after (settling on the 16-bit model). Steps are counted by their
    tokens: those still to come where the run told how many it reads (a note "tokens_planned"), else as many a step as
    so far. Training that stops early ends earlier.
    """
    if history.last is not None or len(history.steps) < 2:
        return None
    step, total = history.step, history.total_steps
    a_step = _a_step(history)
    if a_step is None or step >= total:
        return None if a_step is None else 0.0
    training = a_step * (total - step)
    checked = _rows_to_check(history, plan)
    every = plan.evaluate_every or plan.save_every
    left = training
    if checked:
        done = history.evaluations[-1].step if history.evaluations else 0
        left += _to_come(done, step, total, every) * _evaluation(history, plan, checked, a_step)
    left += _rounds(history, plan, checked) * _each(history, StageName.ANSWERING)
    return left + _saving(history, plan, training)


def _a_step(history: RunHistory) -> float | None:
    """Seconds of a step to come."""
    steps = history.steps
    first = min(_WARM_UP, max(len(steps) - 3, 0))
    recent = steps[max(first, len(steps) - _RECENT) :]
    seconds = sum(step.seconds for step in recent)
    if seconds <= 0:
        return None
    if len(recent) < 6:
        # one step that compiles or waits would count for all of them
        seconds = min(seconds, 1.5 * len(recent) * median(step.seconds for step in recent))
    read = sum(map(read_tokens, recent))
    if not read:
        return seconds / len(recent)
    tokens = history.tokens / len(steps)
    if history.planned_tokens > history.tokens and history.total_steps > history.step:
        tokens = (history.planned_tokens - history.tokens) / (history.total_steps - history.step)
    return tokens * seconds / read


def _to_come(done: int, step: int, total: int, every: int) -> int:
    """Times that something done every `every` steps, and after the last one, is still to do; last done at `done`."""
    due = step % every == 0 and done < step
    return total // every - step // every + due + bool(total % every)


def _rows_to_check(history: RunHistory, plan: TrainingPlan) -> int:
    """Validation rows, as the run noted them; 0 when nothing is evaluated."""
    for note in reversed(history.notes):
        if note.code == "validation_rows":
            return int(note.facts.get("rows", 0))
    return 1 if history.evaluations or plan.validation else 0


def _evaluation(history: RunHistory, plan: TrainingPlan, rows: int, a_step: float) -> float:
    """Seconds of one evaluation: as measured, else by the rows that a step takes."""
    if history.asides[StageName.EVALUATING]:
        return _each(history, StageName.EVALUATING)
    share = _FORWARD if plan.checkpointing == "none" else _FORWARD_OF_THREE
    return share * rows * a_step / (history.steps[-1].rows or plan.effective_batch)


def _rounds(history: RunHistory, plan: TrainingPlan, checked: int) -> int:
    """Rounds of samples still to come."""
    if not history.sampled:
        return 0
    every = rounds_every(history, plan, history.total_steps, validates=bool(checked))
    return _to_come(history.sampled[-1].step, history.step, history.total_steps, every)


def _saving(history: RunHistory, plan: TrainingPlan, training: float) -> float:
    """Seconds of savings: as often as the plan says, or as they came so far where time made them come more often."""
    spent = history.asides[StageName.SAVING]
    step, total, every = history.step, history.total_steps, plan.save_every
    done = history.saved[-1].step if history.saved else 0
    # checkpoints, and the finished adapter
    planned = total // every - step // every + (step % every == 0 and done < step) + 1
    if not spent:
        return _SAVING * planned
    trained = sum(step.seconds for step in history.steps[:: max(1, len(history.steps) // _RECENT)])
    trained *= max(1, len(history.steps) // _RECENT)
    by_time = len(spent) / trained * training if trained > 0 else 0.0
    return max(float(planned), by_time) * _each(history, StageName.SAVING)


def _each(history: RunHistory, aside: StageName) -> float:
    newest = history.asides[aside][-_NEWEST:]
    return fmean(newest) if newest else 0.0
