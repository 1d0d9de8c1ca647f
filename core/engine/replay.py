"""The proof of an export: the same questions to adapter-on-base and to the merged folder, compared token by token.

A run that learned nothing but running text is asked to go on with beginnings of it.
"""

import gc
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from core.commands import Say
from core.engine.asked import beginning
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
Turns = tuple[dict[str, Any], ...]


def replay(run: RunFolder, base: Path, merged: Path, questions: tuple[str, ...], talk: Talk) -> list[dict[str, Any]]:
    """Answer greedily by adapter on the 16-bit base, then by the merged folder through plain transformers.

    Returns rows of question, adapter, merged (answers) and same (token for token).
    """
    asked = tuple(_turn(question) for question in questions) or _own_questions(run)
    place = replay_place(base)
    talk.emit(Noted(code="replayed_exactly" if place[1] is torch.float32 else "replayed_rounded"))
    expected = _by_adapter(run, base, asked, place, talk)
    gc.collect()
    given = _by_merged(run, merged, asked, place, talk)
    tokenizer = load_tokenizer(merged)
    return [
        {
            "question": turn["content"],
            "adapter": tokenizer.decode(a, skip_special_tokens=True).strip(),
            "merged": tokenizer.decode(m, skip_special_tokens=True).strip(),
            "same": a == m,
        }
        for turn, a, m in zip(asked, expected, given, strict=True)
    ]


def _by_adapter(run: RunFolder, base: Path, asked: Turns, place: Place, talk: Talk) -> list[list[int]]:
    chat = ChatFormat(load_tokenizer(run.adapter), run.plan().system)
    stops = GenerationConfig.from_pretrained(run.adapter, local_files_only=True)
    model = attach_saved_adapter(load_base(base, Method.LORA, *place), run.adapter)
    found = []
    for done, turn in enumerate(asked):
        _progress(done, 2 * len(asked), talk)
        found.append(generate(model, chat, [turn], stops, Say(messages=(), max_new_tokens=ANSWER_TOKENS)))
    return found


def _by_merged(run: RunFolder, merged: Path, asked: Turns, place: Place, talk: Talk) -> list[list[int]]:
    """What somebody gets who loads the folder without SoloTune: nothing of ours takes part but the system text."""
    tokenizer = AutoTokenizer.from_pretrained(merged, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(
        merged, local_files_only=True, dtype=place[1], device_map={"": place[0]}
    )
    system = run.plan().system
    found = []
    for done, turn in enumerate(asked):
        _progress(len(asked) + done, 2 * len(asked), talk)
        said = [{"role": "system", "content": system}] * bool(system) + [turn]
        inputs = (
            tokenizer(turn["content"], return_tensors="pt")
            if turn["role"] == "text"
            else tokenizer.apply_chat_template(said, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        ).to(model.device)
        with torch.inference_mode():
            out = model.generate(**inputs, max_new_tokens=ANSWER_TOKENS, **GREEDY)
        ids = [int(i) for i in out[0, inputs["input_ids"].shape[1] :]]
        found.append(ids)
        text = tokenizer.decode(ids, skip_special_tokens=True).strip()
        talk.emit(Answered(side=Side.MERGED, question=turn["content"], answer=text, tokens=len(ids)))
    return found


def _own_questions(run: RunFolder) -> Turns:
    """The plan's questions, else the first user turns of rows spread over the data, else beginnings of passages.

    Passages that were kept aside come first: the adapter has not learned how they go on.
    """
    from core.data.kept import kept
    from core.data.prepare import prepare

    plan = run.plan()
    if plan.questions:
        return tuple(map(_turn, plan.questions))
    found = kept(run.data, plan) or prepare(plan)
    rows = [row for row in found.train if not row.is_running]
    # a question with tools is another one without them
    rows = [row for row in rows if not row.has_tools] or rows
    firsts = [next((m.content for m in row.messages if m.role == "user"), "") for row in rows]
    if asked := _spread(firsts):
        return tuple(map(_turn, asked))
    passages = [row for row in found.validation if row.is_running] or found.train
    return tuple(_turn(text, "text") for text in _spread([beginning(row.messages[0].content) for row in passages]))


def _spread(texts: list[str]) -> list[str]:
    """A few different ones of many."""
    different = [text for text in dict.fromkeys(texts) if text.strip()]
    return different[:: max(1, len(different) // DEFAULT_QUESTIONS)][:DEFAULT_QUESTIONS]


def _turn(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": text}


def _progress(done: int, total: int, talk: Talk) -> None:
    talk.emit(Stage(stage=StageName.REPLAYING, done=done, total=total, unit="answers"))
    if talk.stop_requested:
        raise StopAsked
