"""Everything that the Data page shows beside the report: what cleaning did, the plan, its checks, files beside."""

from dataclasses import dataclass, field, replace

from core.arrangement import Arrangement
from core.data.clean import Cleaning, CleanReport, Mode, StepName, Touch
from core.data.shared import Shared
from core.i18n import _
from core.learnable import Check
from core.plan import TrainingPlan
from core.tokens import TokenTotals
from gui.jobs import JobRunner
from gui.pages.data_look import Extras


@dataclass(frozen=True)
class Known:
    """What is known beside a report. `plan` is the one that these rows lead to; tokens need it and a `runner`.

    `left` are rows that the user took out of all cleaning; `locked` says that a run trains and nothing can be changed.
    """

    cleaned: CleanReport | None = None
    private: dict[str, int] = field(default_factory=dict)
    plan: TrainingPlan | None = None
    checks: tuple[Check, ...] | None = None
    steps: str = ""
    runner: JobRunner | None = None
    cleaning: Cleaning | None = None
    arrangement: Arrangement = field(default_factory=Arrangement)
    extras: Extras | None = None
    counted: TokenTotals | None = None
    left: tuple[Touch, ...] = ()
    locked: bool = False

    def planned(
        self,
        plan: TrainingPlan,
        checks: tuple[Check, ...],
        steps: str,
        runner: JobRunner | None,
        counted: TokenTotals | None,
    ) -> "Known":
        """The same with a plan and what follows from it."""
        return replace(self, plan=plan, checks=checks, steps=steps, runner=runner, counted=counted)

    @property
    def shared(self) -> Shared | None:
        """Which rows to check with are learned too, as far as that is known."""
        found = self.extras
        return found.shared if found and found.validation == self.arrangement.validation else None

    @property
    def off(self) -> tuple[StepName, ...]:
        """The steps that did not look."""
        cleaning = self.cleaning
        return tuple(step for step in StepName if cleaning.mode(step) is Mode.OFF) if cleaning and self.cleaned else ()

    @property
    def note(self) -> str:
        """How the figures of the checks are known, when that is not by counting."""
        if self.checks is None or self.counted is not None:
            return ""
        if self.runner is None:
            return _("Tokens are estimated: the model's tokenizer is not on this computer yet.")
        return _("Tokens are estimated until all rows are counted (see Tokens).")
