"""Commands that only look: cards, recommendation, estimate, data report, plan, past runs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core import gpu
from core.catalog import spec_of
from core.cli.output import Json, ending, follow, not_one_of, result_out, table_out
from core.codec import to_plain
from core.data.inspect import inspect_files
from core.data.rows import DataReport
from core.events import Finished
from core.hub import find_folder, local_folder
from core.hub.folder import check_model_folder
from core.i18n import _
from core.jobs.jobs import DryRunJob
from core.jobs.process import JobProcess
from core.plan import Loss, Method, Optimizer, TrainingPlan
from core.planning import make_plan
from core.problems import Code, Trouble
from core.recommend import NO_DATA, Recommendation, practice, recommend
from core.runs import RunFolder, list_runs
from core.settings import load, models_root, runs_root
from core.vram import estimate
from core.wording import (
    count,
    gigabytes,
    method_words,
    part_words,
    reason_words,
    row_problem_words,
    shape_words,
    sourced_words,
    state_words,
)

GB = 1_000_000_000


def _known_goal(goal: str) -> str:
    if goal not in ("simple", "medium", "complex"):
        raise not_one_of("simple", "medium", "complex")
    return goal


Goal = Annotated[str, typer.Option(help="simple, medium or complex", callback=_known_goal)]


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("gpus", help="Show cards, their memory and who uses it.")(gpus)
    app.command("recommend", help="Recommend a method and a model for a card.")(recommend_command)
    app.command("estimate", help="Predict the memory of a run, item by item.")(estimate_command)
    app.command("check", help="Report on data files.")(check)
    app.command("plan", help="Write a complete plan with recommended values.")(plan_command)
    app.command("runs", help="List past runs.")(runs)


def gpus(json: Json = False) -> None:
    found = gpu.cards()
    if json:
        cards = [to_plain(card) | {"capability": "{}.{}".format(*card.capability)} for card in found]
        return result_out({"gpus": cards})
    for card in found:
        print(
            _("{name}: {free} of {total} free, driver {driver}").format(
                name=card.name,
                free=gigabytes(card.free_bytes),
                total=gigabytes(card.total_bytes),
                driver=card.driver,
            )
        )
        for user in card.processes:
            print(f"  {user.name} ({user.pid}): {'?' if user.used_bytes is None else gigabytes(user.used_bytes)}")
    return None


def recommend_command(
    vram: Annotated[float | None, typer.Option(min=0.1, max=10_000, help="Total memory of a card in GB.")] = None,
    free: Annotated[float | None, typer.Option(min=0, max=10_000, help="Free memory in GB; all when left out.")] = None,
    goal: Goal = "medium",
    json: Json = False,
) -> None:
    advice = _advice(vram, free, goal)
    if json:
        return result_out(_as_plain(advice) | {"alternatives": [_as_plain(a) for a in advice.alternatives]})
    print(f"{advice.model.title} · {method_words(advice.method)} · {gigabytes(advice.estimate.total_bytes)}")
    for reason in advice.reasons:
        print(f"  {sourced_words(reason)}")
    for other in advice.alternatives:
        print(f"{_('or')} {other.model.title} · {method_words(other.method)} · {gigabytes(other.estimate.total_bytes)}")
    return None


def estimate_command(
    model: Annotated[str, typer.Option(help="Catalogue id, model folder or config.json.")],
    method: Method = Method.QLORA,
    rank: int = 16,
    targets: str = "recommended",
    tokens: int = 1024,
    batch: int = 1,
    checkpointing: Annotated[str, typer.Option(help="none, full or n")] = "none",
    optimizer: Optimizer = Optimizer.ADAMW,
    loss: Loss = Loss.CHUNKED,
    adapter_dtype: Annotated[str, typer.Option(help="fp32 or bf16")] = "fp32",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Run the model's own modules, without numbers.")] = False,
    json: Json = False,
) -> int | None:
    if adapter_dtype not in ("fp32", "bf16"):
        raise not_one_of("fp32", "bf16", hint="--adapter-dtype")
    plan = _checked_plan(
        model=model, data=NO_DATA, method=method, rank=rank, targets=targets, tokens=tokens, batch=batch,
        checkpointing=checkpointing, optimizer=optimizer, loss=loss,
    )  # fmt: skip
    adapter_bytes = 4 if adapter_dtype == "fp32" else 2
    if dry_run:
        last = follow(JobProcess(DryRunJob(plan, str(_config_of(model)), adapter_bytes)), quiet=json)
        if not isinstance(last, Finished):
            return ending(last, as_json=json)
        _estimate_out(last.result, json)
        return None
    found = estimate(spec_of(model).architecture, plan, adapter_bytes=adapter_bytes)
    if not found.items()["adapter"]:
        raise Trouble(Code.PLAN_INVALID, reason=f"targets: none of {targets} exists in this model")
    _estimate_out({"total_bytes": found.total_bytes, "items": found.items(), "source": "arithmetic"}, json)
    return None


def check(files: list[Path], json: Json = False) -> None:
    report = inspect_files(tuple(str(f) for f in files))
    if json:
        return result_out(to_plain(report) | {"private": None, "tokens": None})
    print(
        _("{rows} rows, {usable} usable, {rejected} not used, {duplicates} duplicates, shape: {shape}").format(
            rows=count(report.rows),
            usable=count(report.usable),
            rejected=count(report.rejected),
            duplicates=count(report.duplicates),
            shape=shape_words(report.shape),
        )
    )
    for problem in report.problems[:20]:
        print(f"  {Path(problem.file).name}:{problem.line}  {row_problem_words(problem)}")
    return None


def plan_command(
    files: list[Path],
    model: Annotated[str, typer.Option(help="Catalogue id or model folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the plan.")],
    method: Annotated[Method | None, typer.Option(help="Take this method instead of the recommended one.")] = None,
    goal: Goal = "medium",
    json: Json = False,
) -> None:
    report = inspect_files(tuple(str(f.absolute()) for f in files))
    plan = plan_of(model, report, method, goal)
    output.absolute().parent.mkdir(parents=True, exist_ok=True)
    plan.save(output)
    if json:
        return result_out(plan)
    print(output)
    return None


def plan_of(model: str, report: DataReport, method: Method | None = None, goal: str = "medium") -> TrainingPlan:
    """A recommended plan for this computer's first card, or for its processor. Raises Trouble for a bad folder."""
    spec = spec_of(model)
    if spec.source == "folder":
        # a catalogue model can still be fetched; a folder is whole and safe now or it is of no use
        check_model_folder(Path(spec.id))
    folder = local_folder(spec, models_root(load()))
    return make_plan(spec, folder, report, first_card(), method, goal)


