"""What a job shows of rows: their tokens as training sees them, what all of them come to, where a text is found."""

from dataclasses import dataclass
from enum import StrEnum

from core.events import Event
from core.problems import Problem


class Kind(StrEnum):
    """What training does with a token."""

    TRAINED = "trained"
    CONTEXT = "context"
    SPECIAL = "special"
    TRUNCATED = "truncated"


@dataclass(frozen=True, kw_only=True)
class TokenPiece:
    """Tokens that make up a piece of text, mostly one: several where a letter takes more than one token.

    Where tokens of one letter are of different kinds, the piece of the later ones has no text.
    A trained piece may be `special` too, as the token is that ends an answer; the kind SPECIAL is for context.
    """

    text: str
    ids: tuple[int, ...]
    kind: Kind
    special: bool = False


@dataclass(frozen=True, kw_only=True)
class RowTokens(Event):
    """A row of a plan's data as training sees it: the answer to the `ShowRow` of that number, or a problem.

    `row` counts from 0 over the training rows and then the validation rows, `of` together. The texts of `tokens` make
    up the whole text that the row becomes; of what is cut off the first 2,000 tokens are told. `trained` of the row's
    `total` tokens are learned from. `prompt` is the exact text that
    chat hands to the model to get the last answer, "" for running text; `as_in_chat` says that training saw the same.
    `skipped` says that training leaves the row out, because nothing of it would be learned.
    """

    number: int
    row: int = 0
    of: int = 0
    tokens: tuple[TokenPiece, ...] = ()
    prompt: str = ""
    as_in_chat: bool = True
    trained: int = 0
    total: int = 0
    validation: bool = False
    skipped: bool = False
    file: str = ""
    line: int = 0
    problem: Problem | None = None


@dataclass(frozen=True, kw_only=True)
class RowsFound(Event):
    """The answer to the `FindRow` of that number: the first of the `of` rows that hold the text."""

    number: int
    rows: tuple[int, ...] = ()
    of: int = 0


@dataclass(frozen=True, kw_only=True)
class TokenTotals(Event):
    """The answer to the `CountTokens` of that number: what one pass over the training rows is made of.

    Of the `rows`, `skipped` are left out, because nothing of them would be learned, `truncated` are cut at the plan's
    longest sequence, and `endless` would teach no end of the answer: with one of those training does not start.
    `failed` rows cannot be written by the template at all. `trained` of the `tokens` that training consumes are
    learned from; `padding` more fill up the micro-batches, and `padding_unpacked` would if each row had a sequence of
    its own. `longest` is the longest row before it is cut; `lengths` holds (upper bound, rows) in growing order,
    before the cut. `steps` are the optimizer steps of the pass.
    """

    number: int
    rows: int = 0
    skipped: int = 0
    truncated: int = 0
    endless: int = 0
    failed: int = 0
    tokens: int = 0
    trained: int = 0
    padding: int = 0
    padding_unpacked: int = 0
    longest: int = 0
    lengths: tuple[tuple[int, int], ...] = ()
    steps: int = 0
