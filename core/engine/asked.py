"""What a training is asked while it goes on: the plan's questions, else short and typical rows of its data."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from core.data.prepared import Prepared
from core.data.rows import Conversation
from core.data.toolform import Messages
from core.engine.encoding import ChatFormat
from core.plan import TrainingPlan

#: Rows that are asked, and the most questions of a plan.
ROWS, OWN = 10, 20
#: Letters of a passage that are given where the rest of it was learned.
BEGINNING = 80
#: Letters of the data's answer that are kept beside each answer.
EXPECTED = 600
#: Rows among which typical ones are looked for.
_LOOKED_AT = 2000


@dataclass(frozen=True)
class Question:
    """One question: what is shown of it, its tokens up to where the model answers, and the answer of the data."""

    text: str
    prompt: tuple[int, ...]
    expected: str = ""


def questions_of(plan: TrainingPlan, found: Prepared, chat: ChatFormat, context: int = 0) -> tuple[Question, ...]:
    """The plan's own questions, else rows to check with, and rows that are trained where those are too few.

    Rows are neither among the shortest nor the longest ones, and the plan's seed chooses them. Questions longer than
    the plan's sequences, or than the model's `context` of tokens (0: not known), are left out.
    """
    most = min(plan.tokens, context or plan.tokens)
    if plan.questions:
        own = (Asking(text, [{"role": "user", "content": text}]) for text in dict.fromkeys(plan.questions))
        return tuple(_fitting(own, chat, most))[:OWN]
    mixed = {mix.file for mix in plan.mix}
    trained = [row for row in found.train if row.file not in mixed]
    questions: dict[str, Question] = {}
    for rows in (found.validation, trained):
        for each in _fitting(map(_asking, _typical(rows, plan.seed)), chat, most):
            if len(questions) < ROWS:
                questions.setdefault(each.text, each)
    return tuple(questions.values())


@dataclass(frozen=True)
class Asking:
    """A question as messages, before a template has written it."""

    text: str
    messages: Messages
    tools: list[dict[str, object]] | None = None
    expected: str = ""


def beginning(passage: str) -> str:
    """The first words of a passage, not all of a short one."""
    cut = passage[: min(BEGINNING, len(passage) // 2)]
    return cut[: cut.rfind(" ")] if " " in cut[len(cut) // 2 :] else cut


def _asking(row: Conversation) -> Asking:
    """A row up to its first answer, or the beginning of a passage; its text is empty where nothing is asked."""
    if row.is_running:
        passage = row.messages[0].content
        text = beginning(passage)
        return Asking(text, [{"role": "text", "content": text}], None, _short(passage[len(text) :].strip()))
    turns = row.messages
    at = next((place for place, turn in enumerate(turns) if turn.role == "assistant"), 0)
    asked = next((turn.content for turn in reversed(turns[:at]) if turn.role == "user"), "")
    return Asking(asked, [turn.plain() for turn in turns[:at]], row.definitions(), _short(turns[at].text))


def _typical(rows: Sequence[Conversation], seed: int) -> list[Conversation]:
    """Rows by chance, of those that are longer than a fifth of all and shorter than two fifths."""
    chance = Random(seed)
    known = {id(row): row for row in rows}.values()
    some = chance.sample(list(known), min(len(known), _LOOKED_AT))
    some.sort(key=lambda row: sum(len(turn.text) for turn in row.messages))
    middle = some[len(some) // 5 : len(some) * 3 // 5]
    chosen = middle if len(middle) >= 2 * ROWS else some
    # more than are needed: some may ask the same
    return chance.sample(chosen, min(len(chosen), 4 * ROWS))


def _fitting(asking: Iterable[Asking], chat: ChatFormat, most: int) -> Iterator[Question]:
    """Those that are short enough, and that the model's template can write."""
    for each in asking:
        prompt: list[int] = []
        # templates raise what they like at turns that they do not know
        with suppress(Exception):
            prompt = chat.prompt_ids(each.messages, each.tools) if each.text.strip() else []
        if 0 < len(prompt) <= most:
            yield Question(each.text, tuple(prompt), each.expected)


def _short(answer: str) -> str:
    return answer if len(answer) <= EXPECTED else answer[:EXPECTED].rstrip() + "…"
