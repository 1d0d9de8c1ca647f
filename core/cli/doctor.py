"""The command that looks at the computer: what is ready, what is not, and how to put it right."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.output import Json, ending, follow, result_out
from core.codec import from_plain, to_plain
from core.doctor import Readings
from core.doctor.diagnostics import write_diagnostics
from core.doctor.repair import repair
from core.events import Event, Finished
from core.findings import Diagnosed, Finding, Level, worst
from core.i18n import _
from core.jobs.doctor import DoctorJob
from core.jobs.process import JobProcess
from core.settings import load
from core.wording.doctor import check_words, finding_words
from core.wording.doctor_report import MARKS, closing, report, row


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("doctor", help="Say whether this computer is ready. Exit status 1 when it is not.")(doctor)


def doctor(
    zip_file: Annotated[
        Path | None,
        typer.Option("--zip", metavar="FILE", help="Write what helpers need to this file, without secrets and names."),
    ] = None,
    json: Json = False,
) -> int:
    ascii_only = not _can_say(MARKS, sys.stdout.encoding)

    def hear(event: Event) -> None:
        if isinstance(event, Diagnosed) and not json:
            print(row(event.finding, ascii_only=ascii_only), flush=True)

    last = follow(JobProcess(DoctorJob()), quiet=True, hear=hear)
    if not isinstance(last, Finished):
        return ending(last, as_json=json)
    findings = tuple(from_plain(Finding, each) for each in last.result["findings"])
    line = repair().line
    if zip_file is not None:
        readings = from_plain(Readings, last.result["readings"])
        write_diagnostics(zip_file, findings, readings, load(), report=report(findings, line))
    level = worst(findings)
    if json:
        told = {"level": level, "findings": [_plain(finding) for finding in findings], "repair": line}
        result_out(told | ({"zip": zip_file} if zip_file else {}))
    else:
        print("\n".join(("", *closing(findings, line))))
        if zip_file is not None:
            print(_("Written for helpers: {path}").format(path=zip_file))
    return int(level is Level.TROUBLE)


def _can_say(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _plain(finding: Finding) -> dict[str, Any]:
    words = finding_words(finding)
    return {"name": check_words(finding.check), "title": words.title, "advice": words.advice, **to_plain(finding)}
