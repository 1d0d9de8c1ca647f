"""Finds packages that an interrupted pip left half-installed, so that pip installs them again."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path


def forget_broken(packages: Path) -> list[str]:
    """Remove pip's notes about every incomplete package in a site-packages folder; return their names."""
    for leftover in packages.glob("~*"):
        _remove(leftover)
    broken = [info for info in packages.glob("*.dist-info") if not is_complete(info)]
    for info in broken:
        _remove(info)
    return sorted(info.name for info in broken)


def is_complete(info: Path) -> bool:
    """Return whether every file that a package lists is there in its full size."""
    # pip writes RECORD last, and counts a package as installed without it all the same.
    try:
        with (info / "RECORD").open(newline="", encoding="utf-8") as lines:
            return all(_is_whole(info.parent, row) for row in csv.reader(lines) if row)
    except (OSError, ValueError, csv.Error):
        return False


def _is_whole(packages: Path, row: list[str]) -> bool:
    size = row[2] if len(row) > 2 else ""
    # Python writes compiled files anew, also those that a package brings along (PySide6 does).
    if not size or "__pycache__/" in row[0]:
        return True
    try:
        return (packages / row[0]).stat().st_size == int(size)
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
