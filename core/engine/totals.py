"""What training makes of all rows of a plan: tokens, trained ones, padding, steps, and what it leaves out."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import torch
from transformers.trainer_pt_utils import get_length_grouped_indices

from core.data.lengths import buckets
from core.data.rows import Conversation
from core.engine.encoding import ChatFormat
from core.engine.steps import Layout
from core.packing import computed_tokens
from core.plan import TrainingPlan
from core.tokens import TokenTotals

#: Rows between two looks at whether to go on.
_EVERY = 200


@dataclass(frozen=True)
class _Counted:
    """A row in figures; `trained` is 0 for a row that training leaves out."""

    whole: int
    tokens: int = 0
    trained: int = 0
    truncated: bool = False
    endless: bool = False


def totals(
    number: int, rows: Sequence[Conversation], plan: TrainingPlan, chat: ChatFormat, go_on: Callable[[int], bool]
) -> TokenTotals | None:
    """Encode the rows of one pass as training does and add them up; None when `go_on(done)` said no."""
    # a row that a pass sees more than once is one object
    known: dict[int, _Counted | None] = {}
    for done, row in enumerate(rows):
        if done % _EVERY == 0 and not go_on(done):
            return None
        if id(row) not in known:
            known[id(row)] = _counted(row, plan, chat)
    every = [known[id(row)] for row in rows]
    counted = [row for row in every if row is not None]
    learned = [row for row in counted if row.trained]
    lengths = Counter(row.whole for row in counted)
    tokens = [row.tokens for row in learned]
    return TokenTotals(
        number=number,
        rows=len(rows),
        skipped=len(counted) - len(learned),
        truncated=sum(row.truncated for row in learned),
        endless=sum(row.endless for row in learned),
        failed=len(every) - len(counted),
        tokens=sum(tokens),
        trained=sum(row.trained for row in learned),
        padding=padding(tokens, plan, packing=plan.packing),
        padding_unpacked=padding(tokens, plan, packing=False),
        longest=max(lengths, default=0),
        lengths=buckets(lengths),
        steps=ceil(len(learned) / plan.effective_batch),
    )


def padding(lengths: list[int], plan: TrainingPlan, *, packing: bool) -> int:
    """Tokens that fill up the micro-batches of one pass, its rows in a random order as the trainer has them."""
    generator = torch.Generator().manual_seed(plan.seed)
    if packing:
        order = torch.randperm(len(lengths), generator=generator).tolist()
    else:
        order = get_length_grouped_indices(lengths, plan.effective_batch, generator=generator) if lengths else []
    layout, computed = Layout(0, plan.batch, plan.tokens, packing=packing), 0
    for start in range(0, len(order), plan.effective_batch):
        step = [lengths[at] for at in order[start : start + plan.effective_batch]]
        computed += computed_tokens(layout.lay(step), step)
    return computed - sum(lengths)


def _counted(conversation: Conversation, plan: TrainingPlan, chat: ChatFormat) -> _Counted | None:
    try:
        row = chat.row(conversation.plain(), conversation.definitions())
    except Exception:  # a template may stumble over one row alone, and the token view says how
        return None
    encoded = row.cut(plan.tokens)
    if encoded is None:
        return _Counted(len(row.ids))
    return _Counted(len(row.ids), len(encoded.ids), encoded.trained, encoded.truncated, encoded.never_ends)
