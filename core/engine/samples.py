"""Answers while training goes on: what the base said, and what the model says by now, to the same questions.

Training does not notice: its random numbers, its mode and its memory are as before. Answers are greedy, so that what
changes from one round to the next was learned.
"""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from transformers import GenerationConfig, StoppingCriteriaList, TrainerCallback

from core.architecture import Architecture
from core.engine.adapters import as_base
from core.engine.asked import Question
from core.engine.chat import GREEDY, Interrupted, stop_ids
from core.engine.checkpoints import Chance
from core.engine.device import autocast
from core.engine.encoding import ChatFormat
from core.engine.obedience import Pausing
from core.engine.processes import from_first, is_first, shares
from core.engine.sharing import all_failed
from core.events import Noted, Sampled, Side, Stage, StageName
from core.history import RunHistory
from core.jobs.talk import Talk
from core.plan import TrainingPlan
from core.problems import Code, diagnose
from core.rounds import ANSWER_TOKENS, planned_every, rounds_every
from core.runs import RunFolder

#: Bytes for each number of a token that passes a layer without gradients, and for each of the width of its MLP.
_PASSING, _MLP = 16, 8
#: The same for each word of the vocabulary, for the last token of each answer.
_LOGITS = 10


@dataclass(frozen=True)
class Asked:
    """What is asked, how many of it at once, and what ends an answer."""

    questions: tuple[Question, ...] = ()
    together: int = 1
    stops: GenerationConfig | None = None


def round_bytes(architecture: Architecture, rows: int, tokens: int) -> int:
    """Bytes that `rows` answers take on top of the model, when prompt and answer have `tokens` tokens.

    That is the cache of keys and values in 16 bits, with the copy that one layer makes of it when it grows, and one
    layer at work.
    """
    a = architecture
    cache = 2 * 2 * (a.layers + 1) * a.kv_heads * a.head_dim * tokens
    wide = max(a.intermediate, a.active_experts * a.expert_intermediate + a.shared_intermediate)
    return rows * (cache + (_PASSING * a.hidden + _MLP * wide) * tokens + _LOGITS * a.vocabulary)


def together(architecture: Architecture, questions: Sequence[Question], room_bytes: int) -> int:
    """How many questions can be answered at once in `room_bytes`, at least one."""
    longest = max((len(question.prompt) for question in questions), default=0) + ANSWER_TOKENS
    counts = range(len(questions), 1, -1)
    return next((rows for rows in counts if round_bytes(architecture, rows, longest) <= room_bytes), 1)


