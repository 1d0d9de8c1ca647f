"""A turn of a row as bubbles: what is thought, what is said, which tools are called and what they answer."""

import json
from collections.abc import Iterator

from PySide6.QtWidgets import QWidget

from core.data.rows import Call, Conversation, Message
from core.i18n import _
from gui.widgets.bubble import Bubble
from gui.widgets.text import label


def row_widgets(conversation: Conversation) -> Iterator[QWidget]:
    """Yield what shows a row, from the tools that it defines to its last turn."""
    names = [tool["function"]["name"] for tool in conversation.definitions() or ()]
    if names:
        yield label(_("Tools that may be called: {names}").format(names=_(", ").join(names)), "small")
    for message in conversation.messages:
        yield from _turn(message)


def _turn(message: Message) -> Iterator[Bubble]:
    if message.role == "tool":
        who = _("Result of {tool}").format(tool=message.name) if message.name else _("Result of a tool")
        yield Bubble("tool", message.content, who=who)
        return
    if message.thought:
        yield Bubble(message.role, message.thought, who=_("Thought"))
    if message.content or not message.calls:
        yield Bubble(message.role, message.content)
    for call in message.calls:
        yield Bubble(message.role, _arguments(call), who=_("Call of {tool}").format(tool=call.name))


def _arguments(call: Call) -> str:
    """Arguments one a line, as a person would write them down."""
    given = json.loads(call.arguments)
    said = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in given.items()
    }
    return "\n".join(f"{name}: {value}" for name, value in said.items()) or "–"
