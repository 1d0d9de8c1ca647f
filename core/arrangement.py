"""How files are learned together: their weights, their order, what is mixed in, and a file to check with."""

from dataclasses import dataclass, replace

from core.plan import Mix, TrainingPlan, TrainingStage


@dataclass(frozen=True)
class Arrangement:
    """The part of a plan that is about its files.

    `weights` names the files that an epoch does not see exactly once, with how often it does. `stages`, `mix` and
    `validation` are those of the plan; no stages means that all files are learned together.
    """

    weights: tuple[tuple[str, float], ...] = ()
    stages: tuple[TrainingStage, ...] = ()
    mix: tuple[Mix, ...] = ()
    validation: str = ""

    def weight(self, file: str) -> float:
        """How often an epoch sees the rows of a file."""
        return dict(self.weights).get(file, 1.0)

    def weighing(self, file: str, weight: float) -> "Arrangement":
        """The same with another weight of one file."""
        others = tuple(one for one in self.weights if one[0] != file)
        return replace(self, weights=others if weight == 1.0 else tuple(sorted((*others, (file, weight)))))

    @property
    def beside(self) -> tuple[str, ...]:
        """The files that are read beside the data: mixed in, and to check with."""
        return (*(mix.file for mix in self.mix), *filter(None, (self.validation,)))


def arrangement_of(plan: TrainingPlan) -> Arrangement:
    """Return how a plan arranges its files."""
    weights = zip(plan.data, plan.weights, strict=True) if plan.weights else ()
    weighed = tuple(sorted((file, weight) for file, weight in weights if weight != 1.0))
    return Arrangement(weighed, plan.stages, plan.mix, plan.validation)


def fitting(arrangement: Arrangement, files: tuple[str, ...]) -> Arrangement:
    """Return an arrangement for other files: those that have gone are left out, new ones are a last stage each."""
    kept = ((tuple(name for name in stage.files if name in files), stage) for stage in arrangement.stages)
    stages = tuple(replace(stage, files=names) for names, stage in kept if names)
    if stages:
        known = {name for stage in stages for name in stage.files}
        stages += tuple(TrainingStage((name,)) for name in files if name not in known)
    return Arrangement(
        tuple(one for one in arrangement.weights if one[0] in files),
        stages if len(stages) > 1 else (),
        tuple(mix for mix in arrangement.mix if mix.file not in files),
        "" if arrangement.validation in files else arrangement.validation,
    )


def arranged(plan: TrainingPlan, arrangement: Arrangement) -> TrainingPlan:
    """Return the plan with its files arranged so. Raises ValueError for shares that come to more than 0.9."""
    found = fitting(arrangement, plan.data)
    weights = tuple(found.weight(file) for file in plan.data) if found.weights else ()
    # stages have epochs
    steps = 0 if found.stages else plan.steps
    return replace(plan, weights=weights, stages=found.stages, mix=found.mix, validation=found.validation, steps=steps)


def in_order(files: tuple[str, ...], epochs: float) -> tuple[TrainingStage, ...]:
    """Return a stage for each file: earlier ones once, as the documents have it, the last one `epochs` times."""
    return tuple(TrainingStage((file,), epochs if file == files[-1] else 1.0) for file in files)
