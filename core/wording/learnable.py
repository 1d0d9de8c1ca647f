"""Sentences for "Will it learn?": what each check (core.learnable) found, and what the button of its fix says."""

from collections.abc import Mapping
from typing import Any

from core.i18n import N_, NN_, _
from core.wording.sentences import Either, Sentence, say

#: By CheckCode.
CHECKS: dict[str, Sentence] = {
    "learn_no_rows": N_("There is no row to learn from. The list of rows that are not used says why."),
    "learn_cleaned_away": NN_(
        "Cleaning leaves nothing of {rows} row. Switch off the step that drops the most.",
        "Cleaning leaves nothing of {rows} rows. Switch off the step that drops the most.",
    ),
    "learn_nothing_trained": N_(
        "Nothing would be learned: in every row the answer begins after token {tokens}, where rows are cut."
    ),
    "learn_failed": NN_(
        "{rows} row cannot be written in the model's chat format: the training would fail there.",
        "{rows} rows cannot be written in the model's chat format: the training would fail there.",
    ),
    "learn_endless": NN_(
        "In {rows} row the token that ends an answer is not trained: the model would never stop talking.",
        "In {rows} rows the token that ends an answer is not trained: the model would never stop talking.",
    ),
    "learn_warmup_only": N_(
        "Nothing would be learned: the only step of the run is its warm-up, which begins with a learning rate of zero."
    ),
    "learn_rejected": NN_(
        "{rejected} row ({share}) cannot be used. The list says why.",
        "{rejected} rows ({share}) cannot be used. The list says why.",
    ),
    "learn_incomplete": N_("The data was not read to its end: {rows} rows are known so far."),
    "learn_file_empty": Either(N_("No row of {file} is learned."), N_("No row of one of the files is learned.")),
    "learn_mixed_shapes": N_(
        "The rows come in {shapes} forms. SoloTune writes all of them in one, but different kinds of rows in one set "
        "can confuse the model."
    ),
    "learn_running_text": NN_(
        "{rows} row is running text: it teaches how to go on writing, not how to answer. Questions and answers made "
        "from it teach more.",
        "{rows} rows are running text: they teach how to go on writing, not how to answer. Questions and answers made "
        "from them teach more.",
    ),
    "learn_mix_large": N_("{share} of all rows are mixed in: the model learns less of your own data than of the rest."),
    "learn_no_general": N_("No general dialogue is mixed in. About {share} of it keeps the model from forgetting."),
    "learn_skipped": NN_(
        "Nothing is learned from {rows} row ({share}): its answer begins after the longest sequence ends.",
        "Nothing is learned from {rows} rows ({share}): their answers begin after the longest sequence ends.",
    ),
    "learn_cut": NN_(
        "{rows} row ({share}) is longer than {tokens} tokens. The end of its answer is not learned, and neither is "
        "that it ends there.",
        "{rows} rows ({share}) are longer than {tokens} tokens. The ends of their answers are not learned, and neither "
        "is that they end there.",
    ),
    "learn_beyond_context": NN_(
        "{rows} row is longer than the {context} tokens that this model was made for.",
        "{rows} rows are longer than the {context} tokens that this model was made for.",
    ),
    "learn_context_uncounted": N_(
        "Rows may be up to {tokens} tokens long. This model was made for {context}; how long the rows are is not known."
    ),
    "learn_trained_few": N_("Only about {trained} tokens are trained, {each} a row: little to learn from."),
    "learn_trained": N_("About {trained} tokens are trained, {each} a row."),
    "learn_prompts_long": N_(
        "Only {share} of all tokens are trained: the questions are very long and the answers short."
    ),
    "learn_steps_few": NN_(
        "The run has {steps} step. With fewer than {low} a model often learns little.",
        "The run has {steps} steps. With fewer than {low} a model often learns little.",
    ),
    "learn_steps_good": N_("The run has {steps} steps, {each} in each epoch."),
    "learn_one_step": N_(
        "A step takes {effective} rows, and there are {rows}: a whole epoch is a single step. Smaller steps learn more."
    ),
    "learn_epochs_many": N_(
        "Every row is seen {epochs} times. Beyond {most} the model learns the rows by heart instead of what they teach."
    ),
    "learn_rows_unseen": N_("The run ends before it has seen all rows: {share} of them are not learned."),
    "learn_not_cleaned": N_(
        "The rows were not cleaned. By the guide, cleaning alone makes the result {low}–{high} % better."
    ),
    "learn_exact": NN_(
        "{rows} row ({share}) repeats another word for word. The model learns such rows by heart.",
        "{rows} rows ({share}) repeat others word for word. The model learns such rows by heart.",
    ),
    "learn_near": NN_(
        "{rows} row ({share}) is nearly the same as another.",
        "{rows} rows ({share}) are nearly the same as others.",
    ),
    "learn_garbled": NN_(
        "{rows} row ({share}) holds garbled characters. The model would learn to write them.",
        "{rows} rows ({share}) hold garbled characters. The model would learn to write them.",
    ),
    "learn_invisible": NN_(
        "{rows} row ({share}) holds invisible characters.",
        "{rows} rows ({share}) hold invisible characters.",
    ),
    "learn_html": NN_(
        "{rows} row ({share}) holds remains of web pages. The model would learn to write them.",
        "{rows} rows ({share}) hold remains of web pages. The model would learn to write them.",
    ),
    "learn_private": NN_(
        "{rows} row ({share}) holds private data that is not masked. A model can repeat what it has learned.",
        "{rows} rows ({share}) hold private data that is not masked. A model can repeat what it has learned.",
    ),
    "learn_short": NN_(
        "{rows} row ({share}) has an answer without meaning, such as “N/A”.",
        "{rows} rows ({share}) have answers without meaning, such as “N/A”.",
    ),
    "learn_refusal": NN_(
        "{rows} row ({share}) has an answer in which another assistant refuses. The model would learn to refuse.",
        "{rows} rows ({share}) have answers in which another assistant refuses. The model would learn to refuse.",
    ),
    "learn_loop": NN_(
        "{rows} row ({share}) has an answer that repeats itself. A model that learns this does not stop.",
        "{rows} rows ({share}) have answers that repeat themselves. A model that learns this does not stop.",
    ),
    "learn_template": NN_(
        "{rows} row ({share}) holds the marks of another prompt format. Two formats in one set confuse the model.",
        "{rows} rows ({share}) hold the marks of another prompt format. Two formats in one set confuse the model.",
    ),
    "learn_language": NN_(
        "{rows} row ({share}) asks in one script and answers in another.",
        "{rows} rows ({share}) ask in one script and answer in another.",
    ),
    "learn_same_answer": NN_(
        "{rows} row ({share}) has an answer that very many rows have. The model may give it to every question.",
        "{rows} rows ({share}) have an answer that very many rows have. The model may give it to every question.",
    ),
    "learn_one_answer": N_("{share} of the rows have one and the same answer. The model may learn to say only that."),
    "learn_short_answers": N_("{share} of the answers are a few words long. The model will answer as briefly."),
    "learn_clean": N_("The rows are clean: nothing that would harm the learning is left in them."),
    "learn_model_language": Either(
        N_(
            "The answers are in {script}, which {title} does not name among its languages. It learns them slowly and "
            "needs more tokens for them."
        ),
        N_("The answers are in {script}, which the model does not name among its languages."),
    ),
    "learn_template_fallback": N_(
        "This model brings no chat template. It learns the form “### Instruction” and “### Response” first, "
        "which takes some of the steps."
    ),
    "learn_template_open": N_(
        "The model's chat template does not end an answer. SoloTune adds the token that does, so that the model stops."
    ),
    "learn_no_validation": N_(
        "No rows are kept aside to check with. Nobody will see whether the model learns or learns by heart."
    ),
    "learn_validation_too_few": NN_(
        "{rows} row is too little to keep some aside. Only your own questions will show what was learned.",
        "{rows} rows are too few to keep some aside. Only your own questions will show what was learned.",
    ),
    "learn_validation_small": NN_(
        "Only {rows} row is kept aside to check with. So few say little.",
        "Only {rows} rows are kept aside to check with. So few say little.",
    ),
    "learn_validation_same": N_("The file to check with is learned from too: no row would be left to check with."),
    "learn_validation_once": N_(
        "The rows kept aside are looked at every {every} steps, and the run has {steps}: they are looked at only once, "
        "at its end."
    ),
    "learn_overlap": NN_(
        "{rows} row to check with ({share}) stands in the training rows too and is left out of the check.",
        "{rows} rows to check with ({share}) stand in the training rows too and are left out of the check.",
    ),
    "learn_validation_good": N_("{rows} rows are kept aside to see whether the model really learns."),
    "learn_rate_high": N_(
        "A learning rate of {learning_rate} is high: above {limit} the training can become unsteady."
    ),
    "learn_rate_low": N_("A learning rate of {learning_rate} is low: below {limit} an adapter hardly learns anything."),
    "learn_rank_small": N_(
        "An adapter of rank {rank} has {parameters} parameters, which is little for {trained} tokens. A higher rank "
        "can hold more."
    ),
    "learn_rank_large": N_("Rank {rank} is high for so little data: the adapter can hold it word for word."),
    "learn_dropout_none": N_(
        "With {rows} rows and no dropout the model learns by heart more easily. A little dropout costs some memory."
    ),
    "learn_warmup_long": N_("{share} of the steps are warm-up. Most runs need less than a tenth."),
}

