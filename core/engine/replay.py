"""The proof of an export: the same questions to adapter-on-base and to the merged folder, compared token by token."""

import gc
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from core.commands import Say
from core.data.template import Messages
from core.engine.chat import ANSWER_TOKENS, GREEDY, generate
from core.engine.device import replay_place
from core.engine.encoding import ChatFormat
from core.engine.loading import attach_saved_adapter, load_base, load_tokenizer
from core.events import Answered, Noted, Side, Stage, StageName
from core.jobs.talk import StopAsked, Talk
from core.plan import Method
from core.runs import RunFolder

#: Questions replayed when none were named: rows of the run's own data.
DEFAULT_QUESTIONS = 10

Place = tuple[torch.device, torch.dtype]


def replay(run: RunFolder, base: Path, merged: Path, questions: tuple[str, ...], talk: Talk) -> list[dict[str, Any]]:
    """Answer greedily by adapter on the 16-bit base, then by the merged folder through plain transformers.

    Returns rows of question, adapter, merged (answers) and same (token for token).
    """
    asked = questions or _own_questions(run)
    place = replay_place(base)
    talk.emit(Noted(code="replayed_exactly" if place[1] is torch.float32 else "replayed_rounded"))
    expected = _by_adapter(run, base, asked, place, talk)
    gc.collect()
    given = _by_merged(run, merged, asked, place, talk)
    tokenizer = load_tokenizer(merged)
    return [
        {
            "question": question,
            "adapter": tokenizer.decode(a, skip_special_tokens=True).strip(),
            "merged": tokenizer.decode(m, skip_special_tokens=True).strip(),
            "same": a == m,
        }
        for question, a, m in zip(asked, expected, given, strict=True)
    ]


def _by_adapter(run: RunFolder, base: Path, asked: tuple[str, ...], place: Place, talk: Talk) -> list[list[int]]:
    chat = ChatFormat(load_tokenizer(run.adapter), run.plan().system)
    stops = GenerationConfig.from_pretrained(run.adapter, local_files_only=True)
    model = attach_saved_adapter(load_base(base, Method.LORA, *place), run.adapter)
    found = []
    for done, question in enumerate(asked):
        _progress(done, 2 * len(asked), talk)
        found.append(generate(model, chat, _turn(question), stops, Say(messages=(), max_new_tokens=ANSWER_TOKENS)))
    return found


def _by_merged(run: RunFolder, merged: Path, asked: tuple[str, ...], place: Place, talk: Talk) -> list[list[int]]:
    """What somebody gets who loads the folder without SoloTune: nothing of ours takes part but the system text."""
    tokenizer = AutoTokenizer.from_pretrained(merged, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(
        merged, local_files_only=True, dtype=place[1], device_map={"": place[0]}
    )
    system = run.plan().system
    found = []
    for done, question in enumerate(asked):
        _progress(len(asked) + done, 2 * len(asked), talk)
        turn = [{"role": "system", "content": system}] * bool(system) + _turn(question)
        inputs = tokenizer.apply_chat_template(
            turn, add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(model.device)
        with torch.inference_mode():
            out = model.generate(**inputs, max_new_tokens=ANSWER_TOKENS, **GREEDY)
        ids = [int(i) for i in out[0, inputs["input_ids"].shape[1] :]]
        found.append(ids)
        text = tokenizer.decode(ids, skip_special_tokens=True).strip()
        talk.emit(Answered(side=Side.MERGED, question=question, answer=text, tokens=len(ids)))
    return found


def _own_questions(run: RunFolder) -> tuple[str, ...]:
    """The plan's questions, else the first user turns of rows spread over the data."""
    from core.data.prepare import prepare

    plan = run.plan()
    if plan.questions:
        return plan.questions
    rows = prepare(replace(plan, mix=(), weights=(), stages=(), validation="", validation_share=0.0)).train
    firsts = [next((m.content for m in row.messages if m.role == "user"), "") for row in rows]
    firsts = [text for text in dict.fromkeys(firsts) if text]
    step = max(1, len(firsts) // DEFAULT_QUESTIONS)
    return tuple(firsts[::step][:DEFAULT_QUESTIONS])


def _turn(question: str) -> Messages:
    return [{"role": "user", "content": question}]


def _progress(done: int, total: int, talk: Talk) -> None:
    talk.emit(Stage(stage=StageName.REPLAYING, done=done, total=total, unit="answers"))
    if talk.stop_requested:
        raise StopAsked
