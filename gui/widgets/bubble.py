"""A chat bubble: who speaks, and what."""

import re

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from core.i18n import _
from gui.widgets.text import label

#: Longer texts are cut for the eye; the file keeps all of it.
LONGEST = 4000


#: Words longer than this get places where a line may break.
UNBROKEN = 28


def breakable(text: str) -> str:
    """`text` cut for the eye, with invisible places to break in very long words."""
    return re.sub(rf"(\S{{{UNBROKEN}}})(?=\S)", "\\1\u200b", text[:LONGEST])


def speaker(role: str) -> str:
    """The name of a role in the words of the window."""
    return {"user": _("Question"), "assistant": _("Answer"), "system": _("System")}.get(role, role)


class Bubble(QWidget):
    """One turn of a conversation; `append` adds text while it is being written."""

    def __init__(self, role: str, text: str, *, who: str = "", indent: bool = True) -> None:
        super().__init__()
        self._text = text
        self._body = label(breakable(text), "body")
        self._body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._who = label(who or speaker(role), "small")
        frame = QFrame()
        frame.setProperty("role", f"bubble-{role}")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(12, 8, 12, 10)
        inner.setSpacing(2)
        inner.addWidget(self._who)
        inner.addWidget(self._body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(48 if indent and role == "user" else 0, 0, 48 if indent and role != "user" else 0, 0)
        outer.addWidget(frame)

    def append(self, text: str) -> None:
        """Add a piece of text at the end."""
        self.set_text(self._text + text)

    def set_text(self, text: str) -> None:
        """Replace what is said."""
        self._text = text
        self._body.setText(breakable(text))

    def set_who(self, who: str) -> None:
        """Replace who says it."""
        self._who.setText(who)

    @property
    def text(self) -> str:
        return self._text

    @property
    def body(self) -> QLabel:
        return self._body
