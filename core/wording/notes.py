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
    "chat_base": N_("The base model is held in {held}."),
    "replayed_exactly": N_(
        "The answers are compared in full precision, so that rounding does not decide between words."
    ),
    "replayed_rounded": N_(
        "There is too little memory to compare in full precision: where two words are equally likely, rounding decides."
    ),
    "settled": N_("The adapter settled on the 16-bit model in {steps} more steps: that is where it will be used."),
    "resumed": N_("The run went on from step {step}."),
    "validation_rows": NN_(
        "{rows} row is kept aside to check what was learned.",
        "{rows} rows are kept aside to check what was learned.",
    ),
    "rows_cleaned": N_("Cleaned: {kept} of {rows} rows are learned, {changed} of them were repaired or masked."),
    "rows_mixed": NN_(
        "{rows} row of general dialogue is mixed in, of {wanted} asked for.",
        "{rows} rows of general dialogue are mixed in, of {wanted} asked for.",
    ),
    "validation_shared": NN_(
        "{rows} row of the validation file is in the training data too. It is not used to check what was learned.",
        "{rows} rows of the validation file are in the training data too. They are not used to check what was learned.",
    ),
    "stage_begins": N_("Stage {stage} of {stages} begins. Rows: {rows}, epochs: {epochs}."),
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
