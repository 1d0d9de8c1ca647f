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
    "training": N_("Training"),
    "evaluating": N_("Checking on the validation rows"),
    "saving": N_("Saving"),
    "settling": N_("Settling on the 16-bit model"),
    "answering": N_("Answering"),
    "merging": N_("Merging the adapter into the model"),
    "replaying": N_("Comparing the answers"),
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
}

_SHAPES = {
    "alpaca": N_("Instruction and output"),
    "sharegpt": N_("Conversations (ShareGPT)"),
    "messages": N_("Conversations (messages)"),
    "prompt_completion": N_("Prompt and completion"),
    "question_answer": N_("Question and answer"),
    "text": N_("Text with marks such as “Q:” and “A:”"),
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


def shape_words(shape: "Shape") -> str:
    """What the rows of a file look like."""
    return _(_SHAPES.get(shape, _SHAPES["unknown"]))


def blocker_words(blocker: str) -> str:
    """Why the next step is not open yet (core.wizard.Blocker), as a sentence."""
    return _(_BLOCKERS[blocker])
