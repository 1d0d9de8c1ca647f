"""The extent of a run's rows: the longest of them, the longest sequences they make, and how many tokens are read."""

from itertools import islice
from math import ceil

from core.data.portions import rows_seen
from core.engine.course import ByLength
from core.engine.encoding import Encoded
from core.engine.rows import Rows
from core.engine.steps import Layout, fed
from core.plan import TrainingPlan


def longest(rows: list[Encoded], count: int) -> list[Encoded]:
    """The `count` longest rows, longest first; they begin again where there are fewer."""
    chosen = sorted(rows, key=lambda row: len(row.ids), reverse=True)[:count]
    return [chosen[place % len(chosen)] for place in range(count)]


def longest_sequence(rows: list[Encoded], plan: TrainingPlan, *, packing: bool) -> int:
    """Tokens of the longest sequence that a step of the longest rows is laid into."""
    lengths = [len(row.ids) for row in longest(rows, plan.effective_batch)]
    laid = Layout(0, plan.batch, plan.tokens, packing=packing).lay(lengths)
    return max(sum(lengths[at] for at in sequence) for each in laid for sequence in each)


def tokens_planned(plan: TrainingPlan, data: Rows, together: int, *, packing: bool) -> int:
    """Tokens that all steps of the run read, `together` rows each.

    The part of an epoch that a run may end with reads rows of the mean length, or without packing those that come
    first in the order by length.
    """
    lengths = [len(row.ids) for row in data.train]
    if data.stages:
        rows = sum(rows_seen(count, epochs) for count, epochs in data.stages)
        return round(sum(lengths) / len(lengths) * rows)
    an_epoch = ceil(len(lengths) / together)
    epochs, steps = divmod(plan.steps or ceil(plan.epochs * an_epoch), an_epoch)
    rest = steps * together
    if packing or not rest:
        return round(sum(lengths) * (epochs + rest / len(lengths)))
    order = ByLength(fed(data.train), together, plan.seed)
    order.set_epoch(epochs)
    return sum(lengths) * epochs + sum(lengths[place] for place in islice(order, rest))
