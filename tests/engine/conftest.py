"""Data, runs and a listener for engine tests."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.commands import Command, Pause, Stop
from core.events import Event
from core.runs import RunFolder
from tests.fakes import new_run


class Listener:
    """A Talk that remembers what was said, and asks to stop at a chosen moment."""

    def __init__(self, stop_when: Callable[[Event], bool] = lambda event: False) -> None:
        self.events: list[Event] = []
        self.commands: list[Command] = []
        self.stop_requested = False
        self.pause: Pause | None = None
        self._stop_when = stop_when

    def emit(self, event: Event) -> None:
        self.events.append(event)
        if self._stop_when(event):
            self.stop_requested = True

    def next_command(self) -> Command:
        return self.commands.pop(0) if self.commands else Stop()

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture(scope="session", autouse=True)
def nothing_asked() -> Iterator[None]:
    """Runs of these tests answer no questions while they train, which takes half of their time; test_samples does."""
    from core.engine import workshop

    asked, workshop.questions_of = workshop.questions_of, lambda *_given: ()
    yield
    workshop.questions_of = asked


@pytest.fixture(scope="session")
def one_answer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One answer to everything: quickly learned so well that rounding cannot change a token."""
    path = tmp_path_factory.mktemp("data") / "one.jsonl"
    rows = [{"instruction": f"What is {i % 10}?", "output": "It is 8."} for i in range(40)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def learn(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, one_answer: Path) -> Callable[..., RunFolder]:
    """Train a run until it is sure of its answers: between equally likely tokens rounding alone would choose."""
    from core.engine.train import train

    def learned(**settings: Any) -> RunFolder:
        usual = {"model": str(tiny_base), "data": (str(one_answer),), "learning_rate": 1e-2, "epochs": 4.0,
                 "validation_share": 0.0, "save_every": 500, "evaluate_every": 500}  # fmt: skip
        run = new_run(tmp_path_factory.mktemp("learned"), **(usual | settings))
        result = train(run.path, Listener(), resume=False)
        assert result["last_loss"] < 0.05, result
        return run

    return learned


@pytest.fixture(scope="session")
def trained(learn: Callable[..., RunFolder]) -> RunFolder:
    """One trained run that tests may read and merge elsewhere, but not change."""
    return learn()


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    """24 rows, two kinds of questions."""
    path = tmp_path / "rows.jsonl"
    rows = [{"instruction": f"What is {i}?", "output": f"It is {i % 3}."} for i in range(24)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def make_run(tmp_path: Path, tiny_base: Path, data_file: Path) -> Callable[..., RunFolder]:
    """A run of the tiny model on the data file."""

    def make(**settings: Any) -> RunFolder:
        usual = {"model": str(tiny_base), "data": (str(data_file),), "learning_rate": 1e-2}
        return new_run(tmp_path / "runs", **(usual | settings))

    return make
