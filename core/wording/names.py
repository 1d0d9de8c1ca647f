"""Short names for what a program calls by code: stages, steps, methods, states, goals, blockers."""

from typing import TYPE_CHECKING

from core.i18n import N_, _
from core.wording.sentences import GOALS, METHODS

if TYPE_CHECKING:
    from core.data.rows import Shape
    from core.events import StageName
    from core.plan import Method
    from core.runs import RunState

# The keys are the enums' values: importing the words must stay cheap, and core.runs brings psutil along.
_STAGES = {
    "starting": N_("Starting"),
    "downloading": N_("Downloading the model"),
    "converting": N_("Preparing the model"),
    "reading": N_("Reading the data"),
    "loading": N_("Loading the model"),
    "encoding": N_("Turning the rows into tokens"),
    "probing": N_("Trying the longest rows on the card"),
    "training": N_("Training"),
    "evaluating": N_("Checking on the validation rows"),
    "saving": N_("Saving"),
    "cleaning": N_("Looking for repeats and counting tokens"),
    "settling": N_("Settling on the 16-bit model"),
    "answering": N_("Answering"),
    "merging": N_("Merging the adapter into the model"),
    "replaying": N_("Comparing the answers"),
    "examining": N_("Looking at this computer"),
    "moving": N_("Moving"),
    "comparing": N_("Comparing the copies"),
}

_STEPS = {
    "gpu": N_("GPU"),
    "model": N_("Model"),
    "data": N_("Data"),
    "plan": N_("Plan"),
    "train": N_("Train"),
    "test": N_("Test"),
    "export": N_("Export"),
}

_STATES = {
    "new": N_("Not started"),
    "running": N_("Running"),
    "finished": N_("Finished"),
    "stopped": N_("Stopped"),
    "failed": N_("Failed"),
    "interrupted": N_("Interrupted"),
}

_BLOCKERS = {
    "cards_unread": N_("SoloTune is still looking for graphics cards."),
    "no_model": N_("Choose a model first."),
    "model_not_here": N_("This model is not on this computer yet. Download it first."),
    "no_data": N_("Choose a data file first."),
    "data_not_usable": N_("No row of this data can be used yet. The list says why."),
    "no_plan": N_("The plan is not complete yet."),
    "not_trained": N_("Nothing is trained yet. The next step needs a result."),
    "training": N_("The training is running. The next step opens when it ends."),
    "card_not_here": N_("This plan is for a card that is not in this computer. Go back to your own card to train."),
}


#: The parts of an estimate (core.vram.Estimate.items).
_PARTS = {
    "weights": N_("Base model"),
    "adapter": N_("Adapter"),
    "gradients": N_("Gradients"),
    "optimizer": N_("Optimizer"),
    "activations": N_("Activations"),
    "logits": N_("Loss computation"),
    "workspace": N_("Working space"),
    "overhead": N_("CUDA and reserve"),
    "others": N_("Other programs"),
    "headroom": N_("Left over"),
    "overflow": N_("Too much"),
}

#: What each part is, in one sentence.
_PART_HINTS = {
    "weights": N_("The base model itself, which stays as it is; fewer bits per number make it smaller."),
    "adapter": N_("The few numbers that learn; a higher rank and more modules mean more of them."),
    "gradients": N_("In which direction each learning number should move; as large as the adapter."),
    "optimizer": N_("Two running averages for each learning number; the 8-bit optimizer keeps them in a quarter."),
    "activations": N_(
        "What the layers remember for the way back; longer rows and larger batches need more, recomputation less."
    ),
    "logits": N_("The scores of every word of the vocabulary, from which the loss is computed."),
    "workspace": N_("Room for one layer at a time that is unpacked to 16 bits while it works."),
    "overhead": N_("What CUDA and the memory allocator keep for themselves, whatever the plan."),
    "others": N_("What other programs and the driver hold on the card now; closing programs gives it back."),
    "headroom": N_("What stays free; a little of it keeps surprises harmless."),
    "overflow": N_("More than the card has: training would stop with an out-of-memory error."),
}

_SHAPES = {
    "alpaca": N_("Instruction and output"),
    "sharegpt": N_("Conversations (ShareGPT)"),
    "messages": N_("Conversations (messages)"),
    "prompt_completion": N_("Prompt and completion"),
    "question_answer": N_("Question and answer"),
    "text": N_("Text with marks such as “Q:” and “A:”"),
    "document": N_("Running text"),
    "unknown": N_("Not recognised"),
}


def stage_words(stage: "StageName") -> str:
    """What a job is busy with, in a few words."""
    return _(_STAGES[stage])


def step_words(step: str) -> str:
    """The short name of a page (core.wizard.Step), for the rail."""
    return _(_STEPS[step])


def state_words(state: "RunState") -> str:
    """What became of a run, in one word or two."""
    return _(_STATES[state])


def method_words(method: "Method") -> str:
    """The name of a method."""
    return _(METHODS[method])


def goal_words(goal: str) -> str:
    """What a goal ("simple", "medium", "complex") is for."""
    return _(GOALS[goal])


def part_words(part: str) -> str:
    """What a part of an estimate is."""
    return _(_PARTS.get(part, part))


def part_hint(part: str) -> str:
    """What a part of the memory is, in one sentence."""
    return _(_PART_HINTS[part])


def shape_words(shape: "Shape") -> str:
    """What the rows of a file look like."""
    return _(_SHAPES.get(shape, _SHAPES["unknown"]))


def blocker_words(blocker: str) -> str:
    """Why the next step is not open yet (core.wizard.Blocker), as a sentence."""
    return _(_BLOCKERS[blocker])
