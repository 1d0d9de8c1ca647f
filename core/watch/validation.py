"""What the validation rows say: overfitting by the documents' rule (D3), and when to stop."""

from statistics import stdev

from core.events import Evaluated, StepDone
from core.history import RunHistory
from core.plan import TrainingPlan
from core.watch.observation import Observation, Severity, WatchCode
from core.watch.series import mean_loss, place_after, rounded

#: D3: validation loss so many times the training loss is overfitting once the distance grows.
GAP = 1.3
#: A loss that is higher by so much has risen: two evaluations of the same rows differ by less.
_RISEN = 1.01
#: Losses this close to each other are both so low that their ratio says nothing.
_CLOSE = 0.05
#: Evaluations that are looked at, and the steps before each that say what the training loss was.
_LOOKED_AT = 8
_STEPS = (5, 50)


def stop_early(history: RunHistory, plan: TrainingPlan) -> Observation | None:
    """The documents' rule (D3): after `plan.patience` evaluations in a row without a better perplexity it is time.

    Returns why, None while training should go on, and always None for a patience of 0.
    """
    best, waited = history.best_evaluation, history.waited
    if not plan.patience or best is None or best.loss is None or waited < plan.patience:
        return None
    newest = history.evaluations[-1]
    facts = {
        "waited": waited, "best_step": best.step, "best_loss": rounded(best.loss),
        "best_perplexity": best.perplexity and rounded(best.perplexity),
        "perplexity": newest.perplexity and rounded(newest.perplexity),
    }  # fmt: skip
    return Observation(WatchCode.NO_BETTER, Severity.CAUTION, newest.step, best.step, facts)


def overfitting(history: RunHistory) -> Observation | None:
    """Validation loss surely 30 % or more above the training loss of the same steps, and growing (D3).

    Growing means both: the distance is larger than it was, and the validation loss itself no longer falls. Where only
    the training loss falls on, rows are seen again; the model still gets better at what it has not seen.
    """
    best = history.best_evaluation
    known = [each for each in history.evaluations[-_LOOKED_AT:] if each.loss is not None]
    if best is None or best.loss is None or len(known) < 2:
        return None
    newest = known[-1]
    loss, trained = newest.loss or 0.0, training_loss(history, newest)
    if trained is None or loss - trained < _CLOSE or loss < GAP * (trained + _doubt(history, newest)):
        return None
    rising = [each for each in known if each.step > best.step and (each.loss or 0.0) > _RISEN * best.loss]
    if rising[-1:] != [newest] or not _grew(history, best, newest):
        return None
    worse = len(rising) >= 2 or loss > 1.1 * best.loss
    facts = {
        "training_loss": rounded(trained), "validation_loss": rounded(loss), "share": loss / trained - 1,
        "best_step": best.step, "best_loss": rounded(best.loss),
    }  # fmt: skip
    severity = Severity.TROUBLE if worse else Severity.CAUTION
    return Observation(WatchCode.OVERFITTING, severity, newest.step, best.step, facts)


def training_loss(history: RunHistory, evaluation: Evaluated) -> float | None:
    """Mean loss over trained tokens of the steps up to an evaluation: a twentieth of them, 5 to 50."""
    return mean_loss(_steps_before(history, evaluation))


def _steps_before(history: RunHistory, evaluation: Evaluated) -> list[StepDone]:
    end = place_after(history, evaluation.step)
    low, high = _STEPS
    return history.steps[max(0, end - max(low, min(high, end // 20))) : end]


def _doubt(history: RunHistory, evaluation: Evaluated) -> float:
    """Standard error of the training loss: a few small batches that came out easy are no distance."""
    known = [step.loss for step in _steps_before(history, evaluation) if step.loss is not None]
    return stdev(known) / len(known) ** 0.5 if len(known) > 1 else 0.0


def _grew(history: RunHistory, best: Evaluated, newest: Evaluated) -> bool:
    then, now = training_loss(history, best), training_loss(history, newest)
    return then is not None and now is not None and (newest.loss or 0.0) - now > (best.loss or 0.0) - then
