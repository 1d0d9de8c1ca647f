"""Watchers: silent on healthy trainings of every length and noise, and quick to see what was planted into one."""

import random
from dataclasses import replace

import pytest

from core.events import Evaluated, Noted, Sampled, Side, Stage, StageName, StepDone
from core.history import RunHistory, fold
from core.watch import Observation, Severity, WatchCode, episodes, observe, remedies, spike, stop_early
from core.watch.answers import repeats
from core.wording.watch import observation_words, remedy_words
from tests.curves import PLAN, TROUBLES, Curve, first_seen, healthy, overfit, seen_at_all

ZH_LOOP = "发酵十二小时后取出，放入冰箱冷藏。" * 8
EN_LOOP = "Put it in the fridge. " * 3 + "Then the jar and then the jar and " * 8


def test_healthy_trainings_raise_no_alarm() -> None:
    # tests/bench/watch.py looks at a thousand
    for seed in (*range(16), 107):
        assert seen_at_all(healthy(seed)) == {}, healthy(seed)


@pytest.mark.parametrize("name", TROUBLES)
def test_planted_trouble_is_seen_in_time(name: str) -> None:
    make, code, start, within = TROUBLES[name]
    late = []
    for seed in range(4):
        seen = first_seen(make(seed), code, start, within)
        assert seen is not None, f"not seen within {within} steps (seed {seed})"
        assert seen.since_step <= seen.step
        words = observation_words(seen)
        assert words.title and "{" not in words.title + words.advice
        late.append(seen.step - start)
    print(f"\n{name}: seen after {sorted(late)} steps")


def test_what_is_over_is_not_told_any_more() -> None:
    curve = Curve(
        loss=lambda at, value: value * 3 if 150 <= at < 200 else value, slow=lambda at: 5 if 150 <= at < 200 else 1
    )
    during = {each.code for each in observe(curve.history(190), curve.plan)}
    after = {each.code for each in observe(curve.history(260), curve.plan)}
    assert during == {WatchCode.DIVERGING, WatchCode.SLOWER} and after == {WatchCode.LEARNING}
    told = episodes(curve.events(), curve.plan)
    by_code = {each.observation.code: each for each in told}
    assert 150 < by_code[WatchCode.DIVERGING].first < 165 and 200 <= by_code[WatchCode.DIVERGING].last < 225
    assert not by_code[WatchCode.DIVERGING].now and by_code[WatchCode.LEARNING].now


def test_a_collapse_that_lasts_is_told_for_longer_than_it_was_fast() -> None:
    curve = Curve(slow=lambda at: 20 if at >= 150 else 1, used=lambda at: 0.99)
    seen = {each.code: each for each in observe(curve.history(390), curve.plan)}
    spilled = seen[WatchCode.MEMORY_SPILL]
    assert spilled.facts["now"] * 15 < spilled.facts["usual"]
    assert "Windows" in observation_words(spilled).advice


def test_the_worst_comes_first() -> None:
    curve = replace(overfit(1), loss=lambda at, value: None if at > 395 else value)
    seen = observe(curve.history(), curve.plan)
    assert seen[0].code is WatchCode.NOT_A_NUMBER
    assert [each.severity for each in seen] == sorted((each.severity for each in seen), key=list(Severity).index)


def evaluated(*losses: float | None) -> RunHistory:
    """A training of ten steps before each evaluation, with a training loss of 1."""
    events = []
    for at, loss in enumerate(losses):
        first = at * 10
        events += [
            StepDone(step=first + n, total_steps=100, epoch=(first + n) / 50, loss=1.0, learning_rate=1e-4)
            for n in range(1, 11)
        ]
        events.append(Evaluated(step=first + 10, loss=loss, perplexity=loss and 2.718**loss))
    return fold(events)


def test_training_stops_after_three_evaluations_without_a_better_one() -> None:
    history = evaluated(1.2, 1.0, 1.1, None, 1.0)
    assert history.best_evaluation == history.evaluations[1] and history.waited == 3
    found = stop_early(history, PLAN)
    assert found is not None and (found.since_step, found.facts["best_step"], found.facts["waited"]) == (20, 20, 3)
    assert (
        stop_early(history, replace(PLAN, patience=0)) is None
        and stop_early(history, replace(PLAN, patience=4)) is None
    )
    assert stop_early(evaluated(1.2, 1.0, 1.1, 1.3, 0.99), PLAN) is None
    assert stop_early(evaluated(None, None, None), PLAN) is None


