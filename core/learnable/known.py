"""Everything that "Will it learn?" goes by, and the numbers that follow from it."""

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from core.catalog import STARTER, ModelSpec
from core.data.clean.cleaning import Mode, StepName
from core.data.clean.languages import script_of
from core.data.clean.look import LEARNED, Seen, weight
from core.data.clean.report import CleanReport
from core.data.portions import Portion, portions
from core.data.rows import DataReport, Message
from core.learnable.template import TemplateFacts
from core.plan import TrainingPlan
from core.planning import checking_rows, total_steps
from core.tiers import rules
from core.tokens import TokenTotals

#: So many rows of the preview are read, and so much of each: an answer must come at once.
_ROWS, _LETTERS = 30, 500


@dataclass(frozen=True)
class Known:
    """A plan and what is known of its data and model; what nobody found out is None.

    `checked` are the rows of the plan's validation file, `shared` those of them that stand in training too.
    """

    plan: TrainingPlan
    report: DataReport
    model: ModelSpec | None = None
    cleaned: CleanReport | None = None
    checked: int | None = None
    shared: int | None = None
    counted: TokenTotals | None = None
    template: TemplateFacts | None = None

    def with_plan(self, **changes: Any) -> "Known":
        """The same with another plan."""
        return replace(self, plan=replace(self.plan, **changes))

    @property
    def rows(self) -> int:
        """Rows to learn from, before some are set aside."""
        return sum(self.by_file)

    @cached_property
    def _counted_by_file(self) -> list[int]:
        """Rows of each file of the plan; [] where nobody counted them apart."""
        found = dict(zip(self.report.files, self.report.by_file, strict=False))
        whole = all(name in found for name in self.plan.data)
        return [found[name] for name in self.plan.data] if whole else []

    @cached_property
    def by_file(self) -> list[int]:
        """Rows of each file of the plan; alike where only their sum is known."""
        whole, rest = divmod(self.report.learned, len(self.plan.data))
        return self._counted_by_file or [whole + (place < rest) for place in range(len(self.plan.data))]

    @cached_property
    def portions(self) -> tuple[Portion, ...]:
        """What each stage learns."""
        return portions(self.plan, self.by_file)

    @property
    def empty_files(self) -> tuple[str, ...]:
        """Files of the plan without a row to learn from, where rows were counted by file."""
        return tuple(
            name
            for name, rows in zip(self.plan.data, self._counted_by_file, strict=bool(self._counted_by_file))
            if not rows
        )

    @property
    def validation_rows(self) -> int | None:
        """Rows to check with that training has not seen; None for a file of its own that nobody counted."""
        if not self.plan.validation:
            return checking_rows(self.plan, self.by_file)
        return None if self.checked is None else max(self.checked - (self.shared or 0), 0)

    @cached_property
    def training_rows(self) -> int:
        """Rows of an epoch, of the largest stage where there are stages."""
        return max(portion.rows for portion in self.portions)

    @property
    def steps_an_epoch(self) -> int:
        """Optimizer steps of an epoch as the trainer counts them: the last, smaller one counts."""
        return max(1, math.ceil(math.ceil(self.training_rows / self.plan.batch) / self.plan.accumulation))

    @property
    def longest(self) -> tuple[int, bool]:
        """The longest row in tokens, 0 when nobody counted, and whether that is exact."""
        if self.counted is not None and self.counted.longest:
            return self.counted.longest, True
        return self.report.tokens.get("longest", 0), self.report.tokens_exact

    @property
    def steps(self) -> int:
        """Optimizer steps of the run."""
        return total_steps(self.plan, self.by_file)

    @property
    def epochs(self) -> float:
        """How often a row is seen, in the longest stage where there are stages."""
        if self.plan.steps:
            return self.plan.steps * self.plan.effective_batch / max(self.training_rows, 1)
        return max(portion.epochs for portion in self.portions)

    @property
    def rule(self) -> dict[str, Any]:
        """The limits: [learn] of resources/tiers.toml."""
        found: dict[str, Any] = rules()["learn"]
        return found

    @property
    def tiny(self) -> bool:
        """Whether the model is so small that it learns only with larger rates than the documents'."""
        return self.model is not None and (self.model.id == STARTER or self.model.parameters < self.rule["tiny"])

    @property
    def practice(self) -> bool:
        """Whether it is the starter model, whose plan has settings of its own."""
        return self.model is not None and self.model.id == STARTER

    def handled(self, step: StepName) -> bool:
        """Whether the plan's cleaning repairs or drops what a step finds."""
        return self.plan.cleaning is not None and self.plan.cleaning.mode(step) is Mode.ACT

    @cached_property
    def preview(self) -> tuple[Seen, ...]:
        """The beginnings of the first rows."""
        rows = (row for row in self.report.preview[:_ROWS] if row.messages)
        return tuple(Seen(replace(row, messages=tuple(map(_beginning, row.messages)))) for row in rows)

    @cached_property
    def answers(self) -> Counter[str]:
        """The last answers of the first rows, and how often each is given."""
        return Counter(seen.answer.strip() for seen in self.preview)

    @cached_property
    def short(self) -> float:
        """The share of answers of a few words; of the first rows where nothing was cleaned."""
        if self.cleaned is not None:
            return self.cleaned.short
        few = sum(count for text, count in self.answers.items() if weight(text) <= self.rule["few_letters"])
        return few / max(len(self.preview), 1)

    @cached_property
    def script(self) -> str:
        """The script of most answers among the first rows, "" when there is none."""
        # calls of tools are written for programs
        found = Counter(script_of(seen.messages[-1].content) for seen in self.preview)
        del found[""]
        best = max(found, key=lambda name: found[name], default="")
        return best if found[best] * 2 > found.total() else ""

    @cached_property
    def trained_share(self) -> float | None:
        """The part of all tokens that is trained: counted, or judged by the first rows' letters."""
        if self.counted is not None:
            return min(self.counted.trained / self.counted.tokens, 1.0) if self.counted.tokens else None
        learned = total = 0
        for message in (message for row in self.report.preview for message in row.messages):
            total += len(message.text)
            learned += len(message.text) * (message.role in LEARNED)
        return learned / total if total else None

    @property
    def trained(self) -> int | None:
        """Tokens that an epoch trains; None when nobody counted."""
        if self.counted is not None:
            return self.counted.trained
        if not self.report.tokens or self.trained_share is None:
            return None
        return round(self.report.tokens["total"] * self.trained_share)


def _beginning(message: Message) -> Message:
    return message if len(message.content) <= _LETTERS else replace(message, content=message.content[:_LETTERS])
