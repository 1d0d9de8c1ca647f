"""Whether the packages that SoloTune needs are here, whole, and of the versions that were tested together."""

from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from core.assets import resource
from core.doctor.readings import Packages

NAME = "solotune"


def read_packages(needed: Iterable[str] | None = None, tested: str | None = None) -> Packages:
    """Look at every package in `needed` and at what these need in turn.

    `needed` are requirements ("torch>=2.9"), by default SoloTune's own; `tested` is the text of constraints.txt, by
    default the one beside the source, which an installed package lacks: then versions are only held against the
    requirements.
    """
    versions = dict(_pins(_constraints() if tested is None else tested))
    found = _everything(metadata.requires(NAME) or () if needed is None else needed)
    missing, incomplete, differ, good = [], [], [], 0
    for name, wishes in sorted(found.items()):
        try:
            there = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        wanted = versions.get(name)
        if not _is_whole(there):
            incomplete.append(name)
        elif wanted and _plain(there.version) != _plain(wanted):
            differ.append(f"{name} {there.version} ({wanted})")
        elif unmet := next((wish for wish in wishes if not wish.specifier.contains(there.version, True)), None):
            differ.append(f"{name} {there.version} ({unmet.specifier})")
        else:
            good += 1
    return Packages(good, tuple(missing), tuple(incomplete), tuple(differ))


def _everything(needed: Iterable[str]) -> dict[str, list[Requirement]]:
    """Every package that is needed, by its plain name, with all that is asked of it."""
    found: dict[str, list[Requirement]] = {}
    seen, waiting = set[tuple[str, str]](), [(wish, "") for wish in needed]
    while waiting:
        text, extra = waiting.pop()
        wish = Requirement(text)
        if wish.marker is not None and not wish.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wish.name)
        found.setdefault(name, []).append(wish)
        for asked in ("", *wish.extras):
            if (name, asked) not in seen:
                seen.add((name, asked))
                waiting += [(more, asked) for more in _requires(name)]
    return found


def _requires(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


def _is_whole(package: metadata.Distribution) -> bool:
    """Whether every file that the package lists is there in its full size; what lists none (a system's own) counts."""
    for file in package.files or ():
        # compiled files come and go
        if file.suffix == ".pyc" or not file.size:
            continue
        try:
            size = Path(str(file.locate())).stat().st_size
            # companies add their own certificates to certifi's, and a repair would take them away again
            if size != file.size and not (file.name == "cacert.pem" and size > file.size):
                return False
        except OSError:
            return False
    return True


def _constraints() -> str:
    try:
        return (resource().parent / "constraints.txt").read_text(encoding="utf-8")
    except OSError:
        return ""


def _pins(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, equal, version = line.partition("==")
        if equal:
            yield canonicalize_name(name.strip()), version.split(";")[0].strip()


def _plain(version: str) -> Version:
    """A version without its build ("2.13.0+cu126" is 2.13.0): which build is right is another question."""
    return Version(Version(version).public)
