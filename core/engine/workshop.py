"""The workshop: makes the parts of one plan after another, and says what each should take and what it took."""

from dataclasses import replace
from pathlib import Path

import torch

from core import gpu
from core.catalog import spec_from_config
from core.data.prepared import Prepared
from core.engine.asked import questions_of
from core.engine.encoding import ChatFormat
from core.engine.extent import longest_sequence
from core.engine.gauge import Gauge
from core.engine.initial import start_from
from core.engine.parts import Parts, model_for, packs_rows, tiles
from core.engine.processes import first_alone, from_first, is_first
from core.engine.rows import Rows, encode_rows, prepare_rows
from core.engine.samples import Asked, together
from core.engine.saving import stopping_config
from core.engine.sharing import share
from core.fit import UNFITTED, Constants, Sample, constants_of
from core.jobs.talk import Talk
from core.ladder import cost_of_step
from core.plan import TrainingPlan
from core.problems import Trouble
from core.reasons import Reason
from core.rounds import ANSWER_TOKENS
from core.runs import RunFolder
from core.settings import measured_file
from core.vram import Estimate, estimate

#: A plan's shortest rows in tokens.
SHORTEST = 16


class Workshop:
    """One run's model folder, chat format and rows; rows are encoded again only for another length."""

    def __init__(self, run: RunFolder, folder: Path, chat: ChatFormat, talk: Talk) -> None:
        self._run, self._folder, self._chat, self._talk = run, folder, chat, talk
        spec = spec_from_config(folder / "config.json")
        self._architecture, self._context = spec.architecture, spec.context
        self._card, self._driver = card_of(run.plan())
        self._constants = constants_of(self._card, measured_file())
        self._prepared: Prepared | None = None
        self._rows = Rows([], [])
        self._tokens = 0

    def make(self, plan: TrainingPlan) -> Parts:
        """The parts of `plan`. Raises Trouble(NOTHING_TO_LEARN, MODEL_*, PLAN_INVALID) and StopAsked."""
        if plan.tokens != self._tokens:
            # what the first process kept is what the others learn from
            begun = self._run.checkpoint() is not None or self._run.repeats.is_file() or not is_first()
            with first_alone():
                self._prepared = self._prepared or prepare_rows(plan, self._talk, self._run.data, begun=begun)
            self._rows, self._tokens = encode_rows(self._prepared, plan, self._chat, self._talk), plan.tokens
        rows = self._rows
        model = model_for(self._folder, plan, self._talk)
        with first_alone():
            start_from(model, plan, self._folder, self._run.start, rows.train)
        share(model)
        tiled, packs = tiles(model, plan, rows.train), packs_rows(model, plan, rows.train)
        asked = self._asked(plan, self._prepared) if self._prepared else Asked()
        return Parts(self._run, plan, self._chat, rows, model, tiled=tiled, packs=packs, asked=asked)

    def _asked(self, plan: TrainingPlan, found: Prepared) -> Asked:
        """What the run of `plan` is asked: so much at once that answers take less than a micro-batch of its steps."""
        context = max(self._context - ANSWER_TOKENS, 1) if self._context else 0
        questions = questions_of(plan, found, self._chat, context)
        held = self.predicted(plan)
        # alike on all processes, whatever each has measured: where they share the base they answer together
        at_once = from_first(lambda: together(self._architecture, questions, held.activations + held.logits))
        return Asked(questions, at_once, stopping_config(self._folder, self._chat))

    def let_go(self) -> None:
        """Forget the rows as text: no plan of another length will be made."""
        self._prepared = None

    def predicted(self, plan: TrainingPlan) -> Estimate:
        """What `plan` should take with the rows at hand, by arithmetic with the card's own constants."""
        return self._estimate(plan, self._constants)

    def predicted_bytes(self, plan: TrainingPlan) -> int:
        """The sum of `predicted`."""
        return self.predicted(plan).total_bytes

    def cost(self, before: TrainingPlan, after: TrainingPlan) -> tuple[Reason, ...]:
        """What a step from one plan to the other changes, and what it costs in time and quality."""
        return cost_of_step(before, after, self._architecture)

    def sample(self, parts: Parts, gauge: Gauge) -> Sample:
        """What the run of `parts` was predicted to take, and what it took."""
        found = self._estimate(parts.plan, UNFITTED)
        need = gauge.so_far()
        live = found.activations + found.logits
        return Sample(
            card=self._card,
            fixed_bytes=found.total_bytes - found.overhead - live,
            live_bytes=live,
            torch_bytes=need.torch_bytes,
            outside_bytes=need.outside_bytes,
            driver=self._driver,
            torch=torch.__version__,
        )

    def _estimate(self, plan: TrainingPlan, constants: Constants) -> Estimate:
        """The plan with sequences no longer than its rows make them."""
        rows = self._rows.train
        longest = longest_sequence(rows, plan, packing=plan.packing) if rows else plan.tokens
        shape = replace(plan, tokens=max(SHORTEST, longest))
        return estimate(self._architecture, shape, constants=constants)


def card_of(plan: TrainingPlan) -> tuple[str, str]:
    """Name and driver of the plan's card as NVML says them; torch's name where NVML is silent, "" on a processor."""
    try:
        found = next((card for card in gpu.cards() if card.index == plan.card), None)
    except Trouble:
        found = None
    if found is not None:
        return found.name, found.driver
    return (torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""), ""
