"""Words for cleaning: each step's name, what it finds, and what its switch does."""

from core.data.clean.cleaning import Mode, StepName
from core.data.clean.report import Effect, SetKind
from core.i18n import N_, _

#: Name; what is found and why it matters; what the switch does, "" where there is only something to tell.
STEPS: dict[StepName, tuple[str, str, str]] = {
    StepName.INVISIBLE: (
        N_("Invisible letters"),
        N_("Control characters and zero-width marks: nobody sees them, but the model learns them."),
        N_("Removes them and leaves the rest of the row as it is."),
    ),
    StepName.GARBLED: (
        N_("Garbled text"),
        N_("Text that was once read in the wrong encoding, such as “donâ€™t” for “don’t”."),
        N_("Restores what the bytes still tell. What is lost for good is only listed."),
    ),
    StepName.HTML: (
        N_("Remains of web pages"),
        N_("HTML tags and entities that were left in the text. Code and rows about HTML do not count."),
        N_("Turns tags into line breaks and lists, and entities into letters."),
    ),
    StepName.PRIVATE: (
        N_("Private data"),
        N_("Phone numbers, ID numbers, bank cards, e-mail addresses, keys: a model can repeat what it has learned."),
        N_("Puts placeholders in their place, the same one for the same number in every row."),
    ),
    StepName.SHORT: (
        N_("Answers without meaning"),
        N_("Empty answers and fillers such as “N/A” or “test”. Short answers that say something do not count."),
        N_("Leaves these rows out."),
    ),
    StepName.LONG: (
        N_("Very long rows"),
        N_("Rows with more tokens than the limit: training would cut them off."),
        N_("Leaves these rows out."),
    ),
    StepName.REFUSAL: (
        N_("Refusals"),
        N_("Answers in which another assistant refuses, such as “As an AI language model, I cannot …”."),
        N_("Leaves these rows out."),
    ),
    StepName.LOOP: (
        N_("Answers that repeat themselves"),
        N_("The same sentence or words again and again: a model that learns this does not stop."),
        N_("Leaves these rows out."),
    ),
    StepName.TEMPLATE: (
        N_("Marks of a prompt format"),
        N_("“### Instruction:” or “<|im_start|>” inside a text: two formats in one row confuse the model."),
        N_("Leaves these rows out."),
    ),
    StepName.LANGUAGE: (
        N_("Another language in the answer"),
        N_("Rows that ask in one script and answer in another, in a set that does not teach to translate."),
        N_("Leaves these rows out."),
    ),
    StepName.EXACT: (
        N_("Duplicates"),
        N_("Rows that say the same word for word: the model learns them by heart."),
        N_("Keeps the first of them."),
    ),
    StepName.NEAR: (
        N_("Near duplicates"),
        N_("Rows that differ in a few words only. Other numbers, another “not” or another label make another row."),
        N_("Keeps one of them."),
    ),
    StepName.SAME_ANSWER: (
        N_("One answer to many questions"),
        N_("The same sentence answers very many questions: the model may learn to say only that."),
        "",
    ),
}

_EFFECTS = {Effect.CHANGED: N_("Changed"), Effect.DROPPED: N_("Left out"), Effect.REPORTED: N_("Only listed")}
_MODES = {Mode.OFF: N_("Do not look"), Mode.REPORT: N_("Only list")}
_KINDS = {
    SetKind.TALK: N_("The answers are sentences."),
    SetKind.SHORT_ANSWERS: N_("Most answers are short: they count as answers, not as remains."),
    SetKind.LABELS: N_("Most answers are one of a few labels: they count as answers, not as remains."),
}


def clean_step_words(step: StepName) -> tuple[str, str, str]:
    """Return a step's name, what it finds, and what its switch does ("" for nothing)."""
    title, finds, does = STEPS[step]
    return _(title), _(finds), _(does)


def effect_words(effect: Effect) -> str:
    """Return what happened to a row."""
    return _(_EFFECTS[effect])


def mode_words(step: StepName, mode: Mode) -> str:
    """Return the name of a switch's place: "Do not look", "Only list", or what the step does."""
    return _(STEPS[step][2] or _MODES[Mode.REPORT]) if mode is Mode.ACT else _(_MODES[mode])


def kind_words(kind: SetKind) -> str:
    """Return what a set's answers look like and what follows from that."""
    return _(_KINDS[kind])