def first_card() -> gpu.Card | None:
    """The first card, None on a computer without one; a broken driver is no reason not to plan."""
    try:
        return gpu.cards()[0]
    except Trouble:
        return None


def runs(json: Json = False) -> None:
    found = [_run_row(run) for run in list_runs(runs_root(load()))]
    if json:
        return result_out({"runs": found})
    for row in found:
        print(f"{row['name']}  {row['words']}  {row['path']}")
    return None


def _run_row(run: RunFolder) -> dict[str, Any]:
    history = run.history()
    state = run.state(history)
    return {
        "name": run.name, "path": str(run.path), "state": state.value, "words": state_words(state),
        "step": history.step, "total_steps": history.total_steps,
        "first_loss": history.first_loss, "last_loss": history.last_loss,
        "adapter": run.has_adapter(), "checkpoint_step": run.checkpoint_step(),
    }  # fmt: skip


def _advice(vram: float | None, free: float | None, goal: str) -> Recommendation:
    if vram is not None:
        total = int(vram * GB)
        return recommend(total, total if free is None else int(free * GB), goal)
    card = first_card()
    return practice(goal) if card is None else recommend(card.total_bytes, card.free_bytes, goal)


def _as_plain(advice: Recommendation) -> dict[str, Any]:
    return {
        "tier": advice.tier, "model": advice.model.id, "parameters": advice.model.parameters,
        "method": advice.method, "estimate_bytes": advice.estimate.total_bytes, "fits": advice.fits,
        "plan": to_plain(advice.plan),
        "reasons": [to_plain(r) | {"text": reason_words(r)} for r in advice.reasons],
    }  # fmt: skip


def _config_of(model: str) -> Path:
    """The config.json of a model; of a folder nothing else needs to be there."""
    spec = spec_of(model)
    named = Path(model).expanduser()
    if spec.source == "folder":
        return named if named.is_file() else Path(spec.id) / "config.json"
    return find_folder(model, models_root(load())) / "config.json"


def _estimate_out(found: dict[str, Any], json: bool) -> None:
    if json:
        return result_out(found)
    parts = {part_words(name): gigabytes(size) for name, size in found["items"].items()}
    table_out(parts | {_("Total"): gigabytes(found["total_bytes"])})
    return None


def _checked_plan(**values: Any) -> TrainingPlan:
    try:
        return TrainingPlan(**values)
    except ValueError as error:
        raise Trouble(Code.PLAN_INVALID, reason=str(error)) from error
