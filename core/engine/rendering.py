"""A tokenizer's chat template at work: conversations as text, and what of it the template marks as generated."""

from typing import Any

from transformers.utils import chat_template_utils
from transformers.utils.chat_template_utils import render_jinja_template

from core.data.codes import RowFault
from core.data.sandbox import BoundedSandbox
from core.data.template import has_marks, in_parts, takes_parts
from core.data.toolform import Messages, ToolForm, Tools, first_written

# transformers' sandbox keeps a template in, but lets it count and write without an end
chat_template_utils.ImmutableSandboxedEnvironment = BoundedSandbox

#: Where a marked answer begins and ends in a text.
Range = tuple[int, int]


class Rendering:
    """Writes conversations with the template of `tokenizer`; `system` opens those that bring no system text."""

    def __init__(self, tokenizer: Any, system: str = "") -> None:
        self._tokenizer = tokenizer
        self._system = system
        self._in_parts = False
        self._in_parts = takes_parts(lambda messages: self._apply(messages, None, False))
        self._tools = ToolForm(
            lambda messages, tools: first_written(lambda one: self._apply(one, tools, False), messages)
        )

    def text(self, messages: Messages, tools: Tools = None, *, prompt: bool = False) -> str:
        """Return the conversation as text, up to where the model answers when it is a `prompt`."""
        return self._spelled(self._tools.formed(self._opened(messages)), tools, prompt)

    def refuses(self, messages: Messages, tools: Tools = None) -> RowFault | None:
        """Why the template cannot show a row with tools as it is, None when it can."""
        return self._tools.fault(self._opened(messages), tools)

    def has_marks(self) -> bool:
        """Whether the template marks what the model generates ({% generation %})."""
        return has_marks(self._tokenizer.get_chat_template())

    def marked(self, messages: Messages, tools: Tools = None) -> tuple[str, list[Range]]:
        """Return the conversation as text and the places in it that the template marks as generated."""
        formed = self._tools.formed(self._opened(messages))
        text, ranges = first_written(lambda one: self._apply_marked(one, tools), formed)
        return text, ranges

    def _opened(self, messages: Messages) -> Messages:
        if self._system and not any(m["role"] == "system" for m in messages):
            return [{"role": "system", "content": self._system}, *messages]
        return messages

    def _spelled(self, messages: Messages, tools: Tools, prompt: bool) -> str:
        return str(first_written(lambda one: self._apply(one, tools, prompt), messages))

    def _apply(self, messages: Messages, tools: Tools, prompt: bool) -> str:
        text = self._tokenizer.apply_chat_template(
            self._form(messages), tools=tools, tokenize=False, add_generation_prompt=prompt
        )
        return str(text)

    def _apply_marked(self, messages: Messages, tools: Tools) -> tuple[str, list[Range]]:
        # what apply_chat_template does inside; it would give neither the text nor where its tokens lie
        texts, ranges = render_jinja_template(
            [self._form(messages)],
            tools=tools,
            chat_template=self._tokenizer.get_chat_template(),
            return_assistant_tokens_mask=True,
            add_generation_prompt=False,
            **self._tokenizer.special_tokens_map,
        )
        return texts[0], ranges[0]

    def _form(self, messages: Messages) -> list[Any]:
        return in_parts(messages) if self._in_parts else messages
