"""The zip for those who help: findings, versions, settings, and the newest run's plan, events and log, scrubbed.

What is left out: rows, questions and answers, the names of data files, programs of the user, and whatever
core.doctor.scrub takes away. No file is copied as it is: every text in the zip is made here, and looked through once
more before it is written.
"""

import json
import os
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path, PureWindowsPath
from typing import Any

from core.codec import to_plain
from core.doctor.readings import Readings
from core.doctor.runparts import file_names, run_parts, said_texts
from core.doctor.scrub import Scrubber, scrubber_here
from core.doctor.tails import tail, without
from core.files import file_in_place
from core.findings import Finding
from core.runs import RunFolder, list_runs
from core.settings import Settings, cache_folder, models_root, runs_root

#: The most that one text, and all of them, take before they are compressed. Bytes.
MOST_PART = 600_000
MOST = 5_000_000
#: Variables of the environment that change how torch and its friends work.
_TELLING = ("CUDA_", "PYTORCH_", "TORCH", "HF_HUB_", "HF_ENDPOINT", "TRANSFORMERS_", "NCCL_", "OMP_", "MKL_", "QT_",
            "BNB_", "XDG_SESSION_TYPE", "LANG", "LC_ALL", "SOLOTUNE_", "ACCELERATE_")  # fmt: skip
_ABOUT = """What is in here, for whoever helps with SoloTune:
report.txt      what the doctor found, in words
findings.json   the same, with its facts
readings.json   what it read off the computer
versions.json   packages and their versions
settings.json   settings of SoloTune
run/            the newest run: plan, events, end of its log
logs/           ends of the logs of the window and of the set-up
Names of people, computers and data files, e-mail addresses, tokens and passwords were taken out, and so were rows,
questions and answers. Look through it before you send it.
"""


def write_diagnostics(
    target: Path,
    findings: Iterable[Finding],
    readings: Readings,
    settings: Settings,
    *,
    report: str = "",
    run: RunFolder | None = None,
    scrubber: Scrubber | None = None,
) -> tuple[str, ...]:
    """Write the zip and return the names in it. `run` is the run that is told, by default the newest one.

    `report` is the doctor's table in words (core.wording.doctor_report). Takes about a second for every 20 MB of
    rows that the run keeps. Raises OSError.
    """
    run = run or next(iter(list_runs(runs_root(settings))), None)
    clean = scrubber or scrubber_of(settings, run)
    parts = {
        "about.txt": _ABOUT,
        "report.txt": _without_names(report, readings),
        "findings.json": _json(clean.plain(_without_programs(to_plain(list(findings))))),
        "readings.json": _json(clean.plain(_without_programs(to_plain(readings)))),
        "versions.json": _json(clean.plain({"python": sys.version, "packages": _versions(), "set": _set()})),
        "settings.json": _json(clean.plain(to_plain(settings) | {"geometry": ""})),
        **_logs(),
        **{f"run/{name}": text for name, text in (run_parts(run) if run else {}).items()},
    }
    if run:
        logs = {name: text for name, text in parts.items() if name.endswith((".txt", ".jsonl", ".log")) and text}
        parts |= _without_rows(logs, run)
    cleaned = dict(_bounded({name: _checked(text, clean) for name, text in parts.items() if text}))
    with file_in_place(target) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in cleaned.items():
            archive.writestr(name, text.encode("utf-8", "replace"))
    return tuple(cleaned)


def scrubber_of(settings: Settings, run: RunFolder | None) -> Scrubber:
    """The scrubber that knows this user, this computer, these settings and the data files of this run."""
    files = file_names(run) if run else {}
    folders = {str(runs_root(settings)): "<runs>", str(models_root(settings)): "<models>"}
    folders |= {str(PureWindowsPath(name).parent): "<data>" for name in files if len(PureWindowsPath(name).parts) > 3}
    proxy = getattr(settings, "proxy", "")
    return scrubber_here([proxy] if proxy else [], files, folders)


def _without_rows(texts: dict[str, str], run: RunFolder) -> dict[str, str]:
    """The texts without lines that quote the run's data, all compared at once: rows are read one time."""
    # a line of its own, which no row gives away
    mark = "\n\0\n"
    whole = without(mark.join(texts.values()), said_texts(run))
    return dict(zip(texts, whole.split(mark), strict=True))


def _checked(text: str, clean: Scrubber) -> str:
    """The text scrubbed as a whole; one in which something is left all the same is not given away."""
    scrubbed = clean.scrub(text)
    return "<left out: it could not be cleaned>\n" if clean.leaves(scrubbed) else scrubbed


def _bounded(parts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    room = MOST
    for name, text in parts.items():
        kept = text.encode("utf-8", "replace")[-min(MOST_PART, room) :].decode("utf-8", "ignore")
        room -= len(kept.encode("utf-8", "replace"))
        yield name, kept
        if room <= 0:
            return


def _without_programs(value: Any) -> Any:
    """Readings and findings without the names of programs that hold memory of a card."""
    if isinstance(value, dict):
        hidden = {name: "<programs>" for name in ("programs",) if value.get(name)}
        kept = {name: _without_programs(each) for name, each in value.items() if name not in ("uuid", "pid")} | hidden
        # a program on a card, core.programs.GpuProcess
        return kept | {"name": "<program>"} if set(value) == {"pid", "name", "used_bytes"} else kept
    return [_without_programs(each) for each in value] if isinstance(value, list) else value


def _without_names(report: str, readings: Readings) -> str:
    """The doctor's words without the names of programs."""
    cards = readings.cards.cards if readings.cards else ()
    names = {program.name for card in cards for program in card.processes if program.name}
    for name in sorted(names, key=len, reverse=True):
        report = report.replace(name, "<program>")
    return report


def _logs() -> dict[str, str]:
    files = {"logs/window.log": cache_folder() / "window.log", "logs/setup.log": Path(sys.prefix) / "setup.log"}
    return {name: tail(path, MOST_PART // 2) for name, path in files.items()}


def _versions() -> dict[str, str]:
    return dict(sorted((each.metadata["Name"], each.version) for each in metadata.distributions() if each.metadata))


def _set() -> dict[str, str]:
    told = {name: value for name, value in sorted(os.environ.items()) if name.startswith(_TELLING)}
    proxies = {name: "<set>" for name in os.environ if name.lower().endswith("_proxy")}
    return {name: value for name, value in told.items() if "TOKEN" not in name and "KEY" not in name} | proxies


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
