"""What a training says is taken down in TensorBoard's files and as a table, and nothing of that can break it."""

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.events import Evaluated, Event, Finished, Measured, Noted, Sampled, Side, StepDone
from core.history import fold
from core.jobs.talk import Talk
from core.series import COLUMNS, write_csv
from core.settings import Settings
from core.tracking import TensorBoard, Tracking, trackers_of
from tests.fakes import new_run

pytest.importorskip("tensorboardX")


class Heard:
    """A Talk that remembers what was said."""

    stop_requested, pause = False, None

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def next_command(self) -> Any:
        raise AssertionError("nobody asks")


def step(number: int, loss: float | None = None) -> StepDone:
    loss = 1.0 / number if loss is None else loss
    return StepDone(
        step=number, total_steps=9, epoch=number / 9, loss=loss, learning_rate=1e-4, gradient_norm=0.5,
        trained_tokens=40, tokens=100, rows=4, seconds=2.0, time=1000.0 + number,
    )  # fmt: skip


def written(folder: Path) -> dict[str, dict[int, Any]]:
    """What TensorBoard would show: names, and values by step; what was purged is gone."""
    from tensorboardX.proto.event_pb2 import Event as Written

    found: dict[str, dict[int, Any]] = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            length = int.from_bytes(data[at : at + 8], "little")
            event = Written.FromString(data[at + 12 : at + 12 + length])
            at += 16 + length
            if event.HasField("session_log"):
                found = {name: {s: v for s, v in values.items() if s < event.step} for name, values in found.items()}
            for value in event.summary.value:
                text = value.tensor.string_val
                found.setdefault(value.tag, {})[event.step] = text[0].decode() if text else value.simple_value
    return found


def test_every_series_is_in_the_files(tmp_path: Path) -> None:
    talk = Heard()
    tracking: Talk = Tracking(talk, [TensorBoard(tmp_path / "board")])
    sample = Sampled(step=2, side=Side.TUNED, question="What is 显存?", answer="Memory.", expected="VRAM")
    for event in (step(1), Noted(code="x"), step(2), Evaluated(step=2, loss=0.7, perplexity=2.0), sample, Finished()):
        tracking.emit(event)
    tracking.close()
    found = written(tmp_path / "board")
    assert found["train/loss"] == {1: 1.0, 2: 0.5} and found["speed/tokens_per_second"] == {1: 50.0, 2: 50.0}
    assert found["validation/perplexity"] == {2: 2.0} and "train/gradient_norm" in found
    (told,) = (values for name, values in found.items() if name.startswith("answers/tuned"))
    assert "显存" in told[2] and "Memory." in told[2] and "VRAM" in told[2]
    assert len(talk.events) == 6, "everything is passed on"


def test_questions_that_begin_alike_keep_their_answers_apart(tmp_path: Path) -> None:
    board, alike = TensorBoard(tmp_path), "Translate this into written Chinese, and keep the names as they are: "
    for number, side in enumerate((Side.BASE, Side.TUNED)):
        for word in ("warm", "cold"):
            board.hear(Sampled(step=number, side=side, question=alike + word, answer=f"{side} {word}"), number)
    board.close()
    found = written(tmp_path)
    assert len(found) == 4
    for name, values in found.items():
        assert all("cold" in told if "(2)" in name else "warm" in told for told in values.values())


def test_steps_that_are_done_again_are_shown_once(tmp_path: Path) -> None:
    for session in ([step(1), step(2), step(3)], [step(2, 9.0), step(3, 8.0)]):
        board = TensorBoard(tmp_path)
        for event in session:
            board.hear(event, event.step)
        board.close()
    assert written(tmp_path)["train/loss"] == {1: 1.0, 2: 9.0, 3: 8.0}


def test_a_tracker_that_fails_is_told_once_and_training_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    talk = Heard()
    tracking = Tracking(talk, [TensorBoard(tmp_path / "file" / "board")])
    for number in (1, 2, 3):
        tracking.emit(step(number))
    tracking.close()
    (note,) = (event for event in talk.events if isinstance(event, Noted))
    assert note.code == "tracking_ended" and note.facts["name"] == "TensorBoard" and len(talk.events) == 4


def test_weights_and_biases_is_asked_for_and_stays_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run(tmp_path, note="mine", data=("/home/someone/x.jsonl",))
    logged: list[Any] = []
    fake = SimpleNamespace(
        __spec__=object(),
        Settings=lambda **how: how,
        init=lambda **how: SimpleNamespace(
            log=lambda values, step: logged.append((how, values, step)), finish=lambda: logged.append("end")
        ),
    )
    monkeypatch.setitem(__import__("sys").modules, "wandb", fake)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    assert [each.name for each in trackers_of(run, Settings())] == ["TensorBoard"]
    _board, tracker = trackers_of(run, Settings(wandb=True))
    tracker.hear(step(3), 3)
    tracker.close()
    (how, values, at), end = logged
    assert how["mode"] == "offline" and at == 3 and values["train/loss"] == pytest.approx(1 / 3) and end == "end"
    assert "someone" not in str(how["config"]) and how["config"]["rank"] == 16
    monkeypatch.setenv("WANDB_API_KEY", "k")
    tracker = trackers_of(run, Settings(wandb=True))[1]
    tracker.hear(step(4), 4)
    assert logged[-1][0]["mode"] == "online"
    tracker = trackers_of(run, Settings(wandb=True, offline=True))[1]
    tracker.hear(step(5), 5)
    assert logged[-1][0]["mode"] == "offline"


def test_the_table_has_a_row_for_every_step(tmp_path: Path) -> None:
    reading = Measured(used_bytes=5_000, total_bytes=9_000, on_card=True, temperature=61, power_watts=99.5, time=1001.5)
    history = fold([step(1), reading, step(2), Evaluated(step=2, loss=0.7, perplexity=2.0), step(3)])
    path = tmp_path / "series.csv"
    write_csv(history, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2", "3"] and tuple(rows[0]) == COLUMNS
    assert [row["validation_loss"] for row in rows] == ["", "0.7", ""]
    assert [row["temperature"] for row in rows] == ["", "61", "61"] and rows[1]["memory_bytes"] == "5000"
    assert rows[0]["tokens_per_second"] == "50.0" and rows[0]["time"] == "1970-01-01T00:16:41.000+00:00"
    assert [each.name for each in tmp_path.iterdir()] == ["series.csv"], "nothing else is left behind"
