"""The command that predicts memory: by arithmetic, or by a dry run of the model's own modules."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from core.catalog import config_of, spec_of
from core.choices import Bias
from core.cli.cards import first_card
from core.cli.choices import BiasChoice, Dora, ShallowRank
from core.cli.output import Json, ending, follow, not_one_of, result_out, table_out
from core.events import Finished
from core.fit import UNFITTED, Constants, constants_of
from core.gpu import Card
from core.i18n import _
from core.jobs.jobs import DryRunJob
from core.jobs.process import JobProcess
from core.modelconfig import read_config
from core.plan import TARGETS, Loss, Method, Optimizer, TrainingPlan
from core.problems import Code, Trouble
from core.recommend import NO_DATA
from core.settings import measured_file
from core.vram import estimate
from core.wording import about, gigabytes, part_words


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("estimate", help="Predict the memory of a run, item by item.")(estimate_command)


def estimate_command(
    model: Annotated[str, typer.Option(metavar="MODEL", help="Catalogue id, model folder or config.json.")],
    method: Annotated[Method, typer.Option(help="The base in 16, 8 or 4 bits.")] = Method.QLORA,
    rank: Annotated[int, typer.Option(help="How much the adapter can learn.")] = 16,
    targets: Annotated[
        str, typer.Option(metavar="NAMES", help=f"What gets an adapter: {', '.join(TARGETS)}, or names of modules.")
    ] = "recommended",
    tokens: Annotated[int, typer.Option(help="Longest row.")] = 1024,
    batch: Annotated[int, typer.Option(help="Rows at a time.")] = 1,
    checkpointing: Annotated[
        str, typer.Option(metavar="none|full|N", help="Recompute no layer, every layer, or every N-th.")
    ] = "none",
    optimizer: Annotated[Optimizer, typer.Option(help="8 bits keep its averages in a quarter.")] = Optimizer.ADAMW,
    loss: Annotated[Loss, typer.Option(help="Compute the loss in one piece, or piece by piece.")] = Loss.CHUNKED,
    dropout: Annotated[float, typer.Option(help="0 saves memory and time.")] = 0.05,
    dora: Dora = False,
    shallow_rank: ShallowRank = 0,
    bias: BiasChoice = Bias.NONE,
    adapter_dtype: Annotated[
        str, typer.Option(metavar="fp32|bf16", help="How the numbers that learn are kept.")
    ] = "fp32",
    packed: Annotated[
        bool, typer.Option("--packed/--no-packed", help="Rows of data share sequences, without padding.")
    ] = TrainingPlan.packing,
    shared: Annotated[int, typer.Option(min=1, help="Processes that share out a 16-bit base (FSDP).")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Run the model's own modules, without numbers.")] = False,
    json: Json = False,
) -> int | None:
    if adapter_dtype not in ("fp32", "bf16"):
        raise not_one_of("fp32", "bf16", hint="--adapter-dtype")
    plan = _checked_plan(
        model=model, data=NO_DATA, method=method, rank=rank, targets=targets, tokens=tokens, batch=batch,
        checkpointing=checkpointing, optimizer=optimizer, loss=loss, dropout=dropout, packing=packed,
        dora=dora, shallow_rank=shallow_rank, bias=bias,
    )  # fmt: skip
    adapter_bytes = 4 if adapter_dtype == "fp32" else 2
    architecture, constants = spec_of(model).architecture, learned(first_card())
    if shared > 1 and (dry_run or not architecture.known):
        raise typer.BadParameter(_("--shared needs arithmetic that knows the model's layers, and no dry run"))
    if shared > 1 and method is not Method.LORA:
        raise Trouble(Code.SHARED_BITS, held=method.value)
    if not (architecture.known or dry_run):
        print(_("Arithmetic does not know all layers of this model: its own modules are run dry."), file=sys.stderr)
    if dry_run or not architecture.known:
        job = DryRunJob(plan, _facts_of(model), adapter_bytes, constants=constants)
        last = follow(JobProcess(job), quiet=json)
        if not isinstance(last, Finished):
            return ending(last, as_json=json)
        _estimate_out(last.result, constants, json)
        return None
    found = estimate(architecture, plan, adapter_bytes=adapter_bytes, constants=constants, shared=shared)
    if not found.items()["adapter"]:
        raise Trouble(Code.PLAN_INVALID, reason=f"targets: none of {targets} exists in this model")
    told = {"total_bytes": found.total_bytes, "items": found.items(), "source": "arithmetic"}
    _estimate_out(told, constants, json)
    return None


def _facts_of(model: str) -> dict[str, Any]:
    """The facts of a model's config.json; nothing else of the model needs to be on this computer."""
    named = Path(model).expanduser()
    if named.is_file():
        return read_config(named)
    return config_of(spec_of(model))


def learned(card: Card | None) -> Constants:
    """The constants of a card from the runs that were measured on it."""
    return constants_of(card.name, measured_file()) if card else UNFITTED


def _estimate_out(found: dict[str, Any], constants: Constants, json: bool) -> None:
    band = constants.band_bytes(found["total_bytes"])
    if json:
        return result_out(found | {"band_bytes": band, "measured_runs": constants.samples})
    parts = {part_words(name): gigabytes(size) for name, size in found["items"].items()}
    table_out(parts | {_("Total"): about(found["total_bytes"], band)})
    return None


def _checked_plan(**values: Any) -> TrainingPlan:
    try:
        return TrainingPlan(**values)
    except ValueError as error:
        raise Trouble(Code.PLAN_INVALID, reason=str(error)) from error
