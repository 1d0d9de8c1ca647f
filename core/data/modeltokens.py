"""What the tokenizer and the chat template in a model folder make of rows, without transformers."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.rows import Conversation

if TYPE_CHECKING:
    from core.data.template import ChatTemplate

#: Beyond so many questions and answers, each further pair adds as much as the last one did.
_TURNS = 6
#: The largest tokenizers of today are 35 MB; an untrusted file must not fill the memory.
_MOST_BYTES = 200_000_000
#: Stands for a message: one token for every tokenizer that knows words.
_MARK = "x"


class ModelTokens:
    """The tokenizer and the chat template of a model folder. Everything it does may raise anything at all."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        from core.data.template import ChatTemplate

        file = folder / "tokenizer.json"
        if file.stat().st_size > _MOST_BYTES:
            raise ValueError("tokenizer.json is too large")
        self._tokenizer = Tokenizer.from_file(str(file))
        # a tokenizer can be saved with the padding and the limit of its last use
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._template = ChatTemplate(folder)
        added = self._tokenizer.get_added_tokens_decoder()
        self._special = {number for number, token in added.items() if token.special}
        self._end = self._tokenizer.token_to_id(self._template.special.get("eos_token", ""))
        self._closes = True
        self.begins = int(bool(self._first()))
        self.around = lru_cache(maxsize=None)(self._around)
        self.around(1, system=False)

    def lengths(self, texts: list[str]) -> dict[str, int]:
        """The tokens of each text."""
        found = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return dict(zip(texts, map(len, found), strict=True))

    def whole(self, conversation: Conversation) -> int:
        """The tokens of a row that is written as a whole."""
        ids = self._ids(self._template.render(conversation.plain(), self._first(), conversation.definitions()))
        if self._template.marked:
            return len(ids)
        if not self._closes:
            return len(ids) + 1
        ends = self._special | {self._end}
        return next((place for place in range(len(ids), 0, -1) if ids[place - 1] in ends), len(ids))

    def _around(self, turns: int, system: bool) -> int:
        """Tokens that the template adds to a conversation of `turns` questions and answers."""
        if turns > _TURNS:
            last = self.around(_TURNS, system)
            return last + (turns - _TURNS) * (last - self.around(_TURNS - 1, system))
        messages = [{"role": role, "content": _MARK} for role in ("user", "assistant") * turns]
        if system:
            messages.insert(0, {"role": "system", "content": _MARK})
        text, _mark, tail = self._template.render(messages, self._first()).rpartition(_MARK)
        around = len(self._ids(text + _MARK)) - len(messages) * len(self._ids(_MARK))
        return around + self._after(self._ids(tail))

    def _after(self, tail: list[int]) -> int:
        """Training ends a row at the token that ends an answer, and appends one where the template forgets it.

        Where the template marks what is trained, the row is all that it writes.
        """
        ends = self._special | {self._end}
        first = next((place + 1 for place, token in enumerate(tail) if token in ends), 0)
        self._closes = bool(first)
        if first and self._template.marked:
            return len(tail)
        return first or 1

    def _first(self) -> str:
        """What begins a row where there is no template: the begin-of-text token of models that use one."""
        first = self._template.special.get("bos_token", "")
        begins = self._tokenizer.encode("a").ids[:1] == [self._tokenizer.token_to_id(first)]
        return first if begins else ""

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def open_tokens(folder: Path) -> ModelTokens | None:
    """The tokenizer of a model folder, None when it is of no use."""
    try:
        return ModelTokens(folder)
    except BaseException as error:
        if not is_fault(error):
            raise
        return None


def open_template(folder: Path) -> "ChatTemplate | None":
    """The chat template of a model folder, None when it is of no use."""
    from core.data.template import ChatTemplate

    try:
        return ChatTemplate(folder)
    except Exception:  # whatever an untrusted template raises
        return None


def is_fault(error: BaseException) -> bool:
    """Whether something broke: a panic inside the tokenizer library is no Exception to Python."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"
