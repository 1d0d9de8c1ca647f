"""How many tokens each row is long: counted with the model's own tokenizer, or estimated from its letters.

What training sees is a row's texts and what the chat template writes around them. The texts are counted in
batches; what is around them depends on the turns alone and is measured once for each number of turns.
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from core.data.letters import AROUND_MESSAGE, AROUND_ROW, likely_tokens
from core.data.rows import Conversation

#: Texts are handed to the tokenizer in batches of so many letters; one token takes it about 100 bytes.
_BATCH = 400_000
_ROWS = 20_000
#: Longer texts are counted in pieces, of which each may be a token off.
_PIECE = 50_000
#: Beyond so many questions and answers, each further pair adds as much as the last one did.
_TURNS = 6
#: The largest tokenizers of today are 35 MB; an untrusted file must not fill the memory.
_MOST_BYTES = 200_000_000
#: Stands for a message: one token for every tokenizer that knows words.
_MARK = "x"
#: Rows are counted per 64 tokens, and per 1/32, 1/16 … of their length where they are long.
BUCKET = 64
_MOST_BUCKETS = 200


class RowLengths:
    """Counts the rows that pass by, for the model in `folder`; without a usable tokenizer there it estimates.

    `counts` holds how many rows have a length, in tokens, after `close`. A file of n characters has at most
    sqrt(2n) different lengths, so this stays small. Nothing in the folder can make it fail: `exact` is False
    when rows had to be estimated, and `model` empty when the folder's tokenizer was of no use.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.counts: Counter[int] = Counter()
        self._tokens = _open(folder) if folder else None
        self.model = str(folder) if self._tokens else ""
        self.exact = self._tokens is not None
        self._rows: list[int] = []
        self._texts: list[str] = []
        self._owners: list[int] = []
        self._size = 0

    def add(self, conversation: Conversation) -> None:
        """Count a row, now or with those that come after it."""
        messages = conversation.messages
        if conversation.is_running:
            # running text has no turns, only the token that ends it and perhaps one that begins it
            around = 1 + (self._tokens.begins if self._tokens is not None else 0)
        else:
            around = self._around(len(messages), messages[0].role == "system")
        self._rows.append(around)
        for message in messages:
            for piece in _pieces(message.content):
                self._texts.append(piece)
                self._owners.append(len(self._rows) - 1)
                self._size += len(piece)
                if self._size >= _BATCH:
                    self._count()
        if not self._texts or len(self._rows) >= _ROWS:
            self.close()

    def close(self) -> None:
        """Count what was added and not counted yet."""
        self._count()
        self._settle()

    def _around(self, messages: int, system: bool) -> int:
        if self._tokens is not None:
            try:
                return self._tokens.around((messages - system) // 2, system)
            except BaseException as error:
                self._give_up(error)
        return AROUND_ROW + AROUND_MESSAGE * messages

    def _count(self) -> None:
        # the same system message and the same short answers stand in many rows
        lengths = self._lengths(list(dict.fromkeys(self._texts)))
        for owner, text in zip(self._owners, self._texts, strict=True):
            self._rows[owner] += lengths[text]
        self._texts, self._owners, self._size = [], [], 0

    def _lengths(self, texts: list[str]) -> dict[str, int]:
        if self._tokens is not None:
            try:
                return self._tokens.lengths(texts)
            except BaseException as error:
                self._give_up(error)
        return {text: likely_tokens(text) for text in texts}

    def _give_up(self, error: BaseException) -> None:
        """Estimate from here on, unless it was the user who broke off."""
        if not _is_fault(error):
            raise error
        self._tokens, self.exact = None, False

    def _settle(self) -> None:
        self.counts.update(self._rows)
        self._rows = []


class _ModelTokens:
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
        self.begins = int(bool(self._first()))
        self.around = lru_cache(maxsize=None)(self._around)
        self.around(1, system=False)

    def lengths(self, texts: list[str]) -> dict[str, int]:
        """The tokens of each text."""
        found = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return dict(zip(texts, map(len, found), strict=True))

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


def described(counts: Counter[int], **shares: int) -> dict[str, int]:
    """Describe lengths by how many rows have each: total, mean, shortest, the named percentiles, longest.

    `shares` are percentiles, as in `median=50`; a row's length each. Empty when there are no rows.
    """
    rows = counts.total()
    if not rows:
        return {}
    total = sum(length * n for length, n in counts.items())
    found = {"total": total, "mean": round(total / rows), "shortest": min(counts)}
    found |= {name: _length_at(counts, (rows - 1) * share // 100) for name, share in shares.items()}
    return found | {"longest": max(counts)}


def buckets(counts: Counter[int]) -> tuple[tuple[int, int], ...]:
    """Return (upper bound in tokens, rows) with growing bounds, at most 200, none of them empty."""
    for steps in (32, 16, 8, 4):
        found: Counter[int] = Counter()
        for length, rows in counts.items():
            found[_bound(length, steps)] += rows
        if len(found) <= _MOST_BUCKETS:
            break
    return tuple(sorted(found.items()))


def _bound(length: int, steps: int) -> int:
    """The upper bound of a length's bucket: a multiple of 64, or of 1/steps of the power of two below it."""
    width = max(BUCKET, (1 << max(length - 1, 1).bit_length() - 1) // steps)
    return max(1, -(-length // width)) * width


def _length_at(counts: Counter[int], place: int) -> int:
    """The length of the row at a place of all rows in order."""
    for length in sorted(counts):
        place -= counts[length]
        if place < 0:
            return length
    return max(counts)


def _pieces(text: str) -> Iterator[str]:
    """Cut a long text, where there is a space near."""
    start = 0
    while len(text) - start > _PIECE:
        space = text.rfind(" ", start + _PIECE // 2, start + _PIECE)
        end = space if space > 0 else start + _PIECE
        yield text[start:end]
        start = end
    yield text[start:] if start else text


def _open(folder: Path) -> _ModelTokens | None:
    try:
        return _ModelTokens(folder)
    except BaseException as error:
        if not _is_fault(error):
            raise
        return None


def _is_fault(error: BaseException) -> bool:
    """Whether something broke: a panic inside the tokenizer library is no Exception to Python."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"
