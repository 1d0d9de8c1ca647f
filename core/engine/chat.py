"""Answers from one loaded base, with the adapter switched off (base) and on (tuned)."""

import time
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList, TextStreamer, set_seed

from core.commands import Say
from core.data.toolform import Messages
from core.engine.adapters import as_base
from core.engine.device import device, device_for_weights
from core.engine.encoding import ChatFormat
from core.engine.loading import attach_saved_adapter, load_base, load_tokenizer
from core.events import Answered, Fragment, Noted, Side, Stage, StageName
from core.hub import find_folder
from core.jobs.talk import Talk
from core.plan import Method, TrainingPlan
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.settings import load, models_root

#: Longest answer of the questions asked by demo, test page and replay.
ANSWER_TOKENS = 48
_WHEN = {Side.BASE: "before", Side.TUNED: "after"}


def chat(
    path: Path,
    talk: Talk,
    questions: tuple[str, ...],
    sides: tuple[Side, ...] = (Side.BASE, Side.TUNED),
    *,
    keep_open: bool,
    base: str,
    longest: int = ANSWER_TOKENS,
) -> dict[str, Any]:
    """Answer `questions` by the weights in `sides`, then every Say until Stop; see core.jobs.jobs.ChatJob."""
    run = RunFolder.open(path)
    speaker = Speaker.load(run, talk, base)
    answers = [
        {"question": q, **{_WHEN[side]: speaker.ask(q, side, longest) for side in sides}}
        for q in questions
        if not talk.stop_requested
    ]
    talk.emit(Stage(stage=StageName.ANSWERING))
    while keep_open and isinstance(said := talk.next_command(), Say):
        for side in said.sides:
            speaker.answer(said, side)
    return {"answers": answers, "base": speaker.held}


class Speaker:
    """One base with one adapter, and the chat format it was trained with. `held` says how the base is held."""

    def __init__(self, model: PeftModel, chat: ChatFormat, stops: GenerationConfig, talk: Talk, held: Method) -> None:
        self._model, self._chat, self._stops, self._talk = model, chat, stops, talk
        self.held = held

    @classmethod
    def load(cls, run: RunFolder, talk: Talk, base: str = "original") -> "Speaker":
        """Load base and adapter of `run`. Raises Trouble(RUN_NO_ADAPTER, MODEL_*)."""
        if not run.has_adapter():
            raise Trouble(Code.RUN_NO_ADAPTER, path=run.path)
        plan = run.plan()
        talk.emit(Stage(stage=StageName.LOADING))
        folder = find_folder(plan.model, models_root(load()))
        method, where = _held(plan, folder, base)
        model = attach_saved_adapter(load_base(folder, method, where), run.adapter)
        talk.emit(Noted(code="chat_base", facts={"held": method.value, "device": where.type}))
        chat = ChatFormat(load_tokenizer(run.adapter), plan.system)
        return cls(model, chat, GenerationConfig.from_pretrained(run.adapter, local_files_only=True), talk, method)

    def ask(self, question: str, side: Side, limit: int = ANSWER_TOKENS) -> str:
        """Answer one question greedily."""
        return self.answer(Say(messages=({"role": "user", "content": question},), max_new_tokens=limit), side)

    def answer(self, said: Say, side: Side) -> str:
        """Answer with the weights of `side`, streaming; returns the text."""
        if side is Side.BASE:
            with as_base(self._model):
                return self._write(said, side)
        return self._write(said, side)

    def _write(self, said: Say, side: Side) -> str:
        messages: Messages = [dict(m) for m in said.messages]
        streamer = _Streamer(self._chat.tokenizer, lambda text: self._talk.emit(Fragment(side=side, text=text)))
        started = time.monotonic()
        ids = generate(self._model, self._chat, messages, self._stops, said, self._talk, streamer)
        cut = len(ids) >= said.max_new_tokens and ids[-1] not in stop_ids(self._stops)
        text = self._chat.tokenizer.decode(ids, skip_special_tokens=True).strip()
        self._talk.emit(
            Answered(
                side=side, question=messages[-1]["content"], answer=text, tokens=len(ids),
                seconds=time.monotonic() - started, cut=cut,
            )
        )  # fmt: skip
        return str(text)


def generate(
    model: Any, chat: ChatFormat, messages: Messages, stops: GenerationConfig, said: Say,
    talk: Talk | None = None, streamer: TextStreamer | None = None,
) -> list[int]:  # fmt: skip
    """Return the new token ids; greedy at temperature 0, else sampled with the given seed."""
    prompt = torch.tensor([chat.prompt_ids(messages)], device=model.device)
    sampling = {"do_sample": True, "temperature": said.temperature} if said.temperature > 0 else GREEDY
    if said.temperature > 0:
        set_seed(said.seed)
    with torch.inference_mode():
        out = model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            generation_config=stops,
            max_new_tokens=said.max_new_tokens,
            stopping_criteria=StoppingCriteriaList([Interrupted(talk)] if talk else []),
            streamer=streamer,
            **sampling,
        )
    return [int(i) for i in out[0, prompt.shape[1] :]]


#: Greedy: sampling settings that a base's generation config may bring are switched off.
GREEDY: dict[str, Any] = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}


def stop_ids(config: GenerationConfig) -> set[int]:
    """The tokens that end an answer."""
    found = config.eos_token_id
    return set(found) if isinstance(found, list) else {found} - {None}


def _held(plan: TrainingPlan, folder: Path, base: str) -> tuple[Method, torch.device]:
    """How the base is held and where it lies, for "original", "trained" or "auto"."""
    where = device()
    if plan.method is Method.LORA or base == "trained":
        return plan.method, where
    roomy = device_for_weights(folder)
    if base == "auto" and roomy != where:
        return plan.method, where
    return Method.LORA, roomy


class _Streamer(TextStreamer):
    """Hands finished pieces of text on, without the prompt."""

    def __init__(self, tokenizer: Any, write: Any) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self._write_piece = write

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        if text:
            self._write_piece(text)


class Interrupted(StoppingCriteria):
    """Ends answers between two tokens when the job is asked to stop."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self._talk.stop_requested, device=input_ids.device)
