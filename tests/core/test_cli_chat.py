"""What `solotune chat` shows: who answers, what the length limit cut, and the base alone where that was asked."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.cli import run
from core.commands import Say
from core.events import Answered, Fragment, Side, Stage, StageName
from core.jobs.talk import Talk
from core.plan import TrainingPlan
from core.runs import RunFolder

NAMES = {Side.BASE: "before", Side.TUNED: "after"}


@dataclass(frozen=True)
class Parrot:
    """A chat without a model: each side says its name and the question; the base is always cut."""

    run_folder: str
    questions: tuple[str, ...] = ()
    keep_open: bool = True
    base: str = "auto"
    sides: tuple[Side, ...] = (Side.BASE, Side.TUNED)
    longest: int = 0

    def run(self, talk: Talk) -> dict[str, Any]:
        answers = [{"question": q, **{NAMES[s]: self._say(talk, q, s) for s in self.sides}} for q in self.questions]
        talk.emit(Stage(stage=StageName.ANSWERING))
        while self.keep_open and isinstance(said := talk.next_command(), Say):
            for side in said.sides:
                self._say(talk, said.messages[-1]["content"], side)
        return {"answers": answers, "longest": self.longest}

    def _say(self, talk: Talk, question: str, side: Side) -> str:
        for piece in (f"{side} heard ", question):
            talk.emit(Fragment(side=side, text=piece))
        answer = f"{side} heard {question}"
        talk.emit(Answered(side=side, question=question, answer=answer, cut=side is Side.BASE))
        return answer


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = RunFolder.create(tmp_path, TrainingPlan(model="smollm2-135m-instruct", data=("rows.jsonl",)))
    monkeypatch.setattr(RunFolder, "has_adapter", lambda self: True)
    monkeypatch.setattr("core.cli.work.find_folder", lambda model, root: tmp_path)
    for place in ("core.cli.work.ChatJob", "core.cli.talk.ChatJob"):
        monkeypatch.setattr(place, Parrot)
    return made.path


def out_of(capfd: pytest.CaptureFixture[str], *words: object) -> str:
    with pytest.raises(SystemExit) as left:
        run(["chat", *map(str, words)])
    assert left.value.code == 0
    return capfd.readouterr().out


def test_an_answer_that_was_cut_is_marked(capfd: pytest.CaptureFixture[str], trained: Path) -> None:
    assert out_of(capfd, trained, "--say", "Hello?").splitlines() == [
        "? Hello?", "  base: base heard Hello? [cut at the length limit]", "  tuned: tuned heard Hello?",
    ]  # fmt: skip
    told = json.loads(out_of(capfd, trained, "--say", "Hello?", "--json"))
    assert told["answers"] == [
        {"question": "Hello?", "before": "base heard Hello?", "after": "tuned heard Hello?", "cut": ["before"]}
    ]
    assert told["longest"] == Say.max_new_tokens, "as long as in the window"


def test_the_base_alone_is_asked_alone(capfd: pytest.CaptureFixture[str], trained: Path) -> None:
    told = json.loads(out_of(capfd, trained, "--base", "--say", "Hello?", "--json"))
    assert told["answers"] == [{"question": "Hello?", "before": "base heard Hello?", "cut": ["before"]}]
    assert "tuned" not in out_of(capfd, trained, "--base", "--say", "Hello?")


def test_a_conversation_says_who_speaks(
    capfd: pytest.CaptureFixture[str], trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("One?\n\nTwo?\n"))
    assert out_of(capfd, trained).splitlines() == [
        "base: base heard One? [cut at the length limit]", "tuned: tuned heard One?",
        "base: base heard Two? [cut at the length limit]", "tuned: tuned heard Two?",
    ]  # fmt: skip
