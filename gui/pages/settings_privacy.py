"""What leaves this computer: a statement, and every host that was spoken to since the window opened."""

from PySide6.QtCore import Qt

from core.hub.network import destinations
from core.i18n import _
from gui.desk import Desk
from gui.pages.settings_group import Group
from gui.widgets.badge import Badge
from gui.widgets.text import column, label


class Privacy(Group):
    """The list grows while the page is open."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(_("Privacy"))
        self._desk = desk
        statement = label(
            _(
                "SoloTune sends nothing about you, your data or your computer to anybody: no telemetry, no account, "
                "no crash reports. Training, testing and checking happen on this computer alone."
            )
        )
        when = label(
            _(
                "It uses the network only when you fetch a model or look at one that is not here, when you test the "
                "sources, when the doctor asks whether they answer, and when you install or repair SoloTune. "
                "Weights & Biases gets the figures of a training only if you switched that on."
            ),
            "muted",
        )
        self.put(_("What is sent"), column(statement, when, spacing=4))
        self.mark = Badge("good", "", wrap=True)
        self.hosts = label("", name="hosts")
        self.hosts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hosts.setContentsMargins(22, 0, 0, 0)
        self.put(_("Spoken to"), column(self.mark, self.hosts, spacing=4))
        desk.runner.contacted.connect(self.look)

    def look(self) -> None:
        """Show the hosts that are known now."""
        # the window and its jobs are processes of their own: each knows where it went itself
        found = list(dict.fromkeys((*destinations(), *self._desk.runner.hosts)))
        if found:
            self.mark.set("muted", _("Since the window opened:"))
        else:
            self.mark.set("good", _("Nobody, since the window opened."))
        self.hosts.setText("\n".join(found))
        self.hosts.setVisible(bool(found))