@pytest.mark.parametrize(
    ("losses", "seen"),
    [
        # thirty per cent above the training loss, and rising
        ((1.25, 1.28, 1.32), True),
        # above, but it still falls: rows are seen again and the model gets better at others too
        ((1.6, 1.5, 1.45), False),
        # rising, but less than thirty per cent above
        ((1.1, 1.2, 1.28), False),
        # above and wavering: it did not grow
        ((1.4, 1.401, 1.402), False),
    ],
)
def test_overfitting_is_thirty_per_cent_and_growing(losses: tuple[float, ...], seen: bool) -> None:
    assert (WatchCode.OVERFITTING in {each.code for each in observe(evaluated(*losses), PLAN)}) is seen


def test_a_few_batches_that_came_out_easy_are_no_overfitting() -> None:
    """Losses of 0.6 and 1.4 in turn: the last five say 0.92, and may as well say 1.1."""
    for losses, seen in (((1.25, 1.28, 1.32), False), ((1.25, 1.4, 1.6), True)):
        history = evaluated(*losses)
        history.steps[:] = [replace(step, loss=1.4 if step.step % 2 else 0.6) for step in history.steps]
        assert (WatchCode.OVERFITTING in {each.code for each in observe(history, PLAN)}) is seen


def test_a_spike_tells_the_rows_that_the_training_noted() -> None:
    curve = Curve(norm=lambda at, value: value * 20 if at == 100 else value)
    found = spike(curve.history(100))
    assert found is not None and found.step == 100 and found.facts["norm"] > 5 * found.facts["usual"]
    assert spike(curve.history(99)) is None and spike(curve.history(101)) is None
    history = curve.history(110)
    history.apply(Noted(code="gradient_spike", facts={"step": 100, "rows": [["a.jsonl", 7], ["b.jsonl", 9]]}))
    told = next(each for each in observe(history, curve.plan) if each.code is WatchCode.GRADIENT_SPIKE)
    assert told.step == 100 and "Its rows: a.jsonl:7 · b.jsonl:9." in observation_words(told).advice
    many = replace(told, facts=told.facts | {"rows": [["x/a.jsonl", line] for line in range(1, 17)]})
    assert "Its rows: a.jsonl:1, 2, 3, 4, 5 … and 11 more." in observation_words(many).advice


def test_a_new_stage_has_losses_of_its_own() -> None:
    """Other files are learned from step 200 on, and their loss is higher: that is no trouble."""
    curve = Curve(loss=lambda at, value: value * 2.5 if at > 200 else value, again=0.0)
    events = []
    for event in curve.events(300):
        events.append(event)
        if isinstance(event, StepDone) and event.step == 200:
            events.append(Noted(code="stage_begins", facts={"stage": 2, "stages": 2}))
    codes = {each.code for each in observe(fold(events), curve.plan)}
    assert WatchCode.DIVERGING not in codes
    assert WatchCode.DIVERGING in {each.code for each in observe(curve.history(300), curve.plan)}


@pytest.mark.parametrize("text", [ZH_LOOP, EN_LOOP, "好的。" * 40, "the the the " * 12])
def test_texts_that_go_in_circles(text: str) -> None:
    assert repeats(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Yes.",
        "For yogurt take whole milk, warm it to forty degrees, stir in two spoons of the last batch, and choose the "
        "mode with the leaf. It takes eight hours. The lid stays closed, and the jar goes into the fridge for a night.",
        "做酸奶请用全脂牛奶，加热到四十度，加入两勺上一批的酸奶，选择带叶子的模式。需要八小时，盖子要盖好，之后放进冰箱冷藏一夜再食用，口感更浓。",
        "1. Open the lid. 2. Rinse the jar. 3. Dry the ring. 4. Close the lid. 5. Choose a mode. 6. Press the button.",
    ],
)  # fmt: skip
def test_texts_that_do_not(text: str) -> None:
    assert not repeats(text)


