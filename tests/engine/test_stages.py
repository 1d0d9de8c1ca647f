"""Stages on the tiny model: their order holds step by step, also after a stop in the second; cleaned rows are kept."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.clean import Cleaning
from core.data.clean.written import ROWS, read_report
from core.data.inspect import inspect_files
from core.engine.course import Course
from core.engine.rows import prepare_rows
from core.engine.train import train
from core.events import Noted, StepDone
from core.jobs.talk import StopAsked
from core.plan import Mix, TrainingStage
from core.planning import total_steps
from core.problems import Code, Trouble
from core.runs import RunFolder
from tests.engine.conftest import Listener

MakeRun = Callable[..., RunFolder]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Short answers and long ones: the trained tokens of a step tell which stage it is of."""
    short = [{"instruction": f"What is {i}?", "output": str(i % 10)} for i in range(12)]
    long = [{"instruction": f"Tell me about {i}.", "output": f"It is {i}, and " * 3 + "that is all."} for i in range(8)]
    names = []
    for name, rows in (("short.jsonl", short), ("long.jsonl", long)):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        names.append(str(tmp_path / name))
    return names[0], names[1]


def staged(make_run: MakeRun, files: tuple[str, str], **more: object) -> RunFolder:
    # a run that is stopped between two micro-batches has drawn numbers for dropout that the resumed one draws again
    stages = (TrainingStage(files[:1], 2.0), TrainingStage(files[1:], 1.5))
    return make_run(
        data=files, stages=stages, validation_share=0.0, batch=2, accumulation=2, dropout=0.0, save_every=2, **more
    )


def test_one_stage_comes_after_the_other(make_run: MakeRun, files: tuple[str, str]) -> None:
    run = staged(make_run, files)
    talk = Listener()
    train(run.path, talk, resume=False)
    steps = talk.of(StepDone)
    # 24 short rows, then 12 long ones, four in a step
    assert [step.trained_tokens > 40 for step in steps] == [False] * 6 + [True] * 3
    assert len(steps) == steps[0].total_steps == total_steps(run.plan(), inspect_files(files).by_file)
    assert [round(step.epoch, 2) for step in steps] == [0.33, 0.67, 1.0, 1.33, 1.67, 2.0, 2.5, 3.0, 3.5]
    begun = [note.facts for note in talk.of(Noted) if note.code == "stage_begins"]
    assert [(facts["stage"], facts["rows"], facts["epochs"]) for facts in begun] == [(1, 12, 2.0), (2, 8, 1.5)]
    first_long = next(place for place, event in enumerate(talk.events) if event is steps[6])
    noted = next(i for i, e in enumerate(talk.events) if isinstance(e, Noted) and e.facts.get("stage") == 2)
    assert talk.events.index(steps[5]) < noted < first_long


def test_resumed_in_the_second_stage_it_goes_on_there(make_run: MakeRun, files: tuple[str, str]) -> None:
    whole = Listener()
    train(staged(make_run, files).path, whole, resume=False)
    run = staged(make_run, files)
    with pytest.raises(StopAsked) as stopped:
        train(run.path, Listener(stop_when=lambda e: isinstance(e, StepDone) and e.step == 7), resume=False)
    kept = stopped.value.step
    assert kept in (7, 8)
    talk = Listener()
    train(run.path, talk, resume=True)
    steps = talk.of(StepDone)
    assert steps[0].step == kept + 1 and steps[-1].step == 9
    expected = {step.step: (step.loss, step.trained_tokens) for step in whole.of(StepDone)}
    assert [step.trained_tokens for step in steps] == [expected[step.step][1] for step in steps]
    assert [step.loss for step in steps] == pytest.approx([expected[step.step][0] for step in steps], rel=1e-3)
    assert [note.facts["stage"] for note in talk.of(Noted) if note.code == "stage_begins"] == [2]


