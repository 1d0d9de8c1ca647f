"""A tokenizer's chat template at work: conversations as text, and what of it the template marks as generated."""

from typing import Any

import jinja2
from transformers.utils.chat_template_utils import render_jinja_template

from core.data.template import Messages, has_marks, in_parts, system_folded, takes_parts

#: Where a marked answer begins and ends in a text.
Range = tuple[int, int]


class Rendering:
    """Writes conversations with the template of `tokenizer`; `system` opens those that bring no system text."""

    def __init__(self, tokenizer: Any, system: str = "") -> None:
        self._tokenizer = tokenizer
        self._system = system
        self._in_parts = False
        self._in_parts = takes_parts(lambda messages: self._apply(messages, False))

    def text(self, messages: Messages, *, prompt: bool = False) -> str:
        """Return the conversation as text, up to where the model answers when it is a `prompt`."""
        messages = self._opened(messages)
        try:
            return self._apply(messages, prompt)
        except jinja2.TemplateError:
            # Gemma and others know no system role
            return self._apply(system_folded(messages), prompt)

    def has_marks(self) -> bool:
        """Whether the template marks what the model generates ({% generation %})."""
        return has_marks(self._tokenizer.get_chat_template())

    def marked(self, messages: Messages) -> tuple[str, list[Range]]:
        """Return the conversation as text and the places in it that the template marks as generated."""
        messages = self._opened(messages)
        try:
            return self._apply_marked(messages)
        except jinja2.TemplateError:
            return self._apply_marked(system_folded(messages))

    def _opened(self, messages: Messages) -> Messages:
        if self._system and not any(m["role"] == "system" for m in messages):
            return [{"role": "system", "content": self._system}, *messages]
        return messages

    def _apply(self, messages: Messages, prompt: bool) -> str:
        text = self._tokenizer.apply_chat_template(self._form(messages), tokenize=False, add_generation_prompt=prompt)
        return str(text)

    def _apply_marked(self, messages: Messages) -> tuple[str, list[Range]]:
        # what apply_chat_template does inside; it would give neither the text nor where its tokens lie
        texts, ranges = render_jinja_template(
            [self._form(messages)],
            chat_template=self._tokenizer.get_chat_template(),
            return_assistant_tokens_mask=True,
            add_generation_prompt=False,
            **self._tokenizer.special_tokens_map,
        )
        return texts[0], ranges[0]

    def _form(self, messages: Messages) -> list[Any]:
        return in_parts(messages) if self._in_parts else messages
