"""Conversations into tokens with the model's own chat template; only answers are trained.

Where the template marks what the model generates, its author's marks say what is trained. Elsewhere prompt and answer
are tokenized apart, at the border where the model takes over: what is trained is token for token what the model meets
when it answers. Running text is trained whole.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.codes import RowFault
from core.data.template import FALLBACK_TEMPLATE
from core.data.toolform import Messages, Tools
from core.engine.answers import Answers
from core.engine.rendering import Range, Rendering
from core.problems import Code, Trouble

#: A label that the loss passes over.
IGNORED = -100

Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Encoded:
    """One row: token ids and labels of the same length, labels IGNORED where nothing is trained.

    `end` is the token that a whole row must train so that the model learns to stop; None when nobody knows. `file` and
    `line` say where the row comes from.
    """

    ids: Tokens
    labels: Tokens
    truncated: bool = False
    end: int | None = None
    file: str = ""
    line: int = 0

    @property
    def trained(self) -> int:
        """Number of trained tokens; the first token of a row is never predicted."""
        return int((self.labels[1:] != IGNORED).sum())

    @property
    def never_ends(self) -> bool:
        """Whether the row would teach a model that answers do not end."""
        return not self.truncated and self.end is not None and self.end not in self.labels


@dataclass(frozen=True)
class Row:
    """A row before it is cut: its text, its tokens, which of them are to be trained and where in the text each ends.

    `ends` is empty for tokenizers that cannot tell (those without tokenizer.json).
    """

    text: str
    ids: list[int]
    trained: list[bool]
    ends: list[int]
    end: int | None

    def cut(self, limit: int) -> Encoded | None:
        """Cut on the right at `limit` tokens; None when no answer token is left."""
        ids = np.asarray(self.ids[:limit], np.int32)
        labels = np.where(np.asarray(self.trained[:limit], bool), ids, np.int32(IGNORED))
        row = Encoded(ids, labels, truncated=len(self.ids) > limit, end=self.end)
        return row if row.trained else None


class ChatFormat:
    """One template object for training, chat and export. `fallback` says that the model brought no template.

    `marked` says that the template's marks decide what is trained. Marks that leave out the end of the answer are
    passed over: a model trained by them would never stop.
    """

    def __init__(self, tokenizer: Any, system: str = "") -> None:
        self.tokenizer = tokenizer
        self.fallback = not tokenizer.chat_template
        self._first = tokenizer.bos_token if _starts_with_bos(tokenizer) else ""
        if self.fallback:
            if not tokenizer.eos_token:
                raise Trouble(Code.MODEL_INCOMPLETE, path=tokenizer.name_or_path, missing="end-of-text token")
            tokenizer.chat_template = FALLBACK_TEMPLATE.replace("{{ first }}", self._first)
        self._rendering = Rendering(tokenizer, system)
        self.end_id, appended = self._end_of_turn()
        end = tokenizer.convert_ids_to_tokens(self.end_id)
        self._answers = Answers(self._rendering, end, tokenizer.eos_token if appended else "")
        self.marked = self._rendering.has_marks() and self._marks_the_end()

    def prompt_ids(self, messages: Messages, tools: Tools = None) -> list[int]:
        """Tokens of `messages` up to where the model answers, or of the beginning of a running text."""
        if messages[0]["role"] == "text":
            return self._ids(self._first) + self._ids(messages[0]["content"])
        return self._ids(self._rendering.text(messages, tools, prompt=True))

    def prompt_text(self, messages: Messages, tools: Tools = None) -> str:
        """The exact string that those tokens stand for."""
        return self._rendering.text(messages, tools, prompt=True)

    def refuses(self, messages: Messages, tools: Tools = None) -> RowFault | None:
        """Why the model's template cannot show a row with tools as it is, None when it can."""
        return self._rendering.refuses(messages, tools)

    def encode(self, messages: Messages, limit: int, tools: Tools = None) -> Encoded | None:
        """Encode one conversation, cut on the right at `limit` tokens; None when no answer token is left."""
        return self.row(messages, tools).cut(limit)

    def row(self, messages: Messages, tools: Tools = None) -> Row:
        """Encode one conversation, or one passage of running text (a single message of the role "text"), whole.

        `tools` are the definitions that come with the conversation; calls are trained like answers.
        """
        if messages[0]["role"] == "text":
            return self._running(messages[0]["content"])
        if self.marked:
            row = self._by_marks(*self._rendering.marked(messages, tools))
        else:
            row = self._joined(self._answers.segments(messages, tools))
        if "tool_calls" in messages[-1] and (self.end_id, True) not in zip(row.ids, row.trained, strict=True):
            # some templates end a call otherwise than an answer, or leave its end to the program that runs tools
            return replace(row, end=None)
        return row

    def _running(self, text: str) -> Row:
        """All of a text, between the tokens that begin and end texts: so a base model has met them."""
        end = self.tokenizer.eos_token_id
        if end is None:
            raise Trouble(Code.MODEL_INCOMPLETE, path=self.tokenizer.name_or_path, missing="end-of-text token")
        row = self._joined([(self._first, False), (text, True), (self.tokenizer.eos_token, True)])
        return replace(row, end=end)

    def _by_marks(self, text: str, ranges: list[Range]) -> Row:
        """Train from the token of each range's first letter to that of its last one, as transformers and TRL do."""
        if not self.tokenizer.is_fast:
            return self._joined(_cut_at(text, ranges))
        ids, spans = self._placed(text)
        ends = [stop for _start, stop in spans]
        trained = [False] * len(ids)
        for start, stop in ranges:
            first, last = bisect_right(ends, start), bisect_right(ends, stop - 1)
            if last == len(ids) or spans[last][0] >= stop:
                # the range ends in space that no token holds: there transformers trains the rest of the row
                last -= 1
            trained[first : last + 1] = [True] * (last + 1 - first)
        return Row(text, ids, trained, ends, self.end_id)

    def _joined(self, segments: Iterable[tuple[str, bool]]) -> Row:
        """Tokenize pieces of a text apart and put them together."""
        text = ""
        ids: list[int] = []
        trained: list[bool] = []
        ends: list[int] = []
        for piece, is_trained in segments:
            part, spans = self._placed(piece)
            ids += part
            trained += [is_trained] * len(part)
            ends += [len(text) + stop for _start, stop in spans]
            text += piece
        return Row(text, ids, trained, ends, self.end_id)

    def _end_of_turn(self) -> tuple[int, bool]:
        """Return the token that ends an answer, and whether the template forgets it and we must append it."""
        full = self._rendering.text(_PROBE)
        answer = _PROBE[-1]["content"]
        tail = full[full.rfind(answer) + len(answer) :]
        special = {i for i, t in self.tokenizer.added_tokens_decoder.items() if t.special}
        special |= {self.tokenizer.eos_token_id}
        for token in self._ids(tail):
            if token in special:
                return token, False
        if self.tokenizer.eos_token_id is None:
            raise Trouble(Code.MODEL_INCOMPLETE, path=self.tokenizer.name_or_path, missing="end-of-text token")
        return int(self.tokenizer.eos_token_id), True

    def _marks_the_end(self) -> bool:
        row = self._by_marks(*self._rendering.marked(_PROBE))
        return (self.end_id, True) in zip(row.ids, row.trained, strict=True)

    def _ids(self, text: str) -> list[int]:
        return self._placed(text)[0]

    def _placed(self, text: str) -> tuple[list[int], list[Range]]:
        """The tokens of a text and where each begins and ends in it; no places from tokenizers that cannot tell."""
        if not text:
            return [], []
        fast = self.tokenizer.is_fast
        found = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=fast)
        return list(found["input_ids"]), found["offset_mapping"] if fast else []


_PROBE: Messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]


def _cut_at(text: str, ranges: list[Range]) -> list[tuple[str, bool]]:
    """Cut a text into pieces in and between the ranges, each with whether it is in one."""
    pieces: list[tuple[str, bool]] = []
    done = 0
    for start, stop in ranges:
        pieces += [(text[done:start], False), (text[start:stop], True)]
        done = stop
    return [*pieces, (text[done:], False)]


def _starts_with_bos(tokenizer: Any) -> bool:
    ids = tokenizer("a")["input_ids"]
    return tokenizer.bos_token_id is not None and ids[:1] == [tokenizer.bos_token_id]
