"""Commands about base models on this computer: fetch one, list them, take one off the disk."""

from typing import Annotated

import typer

from core.cli.output import Json, ending, follow, not_one_of, result_out, table_out
from core.codec import to_plain
from core.events import Finished
from core.hub import remove
from core.hub.places import is_id
from core.hub.shelf import shelf
from core.i18n import _
from core.jobs.jobs import FetchJob
from core.jobs.models import ListJob, ReachJob
from core.jobs.process import JobProcess
from core.problems import Problem
from core.settings import SOURCES, load, models_root
from core.wording import explain, gigabytes

Source = Annotated[
    str, typer.Option(metavar="SOURCE", help="Fetch from auto, huggingface, mirror or modelscope, not as set.")
]


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("fetch", help="Bring a model onto this computer.")(fetch)
    app.command("models", help="Show the models on this computer.")(models)
    app.command("remove", help="Take a downloaded model off the disk.")(take_off)
    app.command("sources", help="Show how fast each source of models answers.")(sources)


def fetch(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Catalogue id or owner/name.")],
    source: Source = "",
    look: Annotated[bool, typer.Option("--list", help="Only show what would be fetched.")] = False,
    json: Json = False,
) -> int:
    if source and source not in SOURCES:
        raise not_one_of(*SOURCES, hint="--source")
    if not is_id(model):
        from core.catalog import spec_of

        # what is no id at all is said now
        spec_of(model)
    last = follow(JobProcess(ListJob(model, source=source) if look else FetchJob(model, source=source)))
    if not isinstance(last, Finished):
        return ending(last, as_json=json)
    if json:
        result_out({"kind": "finished", **last.result})
    elif look:
        found = last.result["listing"]
        table_out({file["path"]: gigabytes(file["bytes"]) for file in found["files"]})
        table_out({_("Together"): gigabytes(last.result["bytes"])})
    else:
        print(last.result["folder"])
    return 0


def models(json: Json = False) -> int:
    found = shelf(models_root(load()))
    if json:
        result_out({"models": [to_plain(one) for one in found]})
    else:
        table_out({f"{one.model}  {one.folder}": gigabytes(one.bytes) for one in found})
    return 0


def take_off(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model as `models` shows it.")], json: Json = False
) -> int:
    freed = remove(model, models_root(load()))
    if json:
        result_out({"freed_bytes": freed})
    else:
        print(_("{size} are free again.").format(size=gigabytes(freed)))
    return 0


def sources(json: Json = False) -> int:
    last = follow(JobProcess(ReachJob()), quiet=True)
    if not isinstance(last, Finished):
        return ending(last, as_json=json)
    if json:
        result_out(last.result)
        return 0
    for one in last.result["reach"]:
        took = one["milliseconds"]
        said = f"{took:.0f} ms" if took is not None else explain(_problem(one["problem"])).title
        print(f"{one['name']:<12} {one['address']:<28} {said}")
    return 0


def _problem(plain: dict[str, object]) -> Problem:
    from core.codec import from_plain

    return from_plain(Problem, plain)
