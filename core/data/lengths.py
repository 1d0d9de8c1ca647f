"""How many tokens each row is long: counted with the model's own tokenizer, or estimated from its letters.

What training sees is a row's texts and what the chat template writes around them. The texts are counted in
batches; what is around them depends on the turns alone and is measured once for each number of turns.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.data.codes import RowFault
from core.data.letters import AROUND_MESSAGE, AROUND_ROW, likely_tokens
from core.data.modeltokens import is_fault, open_template, open_tokens
from core.data.rows import Conversation

#: Texts are handed to the tokenizer in batches of so many letters; one token takes it about 100 bytes.
_BATCH = 400_000
_ROWS = 20_000
#: Longer texts are counted in pieces, of which each may be a token off.
_PIECE = 50_000
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
        self._tokens = open_tokens(folder) if folder else None
        self._template = open_template(folder) if folder else None
        self.model = str(folder) if self._tokens else ""
        self.exact = self._tokens is not None
        self._rows: list[int] = []
        self._texts: list[str] = []
        self._owners: list[int] = []
        self._size = 0

    def add(self, conversation: Conversation) -> None:
        """Count a row, now or with those that come after it."""
        messages = conversation.messages
        texts = [message.text for message in messages]
        if conversation.is_running:
            # running text has no turns, only the token that ends it and perhaps one that begins it
            around = 1 + (self._tokens.begins if self._tokens is not None else 0)
        elif conversation.has_tools or any(message.thought for message in messages):
            around, texts = self._written(conversation)
        else:
            around = self._around(len(messages), messages[0].role == "system")
        self._rows.append(around)
        for text in texts:
            for piece in _pieces(text):
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

    def refuses(self, conversation: Conversation) -> RowFault | None:
        """Why the model's template cannot show a row with tools, None when it can or nobody knows."""
        return self._template.refuses(conversation) if self._template is not None else None

    def _written(self, conversation: Conversation) -> tuple[int, list[str]]:
        """The tokens and texts of a row that the template writes as a whole: where its parts lie is its own affair."""
        if self._tokens is not None:
            try:
                return self._tokens.whole(conversation), []
            except BaseException as error:
                self._give_up(error)
        texts = [*(message.text for message in conversation.messages), conversation.tools]
        return AROUND_ROW + AROUND_MESSAGE * len(conversation.messages), texts

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
        if not is_fault(error):
            raise error
        self._tokens, self.exact = None, False

    def _settle(self) -> None:
        self.counts.update(self._rows)
        self._rows = []


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
