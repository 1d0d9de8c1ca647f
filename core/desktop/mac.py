"""A shortcut on macOS: a small application bundle in this person's own Applications folder."""

import plistlib
import shlex
import shutil
from pathlib import Path

from core.assets import resource
from core.desktop.program import Program
from core.files import folder_in_place

BUNDLE = "SoloTune.app"
IDENTIFIER = "solotune.desktop"
#: What kinds of files may be dropped on the icon, in Apple's names.
KINDS = ("public.json", "public.comma-separated-values-text", "public.tab-separated-values-text", "public.text",
         "org.openxmlformats.spreadsheetml.sheet", "public.data", "public.folder")  # fmt: skip


def place(program: Program) -> list[Path]:
    """Write the bundle; returns its folder. Raises OSError."""
    bundle = places()[0]
    with folder_in_place(bundle) as beside:
        write(beside, program)
    return [bundle]


def places() -> list[Path]:
    """Every file that a shortcut may consist of."""
    return [Path.home() / "Applications" / BUNDLE]


def write(bundle: Path, program: Program) -> None:
    """Write the parts of a bundle into an empty folder. Raises OSError."""
    contents = bundle / "Contents"
    for name in ("MacOS", "Resources"):
        (contents / name).mkdir(parents=True)
    (contents / "Info.plist").write_bytes(plistlib.dumps(facts()))
    starter = contents / "MacOS" / "SoloTune"
    starter.write_text(starter_of(program), encoding="utf-8")
    starter.chmod(0o755)
    shutil.copyfile(resource("icons", "app", "solotune.icns"), contents / "Resources" / "solotune.icns")


def starter_of(program: Program) -> str:
    """The shell script in the bundle. exec keeps the process, which the Dock has given its icon."""
    return f'#!/bin/sh\nexec {shlex.join(program.command)} "$@"\n'


def facts() -> dict[str, object]:
    """What Info.plist says."""
    return {
        "CFBundleName": "SoloTune",
        "CFBundleDisplayName": "SoloTune",
        "CFBundleIdentifier": IDENTIFIER,
        "CFBundleExecutable": "SoloTune",
        "CFBundleIconFile": "solotune",
        "CFBundlePackageType": "APPL",
        "NSHighResolutionCapable": True,
        "CFBundleLocalizations": ["en", "zh_CN"],
        "CFBundleDocumentTypes": [
            # never the program that opens these on a double-click: only one that can
            {"CFBundleTypeRole": "Viewer", "LSHandlerRank": "Alternate", "LSItemContentTypes": list(KINDS)}
        ],
    }
