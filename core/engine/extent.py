"""The extent of a run's rows: the longest of them, the longest sequences they make, and how many tokens are read."""

from core.data.portions import rows_seen
from core.engine.encoding import Encoded
from core.engine.rows import Rows
from core.engine.steps import Layout
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


def tokens_planned(plan: TrainingPlan, data: Rows) -> int:
    """Tokens that all steps of the run read, by the mean length of its rows."""
    mean = sum(len(row.ids) for row in data.train) / len(data.train)
    rows = plan.steps * plan.effective_batch or round(plan.epochs * len(data.train))
    if data.stages:
        rows = sum(rows_seen(count, epochs) for count, epochs in data.stages)
    return round(mean * rows)