#: By Fix.name.
FIXES: dict[str, Sentence] = {
    "fix_tokens": N_("Make room for {tokens} tokens"),
    "fix_leave_out_long": N_("Leave out the rows that are too long"),
    "fix_batch": N_("Learn from {effective} rows a step"),
    "fix_steps": N_("Train {steps} steps"),
    "fix_epochs": Either(N_("Set the epochs to {epochs}"), N_("Change the epochs")),
    "fix_epochs_and_batch": N_("Set the epochs to {epochs}, with {effective} rows a step"),
    "fix_warmup": N_("Set the warm-up to {share}"),
    "fix_leave_out": N_("Leave these rows out"),
    "fix_keep_one": N_("Keep one of each"),
    "fix_mask": N_("Mask private data"),
    "fix_repair": N_("Repair these rows"),
    "fix_cleaning": N_("Clean the rows"),
    "fix_cleaning_off": N_("Switch this step of the cleaning off"),
    "fix_remove_file": N_("Leave this file out"),
    "fix_mix": N_("Mix in {share}"),
    "fix_share": N_("Keep {share} of the rows aside"),
    "fix_evaluate": N_("Evaluate every {every} steps"),
    "fix_learning_rate": N_("Set the learning rate to {learning_rate}"),
    "fix_rank": N_("Set the rank to {rank}"),
    "fix_alpha": N_("Set alpha to {alpha}"),
    "fix_dropout": N_("Set the dropout to {dropout}"),
}

_LEVELS = {
    "blocker": N_("Must be put right"),
    "warning": N_("Warning"),
    "note": N_("Good to know"),
    "good": N_("Good"),
}


def fix_words(name: str, facts: Mapping[str, Any]) -> str:
    """Return what the button of a fix says (core.learnable.Fix: its name and facts)."""
    return say(FIXES[name], facts) if name in FIXES else name


def level_words(level: str) -> str:
    """Return the name of a level (core.learnable.Level)."""
    return _(_LEVELS[level])
