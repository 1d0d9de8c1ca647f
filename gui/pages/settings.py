"""Settings page: groups of choices, each of which holds at once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.findings import Check
from core.i18n import _
from core.wizard import WizardState
from gui.desk import Desk
from gui.pages.page import Page
from gui.pages.settings_app import AppSettings
from gui.pages.settings_folders import FolderSettings
from gui.pages.settings_general import GeneralSettings
from gui.pages.settings_group import Group
from gui.pages.settings_privacy import Privacy
from gui.pages.settings_sources import SourceSettings
from gui.pages.settings_training import TrainingSettings
from gui.widgets.text import line


class SettingsPage(Page):
    """Every change holds at once."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("Settings"), _("Changes take effect at once."))
        self._wanted = ""
        self.general, self.folders, self.sources = GeneralSettings(), FolderSettings(desk), SourceSettings(desk)
        self.training, self.privacy, self.app = TrainingSettings(), Privacy(desk), AppSettings(desk)
        self.groups: dict[str, Group] = {
            "general": self.general, "folders": self.folders, "sources": self.sources,
            "training": self.training, "privacy": self.privacy, "app": self.app,
        }  # fmt: skip
        for at, group in enumerate(self.groups.values()):
            if at:
                self.column.addSpacing(8)
                self.column.addWidget(line())
            self.column.addSpacing(8)
            self.column.addWidget(group)
            group.changed.connect(lambda values: self._change(**values))
        self.column.addStretch(1)

    def called(self, checks: Sequence[Check], part: str) -> None:
        self._wanted = part

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        for group in self.groups.values():
            group.show_settings(self.desk.settings)
        self.privacy.look()
        wanted, self._wanted = self._wanted, ""
        if wanted in self.groups:
            self.bring_to_top(self.groups[wanted])

    def left(self) -> None:
        self.sources.leave()

    def _change(self, **values: Any) -> None:
        self.desk.change(replace(self.desk.settings, **values))
        self.show_state(self.state)
