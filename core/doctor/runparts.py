"""What of a run goes into the zip: its plan without the user's words, its events without rows, the end of its log."""

import json
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

from core.codec import CodecError
from core.doctor.tails import tail, texts_in
from core.events import (
    Answered,
    Evaluated,
    Event,
    Failed,
    Finished,
    Fragment,
    Measured,
    Noted,
    Paused,
    Sampled,
    Saved,
    Stage,
    StepDone,
    Stopped,
    WentOn,
)
from core.runs import RunFolder
from core.wire import decode_event, encode

#: Events that carry numbers and codes only.
_PLAIN = (Stage, StepDone, Evaluated, Saved, Measured, Paused, WentOn, Stopped)
#: Facts that may stay as texts: codes and what libraries say.
_WORDS = ("error", "text", "code", "signal", "last_words", "what", "reason", "name", "missing", "package")
_MOST = 500_000
#: Texts of a plan that the user wrote.
_OWN_WORDS = ("system", "note", "questions", "columns")


def run_parts(run: RunFolder) -> dict[str, str]:
    """Return name -> text: "plan.json", "asked.json", "events.jsonl", "log.txt", "capsule.json" as far as they are."""
    parts = {
        "plan.json": _plan(run.plan_file),
        "asked.json": _plan(run.path / "asked.json"),
        "events.jsonl": "\n".join(filter(None, map(_event, events_at_end(run)))),
        "log.txt": tail(run.log_file, _MOST),
        "capsule.json": _capsule(run.capsule),
    }
    return {name: text for name, text in parts.items() if text}


def file_names(run: RunFolder) -> dict[str, str]:
    """Return what stands in the place of every data file of the run: "data-1.jsonl" for its path and for its name."""
    names: dict[str, str] = {}
    for file in _files(_read(run.plan_file)):
        # splits at both kinds of slash
        name = PureWindowsPath(file)
        stand = f"data-{len(set(names.values())) + 1}{name.suffix if len(name.suffix) <= 8 else ''}"
        for text in (file, name.name):
            names.setdefault(text, stand)
    return names


def said_texts(run: RunFolder) -> Iterator[str]:
    """Everything that the run read, was asked and answered."""
    plan = _read(run.plan_file)
    yield from _strings([plan.get(name) for name in _OWN_WORDS])
    for event in events_at_end(run):
        if isinstance(event, (Sampled, Answered)):
            yield from (event.question, event.answer)
        if isinstance(event, Sampled):
            yield event.expected
        if isinstance(event, Fragment):
            yield event.text
    yield from texts_in(run.data)


def events_at_end(run: RunFolder) -> Iterator[Event]:
    """The newest events."""
    for line in tail(run.events_file, 2 * _MOST).splitlines():
        try:
            yield decode_event(line)
        except CodecError:
            continue


def _event(event: Event) -> str:
    """An event as a line, "" for those that hold words of rows or answers; facts keep numbers and known words."""
    if isinstance(event, _PLAIN):
        return encode(event)
    if isinstance(event, Noted):
        return _line(event, code=event.code, facts=_facts(event.facts))
    if isinstance(event, Failed):
        return _line(event, problem={"code": event.problem.code, "facts": _facts(event.problem.facts)})
    return _line(event, result=_facts(event.result)) if isinstance(event, Finished) else ""


def _line(event: Event, **more: Any) -> str:
    return json.dumps({"kind": type(event).__name__.lower(), "time": event.time, **more}, ensure_ascii=False)


def _facts(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in facts.items()
        if value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and name in _WORDS)
    }


def _plan(path: Path) -> str:
    plan = _read(path)
    for name in _OWN_WORDS:
        if plan.get(name):
            plan[name] = f"<{sum(map(len, _strings(plan[name])))} characters>"
    if plan.get("model"):
        plan["model"] = plan["model"] if plan["model"].count("/") == 1 else PureWindowsPath(str(plan["model"])).name
    return json.dumps(plan, ensure_ascii=False, indent=1) if plan else ""


def _capsule(path: Path) -> str:
    """Where the run was trained; the marks of its files stay here, they tell which files these are."""
    places = _read(path).get("places")
    return json.dumps({"places": places}, ensure_ascii=False, indent=1) if places else ""


def _files(plan: dict[str, Any]) -> Iterator[str]:
    mixed = [mix.get("file") for mix in plan.get("mix") or () if isinstance(mix, dict)]
    staged = [stage.get("files") for stage in plan.get("stages") or () if isinstance(stage, dict)]
    yield from dict.fromkeys(filter(None, _strings([plan.get("data"), plan.get("validation"), mixed, staged])))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig", errors="replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