class Samples(TrainerCallback):
    """Asks `asked` before the training of `model` (the base), at steps in between, and at its end.

    What `history` knows is not asked again. It gives up, and says so, when memory runs out or an answer fails:
    training goes on.
    """

    def __init__(
        self, model: PeftModel, chat: ChatFormat, asked: Asked, plan: TrainingPlan, talk: Talk, history: RunHistory,
        *, validates: bool,
    ) -> None:  # fmt: skip
        self._model, self._chat, self._asked, self._plan = model, chat, asked, plan
        self._talk, self._history, self._validates = talk, history, validates
        self._over = not asked.questions
        self._told, self._rehearses = 0, False

    def before_step(self, trainer: Any) -> None:
        """Ask what is due after the steps that are done."""
        state = trainer.state
        # with a base that is shared out all processes answer, or none can: the first one decides, and tells
        if from_first(lambda: self._due(state)) if shares() else is_first() and self._due(state):
            self._ask(state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask at the end, wherever it is."""
        if state.global_step and (is_first() or shares()):
            self._ask(state.global_step)

    def rehearse(self) -> None:
        """Take as much memory as a round takes at its worst; too little is no reason for a smaller plan."""
        asked = self._asked
        if self._over or self._talk.stop_requested:
            return
        longest = max(asked.questions, key=lambda question: len(question.prompt)).prompt
        whole = (longest * (1 + ANSWER_TOKENS // len(longest)))[: len(longest) + ANSWER_TOKENS - 1]
        self._rehearses = True
        self._undisturbed(Side.TUNED, [list(whole)] * min(asked.together, len(asked.questions)), 2)

    def _due(self, state: Any) -> bool:
        step, total = state.global_step, state.max_steps
        if step == 0 or self._over:
            return not self._over
        every = rounds_every(self._history, self._plan, total, validates=self._validates)
        planned = planned_every(self._plan, total, validates=self._validates)
        if step % planned == 0 and every > max(planned, self._told):
            self._told = every
            code = "samples_rarer" if every < total else "samples_at_the_end"
            self._talk.emit(Noted(code=code, facts={"every": every}))
        return step % every == 0

    def _ask(self, step: int) -> None:
        side = Side.TUNED if step else Side.BASE
        known = {each.question for each in self._history.sampled if (each.step, each.side) == (step, side)}
        questions = [question for question in self._asked.questions if question.text not in known]
        if self._over or self._talk.stop_requested or not questions:
            return
        self._talk.emit(Stage(stage=StageName.ANSWERING, total=len(questions), unit="answers"))
        answers = self._undisturbed(side, [list(question.prompt) for question in questions], ANSWER_TOKENS)
        ends = stop_ids(self._asked.stops or GenerationConfig())
        for question, ids in zip(questions, answers, strict=False):
            text = self._chat.tokenizer.decode(ids, skip_special_tokens=True).strip()
            cut = not ends & set(ids)
            # a letter of several tokens may be cut in two
            text = text.rstrip("\ufffd") if cut else text
            said = {"question": question.text, "answer": text, "expected": question.expected, "cut": cut}
            self._talk.emit(Sampled(step=step, side=side, **said))
        self._talk.emit(Stage(stage=StageName.TRAINING))

    def _undisturbed(self, side: Side, prompts: list[list[int]], most: int) -> list[list[int]]:
        """Answers to `prompts` in their order, up to where a stop was asked for or an answer failed."""
        model, chance = self._model, Chance.now()
        training, found = model.training, list[list[int]]()
        model.eval()
        try:
            with as_base(model) if side is Side.BASE else nullcontext():
                found += self._answers(prompts, most)
        except Exception as error:
            # the others may wait for this process in the middle of an answer
            if not all_failed():
                raise
            self._give_up(error)
        finally:
            model.train(training)
            chance.put_back()
            if model.device.type == "cuda":
                # what grew in here does not suit the steps
                with suppress(RuntimeError):
                    torch.cuda.empty_cache()
        return found

    def _answers(self, prompts: list[list[int]], most: int) -> Iterator[list[int]]:
        for start in range(0, len(prompts), self._asked.together):
            batch = self._generated(prompts[start : start + self._asked.together], most)
            if self._talk.stop_requested:
                return
            yield from batch

    def _generated(self, prompts: list[list[int]], most: int) -> list[list[int]]:
        """New tokens for each prompt, up to and with the one that ends the answer."""
        longest, stops = max(map(len, prompts)), self._asked.stops or GenerationConfig()
        pad = stops.pad_token_id or 0
        # on the left: every answer begins where the prompts end
        ids = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt in prompts], device=self._model.device)
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        # not inference_mode: what modules keep for later would be of no use to training
        with torch.no_grad(), autocast(ids.device):
            out = self._model.generate(
                input_ids=ids,
                attention_mask=mask.to(ids.device),
                generation_config=_greedy(stops, most),
                stopping_criteria=StoppingCriteriaList([Interrupted(self._talk)]),
                synced_gpus=shares(),
            )
        ends = stop_ids(stops)
        return [_until(row, ends) for row in out[:, longest:].tolist()]

    def _give_up(self, error: Exception) -> None:
        self._over = True
        if self._rehearses:
            return
        if diagnose(error).code in (Code.GPU_MEMORY, Code.SYSTEM_MEMORY):
            self._talk.emit(Noted(code="samples_skipped"))
            return
        # for the run's log
        traceback.print_exception(error)
        self._talk.emit(Noted(code="samples_failed", facts={"text": str(error)[:300]}))


class PausingToAsk(Pausing):
    """Lets a training wait while a pause lasts, and asks what is due before it goes on."""

    def __init__(self, talk: Talk, run: RunFolder, samples: Samples) -> None:
        super().__init__(talk, run)
        self._samples = samples

    def __call__(self, trainer: Any) -> None:
        super().__call__(trainer)
        self._samples.before_step(trainer)


def _greedy(stops: GenerationConfig, most: int) -> GenerationConfig:
    """At most `most` new tokens, always the likeliest, with a cache of what was read."""
    config = deepcopy(stops)
    config.update(max_new_tokens=most, use_cache=True, **GREEDY)
    return config


def _until(ids: list[int], ends: set[int]) -> list[int]:
    """Everything up to the first end; what comes behind it fills up the batch."""
    at = next((place for place, token in enumerate(ids) if token in ends), len(ids) - 1)
    return ids[: at + 1]
