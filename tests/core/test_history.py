"""A run's events fold into the same series, live or old, interrupted or resumed."""

import pytest

from core.codec import CodecError
from core.events import (
    Evaluated,
    Failed,
    Finished,
    Measured,
    Stage,
    StageName,
    StepDone,
    Stopped,
)  # fmt: skip
from core.history import fold, outcome, smoothed
from core.problems import Code, Problem
from core.wire import decode_event, encode


def step(n: int, loss: float | None = 1.0, total: int = 40) -> StepDone:
    return StepDone(step=n, total_steps=total, epoch=n / 10, loss=loss, learning_rate=1e-4, seconds=2.0, time=float(n))


def test_losses_are_means_of_the_first_and_newest_steps() -> None:
    history = fold([step(n, loss=4.0 if n <= 4 else 1.0) for n in range(1, 41)])
    assert history.first_loss == 4.0 and history.last_loss == 1.0


def test_steps_done_again_after_a_resume_replace_the_old_ones() -> None:
    events = [step(1), step(2), step(3, 9.0), Evaluated(step=3, loss=5.0, perplexity=1.0),
              Failed(problem=Problem(Code.WORKER_KILLED)), Stage(stage=StageName.STARTING), step(3, 2.0)]  # fmt: skip
    history = fold(events)
    assert [s.step for s in history.steps] == [1, 2, 3]
    assert history.steps[-1].loss == 2.0
    assert history.evaluations == []
    assert history.last is None and history.running and history.sessions == 1


def test_time_left_follows_the_median_step() -> None:
    slow_start = [StepDone(step=1, total_steps=40, epoch=0, loss=1.0, learning_rate=0, seconds=60.0)]
    history = fold(slow_start + [step(n) for n in range(2, 21)])
    assert history.seconds_left == pytest.approx(2.0 * 20)


def test_losses_that_were_not_numbers_are_left_out() -> None:
    assert fold([step(1, None), step(2, 3.0)]).last_loss == 3.0
    assert fold([step(1, None)]).last_loss is None


def test_peak_is_the_highest_reading() -> None:
    readings = [Measured(used_bytes=n, total_bytes=100, on_card=True) for n in (5, 9, 7)]
    assert fold(readings).peak_bytes == 9


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([], "empty"),
        ([Stage(stage=StageName.LOADING)], "running"),
        ([Stage(stage=StageName.LOADING), Finished()], "finished"),
        ([Stage(stage=StageName.LOADING), Stopped(step=3)], "stopped"),
        ([Failed(problem=Problem(Code.UNKNOWN))], "failed"),
    ],
)
def test_outcomes(events: list, said: str) -> None:
    assert outcome(fold(events)) == said


def test_events_survive_the_wire() -> None:
    for event in (step(3, None), Failed(problem=Problem(Code.DISK_FULL, {"path": "/x"}), resumable=True)):
        assert decode_event(encode(event)) == event


@pytest.mark.parametrize("line", ["", "{", "[]", "1", '{"kind":"nothing"}', '{"kind":"step"}', '{"kind":["x"]}'])
def test_half_lines_and_unknown_kinds_are_codec_errors(line: str) -> None:
    with pytest.raises(CodecError):
        decode_event(line)


def test_smoothing_starts_at_the_first_value_and_follows() -> None:
    assert smoothed([2.0, 2.0]) == pytest.approx([2.0, 2.0])
    assert 1.0 < smoothed([2.0] * 5 + [1.0] * 3)[-1] < 2.0
