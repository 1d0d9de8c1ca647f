"""A run's events fold into the same series, live or old, interrupted or resumed."""

import pytest

from core.codec import CodecError
from core.events import (
    Evaluated,
    Failed,
    Finished,
    Measured,
    Paused,
    Sampled,
    Side,
    Stage,
    StageName,
    StepDone,
    Stopped,
    WentOn,
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


def test_speed_is_that_of_recent_steps() -> None:
    rows = {"rows": 16, "tokens": 3000}
    history = fold([StepDone(**{**vars(step(n)), **rows, "seconds": 9.0 if n < 10 else 1.5}) for n in range(1, 60)])
    assert history.tokens_per_second == 2000 and history.samples_per_second == pytest.approx(32 / 3)
    assert fold([step(1)]).samples_per_second is None and fold([]).tokens_per_second is None


def test_the_best_evaluation_is_the_earliest_with_the_lowest_loss() -> None:
    losses = [3.0, 2.0, None, 2.0, 2.5]
    history = fold([Evaluated(step=n, loss=loss, perplexity=1.0) for n, loss in enumerate(losses, start=1)])
    assert history.best_evaluation == history.evaluations[1] and history.waited == 3
    assert fold([]).best_evaluation is None and fold([]).waited == 0


def test_samples_given_again_after_a_resume_replace_the_old_ones() -> None:
    def sample(at: int, question: str, answer: str) -> Sampled:
        return Sampled(step=at, side=Side.TUNED, question=question, answer=answer)

    events = [step(1), step(2), sample(2, "a", "old"), sample(2, "b", "old"), step(3), sample(3, "a", "lost"),
              Failed(problem=Problem(Code.WORKER_KILLED)), Stage(stage=StageName.STARTING), sample(2, "a", "new"),
              step(3)]  # fmt: skip
    assert [(s.question, s.answer) for s in fold(events).sampled] == [("a", "new"), ("b", "old")]


def test_a_run_waits_until_it_goes_on() -> None:
    paused, on = Paused(step=2, time=2.5), WentOn(step=2, seconds=60.0, time=62.5)
    assert fold([step(1), step(2), paused]).waiting == paused
    assert fold([step(1), step(2), paused, on]).waiting is None
    # a released card: another process goes on, and says so by its next step
    assert fold([step(1), step(2), paused, step(3)]).waiting is None and fold([step(1)]).waiting is None


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
