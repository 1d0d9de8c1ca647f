"""Simulated trainings: the events that a run with a given curve, noise, speed and intervals would have told."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from core.events import Evaluated, Event, Measured, Noted, Sampled, Saved, Side, Stage, StageName, StepDone
from core.history import RunHistory, fold
from core.plan import TrainingPlan
from core.watch import Observation, Severity, WatchCode, observe, seconds_left

PLAN = TrainingPlan("model", ("rows.jsonl",), evaluate_every=100, save_every=100)


@dataclass(frozen=True)
class Curve:
    """A training of `steps` steps. Healthy as it stands; tests replace what they want to go wrong.

    Losses fall from `first` to `floor` as a power law of `pace` steps, with noise of so many per cent from batch to
    batch; rows seen again have lost `again` of their loss. Steps with sorted rows have losses that go up and down.
    `fixed` is the share of a mean step's time that does not hang on its tokens.
    """

    steps: int = 400
    seed: int = 0
    first: float = 2.6
    floor: float = 1.1
    speed: float = 0.45
    noise: float = 0.08
    epochs: int = 3
    again: float = 0.12
    sorted_rows: bool = False
    validation_gap: float = 1.04
    validation_noise: float = 0.004
    norm_noise: float = 0.3
    time_noise: float = 0.08
    seconds_a_token: float = 1e-4
    fixed: float = 0.0
    evaluation_steps: float = 5.0
    forward: float = 0.42
    answers: int = 0
    planned: bool = True
    temperature: int = 68
    # what tests put wrong: each gets the step, and the value as it would be
    loss: Callable[[int, float], float | None] = lambda step, value: value
    validation: Callable[[int, float], float | None] = lambda step, value: value
    norm: Callable[[int, float], float] = lambda step, value: value
    pause: Callable[[int], float] = lambda step: 0.0
    slow: Callable[[int], float] = lambda step: 1.0
    used: Callable[[int], float] = lambda step: 0.8
    heat: Callable[[int, int], int] = lambda step, value: value
    answer: Callable[[int, int], str] = lambda step, question: ""

    @property
    def plan(self) -> TrainingPlan:
        """The plan that such a run has."""
        every = max(1, min(500, math.ceil(self.steps / 10)))
        packing = not self.sorted_rows
        # asked for: by themselves answers that take so long would come more rarely
        sampled = every if self.answers else 0
        plan = replace(PLAN, epochs=float(self.epochs), packing=packing, evaluate_every=every, save_every=every)
        return replace(plan, sample_every=sampled)

    def history(self, upto: int | None = None) -> RunHistory:
        """The history of the run, or of its first steps."""
        return fold(self.events(upto))

    def mean(self, step: int) -> float:
        """The training loss without noise."""
        progress = (1 + step / (0.02 * self.steps + 3)) ** -self.speed
        epoch = (step - 1) * self.epochs // self.steps
        return self.floor + (self.first - self.floor) * progress - self.again * self.floor * epoch

    def events(self, upto: int | None = None) -> Iterator[Event]:
        """Yield everything that such a run tells."""
        chance = random.Random(self.seed)
        clock, plan = 1e9, self.plan
        tokens = [self._tokens(step, chance) for step in range(1, self.steps + 1)]
        mean = sum(tokens) / len(tokens)
        usual = mean * self.seconds_a_token
        yield Stage(stage=StageName.STARTING, time=clock)
        # few rows are longer or shorter than those that are trained
        rows = round(self.evaluation_steps * 16 / self.forward * (0.8 if self.seed % 2 else 1.3))
        read = round(self.evaluation_steps * usual / self.seconds_a_token / self.forward)
        yield Noted(code="validation_rows", facts={"rows": rows, "tokens": read}, time=clock)
        if self.planned:
            yield Noted(code="tokens_planned", facts={"tokens": sum(tokens)}, time=clock)
        for event in self._answers(0, clock, usual, Side.BASE):
            clock = event.time
            yield event
        for step in range(1, min(upto or self.steps, self.steps) + 1):
            seconds = self._seconds(step, (1 - self.fixed) * tokens[step - 1] + self.fixed * mean, chance)
            clock += seconds + self.pause(step)
            yield self._step(step, tokens[step - 1], seconds, clock, chance)
            if step % 5 == 0:
                yield Measured(
                    used_bytes=round(24e9 * self.used(step)), total_bytes=24_000_000_000, on_card=True, time=clock,
                    temperature=self.heat(step, self.temperature + chance.randint(-1, 1)),
                )  # fmt: skip
            if step % plan.evaluate_every == 0 or step == self.steps:
                for event in self._aside(step, clock, usual, chance):
                    clock = event.time
                    yield event

    def _tokens(self, step: int, chance: random.Random) -> int:
        rows = [chance.lognormvariate(5.0, 0.6) for _ in range(16)]
        total = sum(rows)
        if self.sorted_rows:
            total *= 1.8 - 1.5 * self._place(step)
        return max(16, round(total))

    def _place(self, step: int) -> float:
        """How far a step is in its group of rows sorted by length."""
        group = max(1, min(50, self.steps // self.epochs // 4))
        return (step - 1) % group / group

    def _seconds(self, step: int, tokens: float, chance: random.Random) -> float:
        warm = 4.0 if step == 1 else 1.5 if step == 2 else 1.0
        noise = chance.lognormvariate(0.0, self.time_noise)
        return tokens * self.seconds_a_token * warm * noise * self.slow(step)

    def _step(self, step: int, tokens: int, seconds: float, clock: float, chance: random.Random) -> StepDone:
        mean = self.mean(step)
        if self.sorted_rows:
            mean *= 0.85 + 0.4 * self._place(step)
        loss = self.loss(step, mean * math.exp(chance.gauss(0.0, self.noise)))
        norm = self.norm(step, 0.8 * (mean / self.first) ** 0.5 * math.exp(chance.gauss(0.0, self.norm_noise)))
        rate = 2e-4 * min(1.0, (step - 1) / (0.03 * self.steps)) * (0.5 + 0.5 * math.cos(math.pi * step / self.steps))
        return StepDone(
            step=step, total_steps=self.steps, epoch=step * self.epochs / self.steps, loss=loss, learning_rate=rate,
            gradient_norm=norm, trained_tokens=round(0.7 * tokens), tokens=tokens, rows=16, seconds=seconds, time=clock,
        )  # fmt: skip

    def _aside(self, step: int, clock: float, usual: float, chance: random.Random) -> Iterator[Event]:
        yield Stage(stage=StageName.EVALUATING, time=clock)
        clock += self.evaluation_steps * usual * chance.uniform(0.97, 1.03)
        # rows not seen: no epoch brings a sudden fall, but they profit in the end
        fall = 0.3 * self.again * self.floor * self.epochs * step / self.steps
        mean = (self.first - self.floor) * (1 + step / (0.02 * self.steps + 3)) ** -self.speed + self.floor - fall
        loss = self.validation(step, self.validation_gap * mean * math.exp(chance.gauss(0.0, self.validation_noise)))
        yield Evaluated(step=step, loss=loss, perplexity=None if loss is None else math.exp(loss), time=clock)
        for event in self._answers(step, clock, usual, Side.TUNED):
            clock = event.time
            yield event
        for path in [f"checkpoints/checkpoint-{step}", "adapter"][: 1 + (step == self.steps)]:
            yield Stage(stage=StageName.SAVING, time=clock)
            clock += 2 * usual * chance.uniform(0.8, 1.2)
            yield Saved(step=step, path=path, time=clock)
            yield Stage(stage=StageName.TRAINING, time=clock)

    def _answers(self, step: int, clock: float, usual: float, side: Side) -> Iterator[Event]:
        if self.answers:
            yield Stage(stage=StageName.ANSWERING, time=clock)
            for question in range(self.answers):
                clock += 2 * usual
                answer = self.answer(step, question)
                yield Sampled(step=step, side=side, question=f"question {question}", answer=answer, time=clock)
            yield Stage(stage=StageName.TRAINING, time=clock)


def errors_of_time_left(curve: Curve) -> dict[int, float]:
    """By step: how far `seconds_left` is off at 5 (from the third step on), 10, 25, 50, 75, 90 and 95 % of a run, as a
    share of the truth.
    """
    history, events = RunHistory(), list(curve.events())
    marks = {max(3, round(share * curve.steps)) for share in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)}
    pauses = sum(map(curve.pause, range(1, curve.steps + 1)))
    errors = {}
    for event in events:
        history.apply(event)
        if isinstance(event, StepDone):
            pauses -= curve.pause(event.step)
            if event.step in marks:
                truth = events[-1].time - event.time - pauses
                told = seconds_left(history, curve.plan)
                assert told is not None
                errors[event.step] = told / truth - 1
    return errors


def healthy(seed: int) -> Curve:
    """A training of which nobody would complain: its loss falls to its end, quick or slow, noisy or not."""
    chance = random.Random(seed)
    return Curve(
        seed=seed, steps=20_000 if seed % 100 == 7 else chance.choice([20, 50, 72, 150, 400, 1000, 3000]),
        noise=chance.choice([0.01, 0.03, 0.08, 0.15, 0.25]), first=chance.choice([1.5, 2.6, 4.0]),
        floor=chance.choice([0.05, 0.4, 0.8]), epochs=chance.choice([1, 2, 3, 5]), again=chance.choice([0.05, 0.12]),
        sorted_rows=chance.random() < 0.3, speed=chance.choice([0.3, 0.5, 0.9]),
        time_noise=chance.choice([0.02, 0.08, 0.2]), norm_noise=chance.choice([0.15, 0.3, 0.4]),
        validation_noise=chance.choice([0.0, 0.001, 0.002]), temperature=chance.choice([60, 75, 83, 86]),
    )  # fmt: skip


def seen_at_all(curve: Curve) -> dict[WatchCode, Observation]:
    """Everything but good news that was ever seen, at each evaluation, each of the first steps and 60 later ones."""
    history, found = RunHistory(), dict[WatchCode, Observation]()
    every = max(1, curve.steps // 60)
    for event in curve.events():
        history.apply(event)
        if isinstance(event, Evaluated) or (
            isinstance(event, StepDone) and (event.step % every == 0 or event.step < 30)
        ):
            seen = observe(history, curve.plan)
            assert len({each.code for each in seen}) == len(seen)
            found |= {each.code: each for each in seen if each.severity is not Severity.GOOD}
    return found


def first_seen(curve: Curve, code: WatchCode, start: int, within: int) -> Observation | None:
    """The first observation of that code from step `start` on, None when there is none within so many steps."""
    history = RunHistory()
    for event in curve.events(start + within):
        history.apply(event)
        late = history.step - max(start, 1)
        look = isinstance(event, Evaluated) or (isinstance(event, StepDone) and late % (within // 40 + 1) == 0)
        if late >= 0 and look:
            for each in observe(history, curve.plan):
                if each.code is code:
                    return each
    return None


def flat_from(steps: int, noise: float, epochs: int = 1) -> Callable[[int], Curve]:
    """A loss that falls for a fifth of the run and no further."""

    def make(seed: int) -> Curve:
        curve = Curve(seed=seed, steps=steps, noise=noise, epochs=epochs, again=0.0)
        start = steps // 5
        return replace(
            curve, loss=lambda at, value: value if at < start else curve.mean(start) * value / curve.mean(at)
        )

    return make


def overfit(seed: int) -> Curve:
    """Ten epochs over rows that are known by heart after three: the validation loss rises from there on."""
    curve = Curve(seed=seed, epochs=10, floor=0.3, again=0.05, first=2.5)
    best = curve.mean(120) * 1.35
    return replace(curve, validation=lambda at, value: value if at <= 120 else best * (1 + 0.0014 * (at - 120)))


def planted(**wrong: object) -> Callable[[int], Curve]:
    """A healthy training of 400 steps but for what is given."""
    return lambda seed: Curve(seed=seed, **wrong)  # type: ignore[arg-type]


#: What is planted, from which step on it is there, and after how many steps at most it must be seen.
TROUBLES = {
    "no number": (planted(loss=lambda at, value: None if at >= 200 else value), WatchCode.NOT_A_NUMBER, 200, 0),
    "loss times 3": (planted(loss=lambda at, value: value * 3 if at >= 200 else value), WatchCode.DIVERGING, 200, 12),
    "sorted rows, loss times 3": (
        planted(sorted_rows=True, loss=lambda at, value: value * 3 if at >= 200 else value),
        WatchCode.DIVERGING, 200, 12,
    ),
    "loss 1 % a step up": (
        planted(loss=lambda at, value: value * min(1.01 ** max(at - 200, 0), 4)), WatchCode.DIVERGING, 200, 50,
    ),
    "loss stays, noise 3 %": (planted(noise=0.03, first=2, floor=2, again=0), WatchCode.NOT_LEARNING, 0, 330),
    "no gradient": (planted(norm=lambda at, value: 0.0), WatchCode.NOT_LEARNING, 0, 5),
    "plateau, noise 3 %": (flat_from(400, 0.03), WatchCode.PLATEAU, 80, 170),
    "plateau in five epochs": (flat_from(1000, 0.03, 5), WatchCode.PLATEAU, 200, 430),
    "gradient times 15": (
        planted(norm=lambda at, value: value * 15 if at == 200 else value), WatchCode.GRADIENT_SPIKE, 200, 0,
    ),
    "overfitting": (overfit, WatchCode.OVERFITTING, 120, 80),
    "overfitting, in the end": (overfit, WatchCode.NO_BETTER, 120, 120),
    "known by heart": (planted(loss=lambda at, value: value if at < 150 else 0.01), WatchCode.MEMORISED, 150, 16),
    "memory spilled": (
        planted(slow=lambda at: 20 if at >= 200 else 1, used=lambda at: 0.99), WatchCode.MEMORY_SPILL, 200, 6,
    ),
    "another program": (planted(slow=lambda at: 5 if at >= 200 else 1), WatchCode.SLOWER, 200, 6),
    "heat": (
        planted(slow=lambda at: 1.6 if at >= 200 else 1, heat=lambda at, value: 86 if at >= 200 else 78),
        WatchCode.THROTTLED, 200, 14,
    ),
}  # fmt: skip