def test_cleaned_and_mixed_rows_train_and_the_run_keeps_what_was_done(
    make_run: MakeRun, files: tuple[str, str], data_file: Path
) -> None:
    twice = Path(files[1]).read_text(encoding="utf-8") * 2
    Path(files[1]).write_text(twice, encoding="utf-8")
    run = make_run(
        data=files, cleaning=Cleaning(), mix=(Mix(str(data_file), 0.2),), validation_share=0.0, steps=2, batch=2
    )
    talk = Listener()
    train(run.path, talk, resume=False)
    notes = {note.code: note.facts for note in talk.of(Noted)}
    report = read_report(run.data)
    assert notes["rows_cleaned"] == {"rows": 28, "kept": report.kept, "changed": 0} and report.kept < 28
    assert notes["rows_mixed"]["rows"] == notes["rows_mixed"]["wanted"] == round(report.kept / 4)
    assert len((run.data / ROWS).read_text(encoding="utf-8").splitlines()) == report.kept
    assert Path(files[1]).read_text(encoding="utf-8") == twice


@pytest.mark.parametrize("stages", [[(5, 1.0)], [(3, 2.0), (4, 0.5), (2, 3.3)], [(1, 0.01), (6, 1.0)]])
def test_a_course_sees_each_row_of_a_stage_as_often_as_its_epochs(stages: list[tuple[int, float]]) -> None:
    lengths = list(range(sum(rows for rows, _epochs in stages)))
    course = Course(lengths, stages, 2, seed=3)
    order = list(course)
    assert order == list(Course(lengths, stages, 2, seed=3)) and len(course) == len(order)
    start = place = 0
    for number, (rows, epochs) in enumerate(stages):
        count = max(1, round(rows * epochs))
        part = order[place : place + count]
        seen = [part.count(row) for row in range(start, start + rows)]
        assert sum(seen) == count and max(seen) - min(seen) <= 1
        assert {course.stage(at) for at in range(place, place + count)} == {number}
        start, place = start + rows, place + count
    assert place == len(order) and course.stage(place) == len(stages) - 1
    assert course.epoch(0) == 0 and [course.epoch(n) for n in range(place)] == sorted(map(course.epoch, range(place)))


def test_a_run_goes_on_with_its_own_rows(make_run: MakeRun, files: tuple[str, str]) -> None:
    whole = Listener()
    train(staged(make_run, files).path, whole, resume=False)
    expected = {step.step: step.loss for step in whole.of(StepDone)}
    run = staged(make_run, files)
    with pytest.raises(StopAsked):
        train(run.path, Listener(stop_when=lambda e: isinstance(e, StepDone) and e.step == 3), resume=False)
    short, long = map(Path, files)
    short.write_text(short.read_text(encoding="utf-8").replace("What is", "Why is"), encoding="utf-8")
    text = long.read_bytes()
    long.unlink()
    talk = Listener(stop_when=lambda e: isinstance(e, StepDone) and e.step == 5)
    with pytest.raises(StopAsked):
        train(run.path, talk, resume=True)
    told = {note.code: note.facts["file"] for note in talk.of(Noted) if note.code.startswith("data_")}
    assert told == {"data_changed": "short.jsonl", "data_gone": "long.jsonl"}
    assert [s.loss for s in talk.of(StepDone)] == pytest.approx([expected[s.step] for s in talk.of(StepDone)], rel=1e-3)
    # whoever has learned nothing yet needs no file that is gone either
    prepared = prepare_rows(run.plan(), Listener(), run.data, begun=False)
    assert [row.messages[0].content[:4] for row in prepared.train[:2]] == ["What", "What"]
    # a run that has no copy cannot go on with other rows
    (run.data / ROWS).unlink()
    long.write_bytes(text)
    with pytest.raises(Trouble) as refused:
        train(run.path, Listener(), resume=True)
    assert refused.value.problem.code is Code.DATA_CHANGED and refused.value.problem.facts["path"] == files[0]
    # but reads a file that was mended
    prepared = prepare_rows(run.plan(), Listener(), run.data, begun=False)
    assert prepared.train[0].messages[0].content.startswith("Why")
