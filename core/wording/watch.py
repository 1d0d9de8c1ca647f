"""Sentences for what is observed in a training (core.watch): what it is, what it means, and what to do about it."""

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from core.i18n import N_, NN_, _
from core.wording.learnable import fix_words
from core.wording.numbers import count, percent
from core.wording.sentences import Either, Sentence, say, tell
from core.wording.words import Action, Entry, Words

if TYPE_CHECKING:
    from core.watch import Observation, Remedy

_KEEPS_BEST = N_("The best adapter so far is kept.")
_DATA = N_("Most often the data is the cause: pause and look at the rows.")

#: By WatchCode.
_ENTRIES: dict[str, Entry] = {
    "not_a_number": Entry(
        Either(
            N_("The loss of the validation rows is not a number at step {evaluation}."),
            N_("The loss is not a number any more."),
        ),
        (
            N_("Nothing sensible is learned from such steps."),
            N_("A lower learning rate helps most; this one was {learning_rate}."),
        ),
        Action.CHANGE_PLAN,
    ),
    "diverging": Entry(
        N_("The loss rises: it was {lowest} and is {loss} now."),
        (
            N_("The model is losing what it had learned. Stop, and train with a lower learning rate."),
            N_("This one is {learning_rate}."),
        ),
        Action.STOP_KEEP_BEST,
    ),
    "not_learning": Entry(
        N_("Nothing is being learned."),
        (
            Either(N_("The loss is where it began, at {first_loss}."), "{why}"),
            N_("A higher learning rate or a higher rank can help, and so can rows that say something new."),
        ),
        Action.CHANGE_PLAN,
    ),
    "memory_spill": Entry(
        N_("The card's memory is full, and the training has become very slow."),
        (
            N_("It reads {now} tokens a second instead of {usual}."),
            N_("When the card is full, Windows lends it slow main memory. Close other programs that use the card."),
            N_("If that does not help, go on with settings that need less memory."),
        ),
        Action.TRY_SMALLER,
    ),
    "no_better": Entry(
        N_("The last {waited} evaluations brought no better perplexity."),
        (
            N_("The best was {best_perplexity}, at step {best_step}."),
            N_("By the guide this is the time to stop."),
            _KEEPS_BEST,
        ),
        Action.STOP_KEEP_BEST,
    ),
    "overfitting": Entry(
        N_("The model begins to learn the rows by heart: it overfits."),
        (
            N_("On rows it has not seen the loss is {above} higher than in training ({validation_loss} against "
               "{training_loss}), and it grows."),
            N_("The best step was {best_step}."),
            N_("Fewer epochs, dropout, weight decay and general data mixed in help against it."),
        ),
        Action.STOP_KEEP_BEST,
    ),
    "memorised": Entry(
        N_("The model knows the rows by heart: the training loss is {loss}."),
        (
            Either(
                N_("On rows it has not seen the loss is {validation_loss}."),
                N_("No rows are kept aside, so nobody can see whether it learned more than these rows."),
            ),
            N_("More epochs teach nothing new. Fewer of them, or more rows, teach more."),
        ),
        Action.STOP_KEEP_BEST,
    ),
    "repeating": Entry(
        NN_("{answers} of {of} sample answers repeats itself.", "{answers} of {of} sample answers repeat themselves."),
        (N_("It says: “{example}”"), _DATA),
        Action.PAUSE,
    ),
    "same_answer": Entry(
        N_("{answers} of {of} different questions get the same answer."),
        (N_("It says: “{example}”"), _DATA),
        Action.PAUSE,
    ),
    "drifting": Entry(
        Either(
            NN_(
                "{scripts} of {of} sample answers is in another script than the data.",
                "{scripts} of {of} sample answers are in another script than the data.",
            ),
            N_("The sample answers had settled and change again: {answers} of {of} are new."),
        ),
        (_DATA, N_("A lower learning rate makes the answers steadier.")),
        Action.PAUSE,
    ),
    "plateau": Entry(
        N_("The loss has hardly fallen for {steps} steps: it stays near {loss}."),
        (
            N_("The model may have learned what it can from these rows."),
            N_("You can stop now and keep the best, or train anew with a higher rank."),
        ),
        Action.STOP_KEEP_BEST,
    ),
    "throttled": Entry(
        N_("The card is {temperature} °C hot and has become slower."),
        (
            N_("It reads {now} tokens a second instead of {usual}."),
            N_("Cards slow down to protect themselves. Give it air, or set a temperature limit."),
        ),
    ),
    "slower": Entry(
        N_("The training has become much slower."),
        (
            N_("It reads {now} tokens a second instead of {usual}."),
            N_("Other programs may be using the computer, or it saves power."),
        ),
    ),
    "gradient_spike": Entry(
        N_("Step {step} pulled the model much harder than usual: its gradient was {norm} instead of {usual}."),
        (
            N_("Its rows: {rows}."),
            N_("One such step does little harm. If it happens often, look at its rows."),
        ),
    ),
    "learning": Entry(
        Either(
            N_("It learns well: the perplexity of rows it has not seen fell from {before} to {perplexity}."),
            N_("It learns well: the loss fell from {first_loss} to {loss}."),
        ),
        (),
    ),
}  # fmt: skip

_STILL: dict[str, str] = {
    "gradient": N_("The gradient is zero: no part of the model is trained."),
    "rate": N_("The learning rate is zero."),
    "tokens": N_("No token of the rows is trained: the answers may be cut off."),
}
_SEVERITIES = {"trouble": N_("Trouble"), "caution": N_("Caution"), "good": N_("Good")}
_FIXES: dict[str, Sentence] = {"fix_weight_decay": N_("Set the weight decay to {weight_decay}")}
#: Rows of a spike that are named.
_NAMED = 5


def observation_words(observation: "Observation") -> Words:
    """An observation as a sentence, what it means and what to do, and what a button offers."""
    entry = _ENTRIES[observation.code]
    facts = _facts(observation)
    return Words(say(entry.title, facts), tell(entry.advice, facts), entry.action)


def severity_words(severity: str) -> str:
    """The name of a severity (core.watch.Severity)."""
    return _(_SEVERITIES[severity])


def remedy_words(remedy: "Remedy") -> str:
    """What the button of a remedy says."""
    return say(_FIXES[remedy.name], remedy.facts) if remedy.name in _FIXES else fix_words(remedy.name, remedy.facts)


def _facts(observation: "Observation") -> dict[str, Any]:
    facts: dict[str, Any] = {"step": observation.step, **observation.facts}
    if "share" in facts:
        facts["above"] = percent(facts["share"])
    if facts.get("still") in _STILL:
        facts["why"] = _(_STILL[facts["still"]])
    if "rows" in facts:
        facts["rows"] = _places(facts["rows"])
    return facts


def _places(rows: list[list[Any]]) -> str:
    """Rows by their files, each named once: "a.jsonl:2, 4, 7 · b.jsonl:9", and how many more there are."""
    lines: dict[str, list[str]] = {}
    for file, line in rows[:_NAMED]:
        lines.setdefault(PurePath(file).name, []).append(str(line))
    named = " · ".join(f"{file}:{', '.join(numbers)}" for file, numbers in lines.items())
    more = len(rows) - _NAMED
    return f"{named} {_('… and {n} more').format(n=count(more))}" if more > 0 else named
