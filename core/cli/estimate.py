"""The command that predicts memory: by arithmetic, or by a dry run of the model's own modules."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.catalog import spec_of
from core.cli.output import Json, ending, follow, not_one_of, result_out, table_out
from core.events import Finished
from core.hub import find_folder
from core.i18n import _
from core.jobs.jobs import DryRunJob
from core.jobs.process import JobProcess
from core.plan import Loss, Method, Optimizer, TrainingPlan
from core.problems import Code, Trouble
from core.recommend import NO_DATA
from core.settings import load, models_root
from core.vram import estimate
from core.wording import gigabytes, part_words


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("estimate", help="Predict the memory of a run, item by item.")(estimate_command)


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