def sampled(*rounds: list[str], expected: str = "", base: str = "It is a machine.") -> RunHistory:
    """A short training with a round of answers after every ten steps."""
    history = fold([Sampled(step=0, side=Side.BASE, question=f"q{n}", answer=base) for n in range(4)])
    history.apply(Stage(stage=StageName.TRAINING))
    for at, answers in enumerate(rounds, start=1):
        history.apply(StepDone(step=at * 10, total_steps=100, epoch=at / 10, loss=1.0, learning_rate=1e-4))
        for n, answer in enumerate(answers):
            history.apply(Sampled(step=at * 10, side=Side.TUNED, question=f"q{n}", answer=answer, expected=expected))
    return history


def fresh(seed: int, count: int = 4) -> list[str]:
    """Answers that have nothing in common with those of other seeds."""
    chance = random.Random(seed)
    return [" ".join("".join(chance.choices("bcdfghjklmnpqrstvwxyz", k=6)) for _ in range(20)) for _ in range(count)]


STEADY = fresh(0)


@pytest.mark.parametrize(
    ("history", "code"),
    [
        (sampled(STEADY), None),
        (sampled([ZH_LOOP, EN_LOOP, *STEADY[:2]]), WatchCode.REPEATING),
        # the base model did so before, and one answer is not many
        (sampled([ZH_LOOP, EN_LOOP, *STEADY[:2]], base=EN_LOOP), None),
        (sampled([EN_LOOP, *STEADY[:3]]), None),
        (sampled(["The warranty lasts for thirty-eight months."] * 3 + STEADY[:1]), WatchCode.SAME_ANSWER),
        # labels are the same for many questions
        (sampled(["positive"] * 3 + ["negative"]), None),
        # answers change while they are learned, settle, and one round of changes is no drift
        (sampled(fresh(1), fresh(2), fresh(3), STEADY, STEADY, STEADY), None),
        (sampled(fresh(1), STEADY, STEADY, STEADY, fresh(4)), None),
        (sampled(fresh(1), STEADY, STEADY, STEADY, fresh(4), fresh(5)), WatchCode.DRIFTING),
        (sampled(STEADY, expected="保修期是三十八个月，请保留发票。"), WatchCode.DRIFTING),
    ],
)
def test_answers_during_training(history: RunHistory, code: WatchCode | None) -> None:
    odd = [each for each in observe(history, PLAN) if each.severity is not Severity.GOOD]
    assert [each.code for each in odd] == ([code] if code else [])
    assert all("{" not in observation_words(each).title for each in odd)


def test_remedies_are_plans_that_change_what_they_say() -> None:
    curve = overfit(2)
    history = curve.history()
    seen = {each.code: each for each in observe(history, curve.plan)}
    found = {each.name: each for each in remedies(seen[WatchCode.OVERFITTING], curve.plan, history.total_steps)}
    assert found["fix_epochs"].plan == replace(curve.plan, epochs=3.0) and found["fix_dropout"].plan.dropout == 0.1
    assert remedy_words(found["fix_weight_decay"]) == "Set the weight decay to 0.01"
    assert remedy_words(found["fix_epochs"]) == "Set the epochs to 3"
    broken = Observation(WatchCode.DIVERGING, Severity.TROUBLE, 10, 5)
    assert [each.plan.learning_rate for each in remedies(broken, curve.plan)] == [1e-4]
    # no remedy goes beyond what the documents call steady, and none repeats what is there
    still = Observation(WatchCode.NOT_LEARNING, Severity.TROUBLE, 10, 5)
    assert remedies(still, replace(curve.plan, learning_rate=4e-4, rank=64)) == ()
    careful = replace(curve.plan, epochs=0.5, dropout=0.2, weight_decay=0.1)
    assert remedies(seen[WatchCode.OVERFITTING], careful, history.total_steps) == ()


@pytest.mark.parametrize("code", WatchCode)
def test_every_observation_has_words_even_without_its_facts(code: WatchCode) -> None:
    words = observation_words(Observation(code, Severity.CAUTION, 5, 1))
    assert "{" not in words.title + words.advice
