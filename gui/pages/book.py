"""Which page belongs to which step; a page is imported and built when it is first opened."""

import threading

from PySide6.QtCore import QTimer

from core.wizard import Step
from gui.desk import Desk
from gui.pages.page import Page

#: Milliseconds after which the data page is surely painted.
AFTER_PAINT = 500
#: Pages beside the wizard.
RUNS, SETTINGS, DOCTOR = "runs", "settings", "doctor"


def warm_up() -> None:
    """Load the chart library while the user looks at the data: on the window's thread it would be a hitch."""

    def load() -> None:
        import gui.widgets.live_plot  # noqa: F401

    threading.Thread(target=load, name="warm-up", daemon=True).start()


def make(name: str, desk: Desk) -> Page:
    """Build the page of a step, or one of the pages beside the wizard."""
    if name == Step.DATA:
        QTimer.singleShot(AFTER_PAINT, desk, warm_up)
    match name:
        case Step.GPU:
            from gui.pages.gpu import GpuPage

            return GpuPage(desk)
        case Step.MODEL:
            from gui.pages.model import ModelPage

            return ModelPage(desk)
        case Step.DATA:
            from gui.pages.data import DataPage

            return DataPage(desk)
        case Step.PLAN:
            from gui.pages.plan import PlanPage

            return PlanPage(desk)
        case Step.TRAIN:
            from gui.pages.train import TrainPage

            return TrainPage(desk)
    return _later(name, desk)


def _later(name: str, desk: Desk) -> Page:
    match name:
        case Step.TEST:
            from gui.pages.test import TalkPage

            return TalkPage(desk)
        case Step.EXPORT:
            from gui.pages.export import ExportPage

            return ExportPage(desk)
        case "runs":
            from gui.pages.runs import RunsPage

            return RunsPage(desk)
        case "settings":
            from gui.pages.settings import SettingsPage

            return SettingsPage(desk)
        case "doctor":
            from gui.pages.doctor import DoctorPage

            return DoctorPage(desk)
    raise KeyError(name)
