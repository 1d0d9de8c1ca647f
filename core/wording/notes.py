"""Sentences for what a job thinks worth telling while it runs."""

from typing import TYPE_CHECKING

from core.i18n import N_, NN_
from core.wording.reasons import reason_texts, sentence
from core.wording.sentences import Either, Sentence

if TYPE_CHECKING:
    from core.events import Noted

_NOTES: dict[str, Sentence] = {
    "rows_truncated": NN_(
        "{rows} row is longer than {tokens} tokens and was cut there.",
        "{rows} rows are longer than {tokens} tokens and were cut there.",
    ),
    "rows_skipped": NN_(
        "{rows} row is not used: its answer begins after the longest sequence ends.",
        "{rows} rows are not used: their answers begin after the longest sequence ends.",
    ),
    "template_fallback": N_("This model brings no chat template. SoloTune uses “### Instruction” and “### Response”."),
    "plain_loss_used": N_(
        "The memory-saving loss does not suit this model. The plain one is used and needs more memory."
    ),
    "cpu_training": N_("The training runs on the processor. That works for small models and takes longer."),
    "base_shared": N_("FSDP: each of {processes} processes keeps a part of every layer of the base."),
    "chat_base": N_("The base model is held in {held}."),
    "replayed_exactly": N_(
        "The answers are compared in full precision, so that rounding does not decide between words."
    ),
    "replayed_rounded": N_(
        "There is too little memory to compare in full precision: where two words are equally likely, rounding decides."
    ),
    "liger_used": N_("Faster kernels (Liger) do the norms, rotations and gated layers of this model."),
    "no_biases": N_("This model has no biases: only its adapter learns."),
    "tracking_ended": N_("What was logged for {name} is not complete: {text} Training goes on."),
    "settled": N_("The adapter settled on the 16-bit model in {steps} more steps: that is where it will be used."),
    "resumed": N_("The run went on from step {step}."),
    "checkpoint_damaged": N_(
        "The checkpoint of step {step} is damaged and cannot be used: the disk may be failing. The run goes on from "
        "step {to}."
    ),
    "validation_rows": NN_(
        "{rows} row is kept aside to check what was learned.",
        "{rows} rows are kept aside to check what was learned.",
    ),
    "rows_refused": NN_(
        "{rows} row is not used: the model's chat template cannot show its tools (line {line} of {file}).",
        "{rows} rows are not used: the model's chat template cannot show their tools (first line {line} of {file}).",
    ),
    "rows_cleaned": N_("Cleaned: {kept} of {rows} rows are learned, {changed} of them were repaired or masked."),
    "rows_not_kept": N_(
        "The rows are too many to be kept with the run. To go on after an interruption it needs the data files as they "
        "are now."
    ),
    "data_changed": N_(
        "The file {file} has changed since this run began. The run goes on with the rows that it began with."
    ),
    "data_gone": N_("The file {file} is not there any more. The run goes on with the rows that it began with."),
    "rows_mixed": NN_(
        "{rows} row of general dialogue is mixed in, of {wanted} asked for.",
        "{rows} rows of general dialogue are mixed in, of {wanted} asked for.",
    ),
    "validation_shared": NN_(
        "{rows} row of the validation file is in the training data too. It is not used to check what was learned.",
        "{rows} rows of the validation file are in the training data too. They are not used to check what was learned.",
    ),
    "stage_begins": N_("Stage {stage} of {stages} begins. Rows: {rows}, epochs: {epochs}."),
    "may_sleep": N_(
        "The computer may fall asleep while it trains: it cannot be asked to stay awake here. After that the training "
        "goes on where it was, or can be resumed."
    ),
    "tokens_planned": N_("The steps of this run read {tokens} tokens."),
    "samples_rarer": N_("The questions are answered every {every} steps only: more often would take too much time."),
    "samples_at_the_end": N_(
        "The questions are answered before and after the training only: in between it would take too much time."
    ),
    "samples_skipped": N_(
        "There was too little memory to answer questions in between. The training goes on without sample answers."
    ),
    "samples_failed": N_(
        "The model could not answer questions in between. The training goes on without sample answers."
    ),
    "gradient_spike": N_(
        "Step {step} pulled the model much harder than usual: its gradient was {norm} instead of {usual}."
    ),
    "best_kept": N_(
        "The adapter of step {step} is kept, where the validation loss was lowest: {loss}. At the end it was "
        "{last_loss}."
    ),
    "stopped_early": NN_(
        "Training ended at step {step}: {waited} check brought nothing better than before.",
        "Training ended at step {step}: {waited} checks in a row brought nothing better than before.",
    ),
    "packing_not_used": N_(
        "This model cannot keep rows apart that share a sequence. Each row gets a sequence of its own: it learns the "
        "same, a little slower."
    ),
    "memory_stepped": N_(
        "The card ran out of memory. Nothing is lost: training goes on from step {step} with smaller bites, and every "
        "step learns from as many rows as before."
    ),
    "memory_smaller": N_(
        "Nothing is lost: resumed, the training goes on from step {step} with smaller bites, and every step learns "
        "from as many rows as before."
    ),
    "rolled_back": N_(
        "Step {step} gave numbers that are none. Training goes back to step {to} and on with a lower learning rate: "
        "{rate}."
    ),
    "card_lost": N_("The card does not answer any more. Everything saved so far is kept."),
    "lora8_reentrant": N_("With an 8-bit base, saving memory works a little differently. The result is the same."),
    "probe_fits": Either(
        N_(
            "Proven before the start: {batch} rows of {tokens} tokens, the longest there are, take {measured_bytes} "
            "of {room_bytes}. The prediction was {predicted_bytes}."
        ),
        N_("Proven before the start: the longest rows take {measured_bytes} of {room_bytes}."),
    ),
    "probe_stepped": N_("The plan did not fit into {room_bytes}: a rehearsal with the longest rows showed it."),
}


def note_words(note: "Noted") -> str:
    """What a job thought worth telling; reasons (why a plan was stepped down) are told in their own words."""
    return sentence(_NOTES if note.code in _NOTES else reason_texts(), note.code, note.facts)
