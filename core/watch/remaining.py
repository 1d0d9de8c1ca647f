"""How long a training still takes: its steps, and the evaluations, samples and savings between them."""

from statistics import fmean, median

from core.events import StageName
from core.history import RunHistory, read_tokens
from core.plan import TrainingPlan
from core.rounds import ANSWER_TOKENS, rounds_every

#: Steps whose speed is the speed of now, those of the start that compile and warm up, and fewer than mean much.
_RECENT, _WARM_UP, _FEW = 200, 2, 6
#: Steps whose tokens differ by less than this share of them do not say what a token takes.
_ALIKE = 0.1
#: The newest times of an evaluation or of a saving that count.
_NEWEST = 5
#: Until one was measured: a pass without gradients takes about this share of a training step over as many rows (the
#: starter model on a processor: 0.42), and less of one that computes layers twice.
_FORWARD, _FORWARD_OF_THREE = 0.43, 0.33
#: The longest of some answers is about so many times the mean one; they are written side by side.
_LONGEST = 1.6
#: Seconds of a saving until one was measured: some hundred megabytes, flushed.
_SAVING = 0.5


def seconds_left(history: RunHistory, plan: TrainingPlan) -> float | None:
    """Seconds of training to the end, the last evaluation and saving included; None while nobody can tell: before the
    third step only steps that compile and warm up are known.

    Pauses do not count, and neither does what comes after (settling on the 16-bit model). Steps are counted by their
    tokens: those still to come where the run told how many it reads (a note "tokens_planned"), else as many a step as
    so far. Training that stops early ends earlier.
    """
    step, total = history.step, history.total_steps
    if history.last is not None or (len(history.steps) <= _WARM_UP and step < total):
        return None
    if step >= total:
        return 0.0 if history.steps else None
    coming = _tokens_a_step(history)
    a_step = _seconds_a_step(history, coming)
    if a_step <= 0:
        return None
    training = a_step * (total - step)
    left = training
    if checked := _tokens_to_check(history, plan, coming):
        done = history.evaluations[-1].step if history.evaluations else 0
        each = _evaluation(history, plan, checked / coming * a_step)
        left += _to_come(done, step, total, plan.evaluate_every or plan.save_every) * each
    left += _rounds(history, plan, validates=checked > 0) * _round(history)
    return left + _saving(history, plan, training)


def _seconds_a_step(history: RunHistory, tokens: float) -> float:
    """Seconds of a step of so many tokens: on a line through the steps so far, or as many a token as they took.

    The fewer tokens the steps differ by the less a line is trusted; it falls nowhere, and does not begin below 0.
    """
    recent = history.steps[max(_WARM_UP, len(history.steps) - _RECENT) :]
    read = [read_tokens(step) or 1 for step in recent]
    took = [step.seconds for step in recent]
    if len(recent) < _FEW:
        # one step that waits would count for all of them
        most = 1.5 * median(seconds / tokens for seconds, tokens in zip(took, read, strict=True))
        took = [min(seconds, most * tokens) for seconds, tokens in zip(took, read, strict=True)]
    usual, mean = fmean(took), fmean(read)
    even, trust = usual / mean, (_ALIKE * mean) ** 2
    together = fmean((tokens - mean) * (seconds - usual) for seconds, tokens in zip(took, read, strict=True))
    a_token = (together + trust * even) / (fmean((tokens - mean) ** 2 for tokens in read) + trust)
    return usual + min(max(a_token, 0.0), even) * (tokens - mean)


def _tokens_a_step(history: RunHistory) -> float:
    """Tokens of a step to come, 1 where nobody counts them."""
    if history.planned_tokens > history.tokens:
        return (history.planned_tokens - history.tokens) / (history.total_steps - history.step)
    return history.tokens / len(history.steps) or 1.0


def _to_come(done: int, step: int, total: int, every: int) -> int:
    """Times that something done every `every` steps, and after the last one, is still to do; last done at `done`."""
    due = step % every == 0 and done < step
    return total // every - step // every + due + bool(total % every)


def _tokens_to_check(history: RunHistory, plan: TrainingPlan, a_step: float) -> float:
    """Tokens of the validation rows, as the run noted them or by those of a step; 0 when nothing is evaluated."""
    rows, tokens = 1 if history.evaluations or plan.validation else 0, 0
    for note in history.notes:
        if note.code == "validation_rows":
            rows, tokens = int(note.facts.get("rows", 0)), int(note.facts.get("tokens", 0))
    return tokens or rows * a_step / (history.steps[-1].rows or plan.effective_batch)


def _evaluation(history: RunHistory, plan: TrainingPlan, trained: float) -> float:
    """Seconds of one evaluation: as measured, else a share of those in which its rows would be `trained`."""
    if history.asides[StageName.EVALUATING]:
        return _each(history, StageName.EVALUATING)
    return (_FORWARD if plan.checkpointing == "none" else _FORWARD_OF_THREE) * trained


def _rounds(history: RunHistory, plan: TrainingPlan, *, validates: bool) -> int:
    """Rounds of samples still to come."""
    if not history.sampled:
        return 0
    every = rounds_every(history, plan, history.total_steps, validates=validates)
    return _to_come(history.sampled[-1].step, history.step, history.total_steps, every)


def _round(history: RunHistory) -> float:
    """Seconds of a round of samples: as those took that were asked while it learns."""
    base, *tuned = history.asides[StageName.ANSWERING] or [0.0]
    if tuned:
        return fmean(tuned[-_NEWEST:])
    rows = sum(step.rows for step in history.steps)
    if not rows or not any(each.cut for each in history.sampled):
        return base
    # a base that goes on to the limit will learn when to end
    learned = sum(step.trained_tokens for step in history.steps) / rows
    return base * min(1.0, _LONGEST * learned / ANSWER_TOKENS)


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
