"""The forms that words about trouble take: a title, an advice, and what a button offers to do."""

from dataclasses import dataclass
from enum import StrEnum

from core.i18n import N_, _
from core.wording.sentences import Sentence


class Action(StrEnum):
    """What a problem card offers to do about the trouble."""

    TRY_SMALLER = "try_smaller"
    RESUME = "resume"
    RETRY = "retry"
    CHOOSE_DATA = "choose_data"
    CHOOSE_MODEL = "choose_model"
    CHOOSE_FOLDER = "choose_folder"
    CHANGE_PLAN = "change_plan"
    OPEN_LOG = "open_log"
    FREE_DISK = "free_disk"
    OPEN_LICENCE = "open_licence"
    GET_DRIVER = "get_driver"
    PRACTICE = "practice"
    START_OVER = "start_over"
    REPORT = "report"
    STOP_KEEP_BEST = "stop_keep_best"
    PAUSE = "pause"
    OPEN_SETTINGS = "open_settings"


@dataclass(frozen=True)
class Words:
    """Trouble as a person reads it: what happened, what it means and what to do, and the best next step."""

    title: str
    advice: str
    action: Action | None


@dataclass(frozen=True)
class Entry:
    """What the tables hold for a kind of trouble; sentences whose facts are not known are left out."""

    title: Sentence
    advice: tuple[Sentence, ...]
    action: Action | None = None


# Sentences that many kinds of trouble share.
KEPT = N_("Everything saved so far is kept.")
TECHNICAL = N_("Details: {text}")
WHERE = N_("The folder is {path}.")

_LABELS: dict[Action, str] = {
    Action.TRY_SMALLER: N_("Try again, smaller"),
    Action.RESUME: N_("Go on"),
    Action.RETRY: N_("Try again"),
    Action.CHOOSE_DATA: N_("Choose other data"),
    Action.CHOOSE_MODEL: N_("Choose another model"),
    Action.CHOOSE_FOLDER: N_("Choose another folder"),
    Action.CHANGE_PLAN: N_("Change the plan"),
    Action.OPEN_LOG: N_("Open the log"),
    Action.FREE_DISK: N_("Show the folder"),
    Action.OPEN_LICENCE: N_("Open the licence page"),
    Action.GET_DRIVER: N_("Get the driver"),
    Action.PRACTICE: N_("Practise without a card"),
    Action.START_OVER: N_("Start a new run"),
    Action.REPORT: N_("Copy a report"),
    Action.STOP_KEEP_BEST: N_("Stop and keep the best"),
    Action.PAUSE: N_("Pause"),
    Action.OPEN_SETTINGS: N_("Open the settings"),
}


def action_label(action: Action) -> str:
    """The words on the button for `action`."""
    return _(_LABELS[action])
