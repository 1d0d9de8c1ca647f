"""Words for trouble with what goes in and comes out: data, models, plans, runs."""

from core.i18n import N_
from core.problems import Code
from core.wording.details import ROWS
from core.wording.sentences import Either
from core.wording.words import TECHNICAL, WHERE, Action, Entry

MATERIAL: dict[Code, Entry] = {
    Code.GATED_MODEL: Entry(
        Either(
            N_("The owner of {model} asks you to accept a licence first."),
            N_("The owner of this model asks you to accept a licence first."),
        ),
        (
            Either(
                N_("Open {licence_page} and accept the licence there."),
                N_("Open its page on Hugging Face and accept the licence there."),
            ),
            N_("Then give SoloTune an access token of yours, or sign in with “hf auth login”, and try again."),
        ),
        Action.OPEN_LICENCE,
    ),
    Code.TOKEN_REFUSED: Entry(
        N_("The access token is not accepted."),
        (
            N_("It may have expired, or was not copied whole."),
            N_("Make a new one with the right to read in your settings at Hugging Face, and give it again."),
        ),
        Action.RETRY,
    ),
    Code.DATA_MISSING: Entry(
        Either(N_("There is no file at {path}."), N_("The data file is not there.")),
        (N_("It may have been moved or renamed, or its drive is not connected."),),
        Action.CHOOSE_DATA,
    ),
    Code.DATA_UNREADABLE: Entry(
        Either(N_("The file {path} cannot be read."), N_("The data file cannot be read.")),
        (Either("{reason}", N_("It may be damaged. Open it in its own program and save it again.")),),
        Action.CHOOSE_DATA,
    ),
    Code.DATA_EMPTY: Entry(
        Either(N_("There are no rows in {path}."), N_("There are no rows in this file.")),
        (N_("Choose a file with questions and answers to learn from."),),
        Action.CHOOSE_DATA,
    ),
    Code.DATA_SHAPE: Entry(
        Either(
            N_("SoloTune does not recognise the rows in {path}."),
            N_("SoloTune does not recognise the rows in this file."),
        ),
        (Either("{found}", ROWS),),
        Action.CHOOSE_DATA,
    ),
    Code.DATA_CHANGED: Entry(
        Either(
            N_("The file {path} has changed since this run began."),
            N_("A data file has changed since this run began."),
        ),
        (
            N_("The run cannot go on with other rows than those it learned from so far."),
            N_("Put the file back as it was, or start a new run with it."),
        ),
        Action.CHOOSE_DATA,
    ),
    Code.MODEL_MISSING: Entry(
        Either(
            N_("The model {model} is not on this computer."),
            N_("There is no model at {path}."),
            N_("The model is not on this computer."),
        ),
        (N_("It was expected at {path}."), N_("Download it, or choose another model.")),
        Action.CHOOSE_MODEL,
    ),
    Code.MODEL_UNKNOWN: Entry(
        Either(N_("No model called {model} was found."), N_("No such model was found.")),
        (
            N_("Did you mean {near}?"),
            N_("Check the spelling: owner/name, or the path of a folder on this computer."),
            TECHNICAL,
        ),
        Action.CHOOSE_MODEL,
    ),
    Code.MODEL_INCOMPLETE: Entry(
        Either(N_("The model is incomplete: {missing} is missing."), N_("The model is incomplete.")),
        (WHERE, N_("Download the model again, or choose another one."), TECHNICAL),
        Action.CHOOSE_MODEL,
    ),
    Code.MODEL_CORRUPT: Entry(
        Either(N_("The model file {path} is damaged."), N_("A file of the model is damaged.")),
        (
            N_(
                "It was probably cut off while it was copied or downloaded. Get the model again, or choose another one."
            ),
            "{reason}",
            TECHNICAL,
        ),
        Action.CHOOSE_MODEL,
    ),
    Code.MODEL_PICKLE: Entry(
        N_("This model comes as pickle files, and SoloTune does not open those."),
        (
            N_(
                "Pickle files can run code when they are opened, so a model from the internet could harm this computer."
            ),
            N_("Look for the same model as safetensors files: those hold numbers and nothing else."),
            WHERE,
        ),
        Action.CHOOSE_MODEL,
    ),
    Code.MODEL_CUSTOM_CODE: Entry(
        N_("This model brings its own program code, and SoloTune does not run it."),
        (
            N_("Code from a downloaded folder can do anything on this computer."),
            N_("Choose a model that works without its own code."),
            WHERE,
        ),
        Action.CHOOSE_MODEL,
    ),
    Code.MODEL_UNSUPPORTED: Entry(
        Either(
            N_("Models of the kind {architecture} are not supported yet."),
            N_("This kind of model is not supported yet."),
        ),
        ("{reason}", N_("Choose a text model in 16-bit safetensors files."), WHERE, TECHNICAL),
        Action.CHOOSE_MODEL,
    ),
    Code.MODEL_OUTSIDE: Entry(
        N_("A file of this model lies outside of its folder."),
        (
            N_("“{name}” is a link to another place, and SoloTune does not follow it."),
            N_("Put the file itself there, or choose another model."),
            WHERE,
        ),
        Action.CHOOSE_MODEL,
    ),
    Code.MODEL_TEMPLATE: Entry(
        N_("The chat template of this model does what no chat template has to do."),
        (
            N_("It reaches for more than the conversation, or does not come to an end."),
            N_("Choose another model, or the same one from its original makers."),
            WHERE,
            TECHNICAL,
        ),
        Action.CHOOSE_MODEL,
    ),
    Code.NOT_OURS: Entry(
        N_("SoloTune only deletes models that it has downloaded."),
        (N_("Nothing was changed."), N_("If you do not need the folder {path}, delete it yourself.")),
        Action.CHOOSE_MODEL,
    ),
    Code.PLAN_INVALID: Entry(
        Either(N_("The plan {path} cannot be used."), N_("This plan cannot be used.")),
        (Either("{reason}", N_("A value in it is not possible.")), N_("Change the plan and try again.")),
        Action.CHANGE_PLAN,
    ),
    Code.NOTHING_TO_LEARN: Entry(
        Either(N_("No answer fits into {tokens} tokens."), N_("There is nothing to learn from in these rows.")),
        (
            Either("{reason}", N_("The answers are empty, or begin after the longest sequence ends.")),
            N_("Allow longer rows, or choose other data."),
        ),
        Action.CHANGE_PLAN,
    ),
    Code.NOT_A_NUMBER: Entry(
        Either(N_("Step {step} gave numbers that are none."), N_("Training gave numbers that are none.")),
        (
            N_("Nothing is lost: everything saved so far is kept."),
            N_("Lower learning rates did not help either. Look at the rows of that step, or change the plan."),
        ),
        Action.CHANGE_PLAN,
    ),
    Code.RUN_MISSING: Entry(
        Either(N_("There is no run at {path}."), N_("The run is not there.")),
        (N_("It may have been moved or deleted. You can start a new one."),),
        Action.START_OVER,
    ),
    Code.RUN_BUSY: Entry(
        N_("This run is already in use by another window or command."),
        (N_("Wait until it ends there, or stop it there."), WHERE),
        Action.RETRY,
    ),
    Code.RUN_IDLE: Entry(
        N_("Nobody trains this run now."),
        (N_("One that was interrupted or stopped can go on later."), WHERE),
        Action.RESUME,
    ),
    Code.RUN_NOT_RESUMABLE: Entry(
        N_("This run cannot go on."),
        (
            Either("{reason}", N_("It has finished, or its checkpoint is damaged.")),
            N_("You can start a new run with the same plan."),
            WHERE,
        ),
        Action.START_OVER,
    ),
    Code.RUN_NO_ADAPTER: Entry(
        N_("This run has no adapter yet."),
        (N_("It ended before anything was saved. Let it train on first, then come back here."), WHERE),
        Action.RESUME,
    ),
    Code.MERGE_DIFFERS: Entry(
        N_("The merged model does not answer like the adapter."),
        (
            N_("The same answers came to {agreement} of {replayed} questions."),
            N_("The adapter itself is unharmed and can be used with its base model."),
            WHERE,
        ),
        Action.REPORT,
    ),
}
