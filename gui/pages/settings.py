"""Settings page: language, colours, where things are kept, and what holds while a model is being trained."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QGridLayout, QHBoxLayout

from core.i18n import _
from core.wizard import WizardState
from gui.choose import choose_folder, open_folder
from gui.desk import Desk
from gui.pages.page import Page
from gui.pages.settings_training import NAMES, TrainingSettings
from gui.widgets.buttons import button
from gui.widgets.fields import Choice
from gui.widgets.text import Elided, label, line, row


class SettingsPage(Page):
    """Every change holds at once."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("Settings"), _("Changes take effect at once."))
        languages = [("system", _("Same as the system")), ("en", "English"), ("zh", "中文")]
        themes = [("system", _("Same as the system")), ("light", _("Light")), ("dark", _("Dark"))]
        self.language = Choice("language", _("Language"), languages)
        self.theme = Choice("theme", _("Colours"), themes)
        self.language.activated.connect(lambda _index: self._change(language=self.language.value))
        self.theme.activated.connect(lambda _index: self._change(theme=self.theme.value))
        self._runs, self._models = Elided(""), Elided("")
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(16)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, NAMES)
        for place, (words, field) in enumerate(((_("&Language"), self.language), (_("&Colours"), self.theme))):
            field.setFixedWidth(220)
            name = label(words)
            name.setBuddy(field)
            grid.addWidget(name, place, 0)
            grid.addWidget(field, place, 1)
        grid.addWidget(label(_("Runs are kept in")), 2, 0)
        grid.addLayout(self._folder(self._runs, "runs_folder"), 2, 1)
        grid.addWidget(label(_("Models are kept in")), 3, 0)
        grid.addLayout(self._folder(self._models, "models_folder"), 3, 1)
        self.column.addLayout(grid)
        self.training = TrainingSettings()
        self.training.changed.connect(lambda values: self._change(**values))
        self.column.addSpacing(8)
        self.column.addWidget(line())
        self.column.addSpacing(8)
        self.column.addWidget(self.training)
        self.column.addStretch(1)

    def _folder(self, path: Elided, name: str) -> QHBoxLayout:
        change = button(_("Change…"), f"change_{name}", lambda: self._choose(name))
        show = button(_("Open folder"), f"open_{name}", lambda: self._open(name), kind="quiet", icon="folder")
        found = row(path, change, show)
        found.setStretch(0, 1)
        return found

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        self.language.set(self.desk.settings.language)
        self.theme.set(self.desk.settings.theme)
        self._runs.setText(str(self.desk.runs_root))
        self._models.setText(str(self.desk.models_root))
        self.training.show_settings(self.desk.settings)

    def _change(self, **values: Any) -> None:
        self.desk.change(replace(self.desk.settings, **values))
        self.show_state(self.state)

    def _root(self, name: str) -> Path:
        return self.desk.runs_root if name == "runs_folder" else self.desk.models_root

    def _choose(self, name: str) -> None:
        found = choose_folder(self, _("Choose a folder"), self._root(name))
        if found is not None:
            self._change(**{name: str(found)})

    def _open(self, name: str) -> None:
        folder = self._root(name)
        folder.mkdir(parents=True, exist_ok=True)
        open_folder(folder)
