"""Conversations into tokens with the model's own chat template; only answers are trained.

Prompt and answer are tokenized apart, at the border where the model takes over: what is trained is token for
token what the model meets when it answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import numpy as np
import numpy.typing as npt
import torch

from core.data.template import FALLBACK_TEMPLATE, system_folded
from core.problems import Code, Trouble

#: A label that the loss passes over.
IGNORED = -100

Messages = list[dict[str, str]]
Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Encoded:
    """One row: token ids and labels of the same length, labels IGNORED where nothing is trained."""

    ids: Tokens
    labels: Tokens
    truncated: bool = False

    @property
    def trained(self) -> int:
        """Number of trained tokens; the first token of a row is never predicted."""
        return int((self.labels[1:] != IGNORED).sum())


class ChatFormat:
    """One template object for training, chat and export. `fallback` says that the model brought no template."""

    def __init__(self, tokenizer: Any, system: str = "") -> None:
        self.tokenizer = tokenizer
        self.system = system
        self.fallback = not tokenizer.chat_template
        if self.fallback:
            if not tokenizer.eos_token:
                raise Trouble(Code.MODEL_INCOMPLETE, path=tokenizer.name_or_path, missing="end-of-text token")
            first = tokenizer.bos_token if _starts_with_bos(tokenizer) else ""
            tokenizer.chat_template = FALLBACK_TEMPLATE.replace("{{ first }}", first or "")
        self.end_id, self._appended_end = self._end_of_turn()

    def prompt_ids(self, messages: Messages) -> list[int]:
        """Tokens of `messages` up to where the model answers."""
        return self._ids(self._render(messages, prompt=True))

    def prompt_text(self, messages: Messages) -> str:
        """The exact string that those tokens stand for."""
        return self._render(messages, prompt=True)

    def encode(self, messages: Messages, limit: int) -> Encoded | None:
        """Encode one conversation, cut on the right at `limit` tokens; None when no answer token is left."""
        ids: list[int] = []
        labels: list[int] = []
        for text, trained in self._segments(messages):
            part = self._ids(text)
            ids += part
            labels += part if trained else [IGNORED] * len(part)
        row = Encoded(
            np.asarray(ids[:limit], np.int32),
            np.asarray(labels[:limit], np.int32),
            truncated=len(ids) > limit,
        )
        return row if row.trained else None

    def _segments(self, messages: Messages) -> list[tuple[str, bool]]:
        """Split the rendered conversation into (text, trained) pieces."""
        answers = [i for i, m in enumerate(messages) if m["role"] == "assistant"]
        if not answers:
            return []
        whole = self._by_turns(messages, answers)
        return whole if whole is not None else self._by_turns(messages, answers[-1:]) or []

    def _by_turns(self, messages: Messages, answers: Sequence[int]) -> list[tuple[str, bool]] | None:
        """Segments with the given answers trained, None when the template rewrites earlier turns."""
        pieces: list[tuple[str, bool]] = []
        done = ""
        for i in answers:
            prompt = self._render(messages[:i], prompt=True)
            full = self._render(messages[: i + 1])
            if not prompt.startswith(done):
                return None
            start = _common(prompt, full)
            if start < len(prompt) and len(answers) > 1:
                return None
            answer, rest = self._cut_after_end(full[start:])
            # what comes after the end of the turn belongs to the next prompt
            pieces += [(prompt[len(done) : start], False), (answer, True)]
            done = full[: len(full) - len(rest)]
        return pieces

    def _cut_after_end(self, text: str) -> tuple[str, str]:
        if self._appended_end:
            return text.rstrip("\n") + self.tokenizer.eos_token, ""
        end = self.tokenizer.convert_ids_to_tokens(self.end_id)
        at = text.rfind(end)
        return (text[: at + len(end)], text[at + len(end) :]) if at >= 0 else (text, "")

    def _end_of_turn(self) -> tuple[int, bool]:
        """Return the token that ends an answer, and whether the template forgets it and we must append it."""
        probe = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        full = self._render(probe)
        tail = full[full.rfind("b") + 1 :]
        special = {i for i, t in self.tokenizer.added_tokens_decoder.items() if t.special}
        special |= {self.tokenizer.eos_token_id}
        for token in self._ids(tail):
            if token in special:
                return token, False
        if self.tokenizer.eos_token_id is None:
            raise Trouble(Code.MODEL_INCOMPLETE, path=self.tokenizer.name_or_path, missing="end-of-text token")
        return int(self.tokenizer.eos_token_id), True

    def _render(self, messages: Messages, *, prompt: bool = False) -> str:
        if self.system and not any(m["role"] == "system" for m in messages):
            messages = [{"role": "system", "content": self.system}, *messages]
        try:
            return self._apply(messages, prompt)
        except jinja2.TemplateError:
            # Gemma and others know no system role
            return self._apply(system_folded(messages), prompt)

    def _apply(self, messages: Messages, prompt: bool) -> str:
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
        return str(text)

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"]) if text else []


def collate(rows: Sequence[dict[str, Tokens]], pad_id: int) -> dict[str, Any]:
    """Pad rows on the right. Shapes (batch, longest): input_ids, attention_mask, labels; padding is never trained."""
    longest = max(len(row["input_ids"]) for row in rows)
    ids = np.full((len(rows), longest), pad_id, np.int64)
    labels = np.full((len(rows), longest), IGNORED, np.int64)
    mask = np.zeros((len(rows), longest), np.int64)
    for i, row in enumerate(rows):
        length = len(row["input_ids"])
        ids[i, :length], labels[i, :length], mask[i, :length] = row["input_ids"], row["labels"], 1
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(mask),
        "labels": torch.from_numpy(labels),
    }


def _common(a: str, b: str) -> int:
    """Length of the common start of two strings."""
    limit = min(len(a), len(b))
    return next((i for i in range(limit) if a[i] != b[i]), limit)


def _starts_with_bos(tokenizer: Any) -> bool:
    ids = tokenizer("a")["input_ids"]
    return tokenizer.bos_token_id is not None and ids[:1] == [tokenizer.bos_token_id]
