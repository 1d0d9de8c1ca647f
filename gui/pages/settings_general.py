"""The first group of settings: language and colours."""

from core.i18n import _
from core.settings import Settings
from gui.pages.settings_group import FIELD, Group
from gui.widgets.fields import Choice


class GeneralSettings(Group):
    """How the window speaks and looks."""

    def __init__(self) -> None:
        super().__init__(_("General"))
        languages = [("system", _("Same as the system")), ("en", "English"), ("zh", "中文")]
        themes = [("system", _("Same as the system")), ("light", _("Light")), ("dark", _("Dark"))]
        self.language = Choice("language", _("Language"), languages)
        self.theme = Choice("theme", _("Colours"), themes)
        self.language.activated.connect(lambda _at: self.changed.emit({"language": self.language.value}))
        self.theme.activated.connect(lambda _at: self.changed.emit({"theme": self.theme.value}))
        for words, field in ((_("&Language"), self.language), (_("&Colours"), self.theme)):
            field.setFixedWidth(FIELD)
            self.put(words, field)

    def show_settings(self, settings: Settings) -> None:
        self.language.set(settings.language)
        self.theme.set(settings.theme)
