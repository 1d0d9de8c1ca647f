"""The files that a name stands for: the file itself, those in a folder or in an archive, in the order of their names.

A file inside is called "archive.zip/inner.jsonl". Nothing is unpacked under a name that an archive gives, links are
not followed, and hidden files are passed over. What is not read comes as a RowProblem of line 0, or as the Trouble.
"""

import os
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path, PurePosixPath

from core.data.codes import FileReason, RowCode
from core.data.kinds import is_readable, kind_of
from core.data.packed import MOST_FILES, OPENERS, open_zip, opened, whole
from core.data.rows import RowProblem
from core.data.source import Inside, Source, Told
from core.problems import Code, Trouble

#: Archives inside archives inside archives.
_DEEPEST = 3
#: Text packs to about so much of itself; only the bar that shows progress relies on it.
_LIKELY_RATIO = 8
_LITTER = frozenset(("__MACOSX", "Thumbs.db", "desktop.ini"))

Found = Source | RowProblem | Trouble


def bytes_of(name: str) -> int:
    """The bytes on the disk behind a name. Raises Trouble(DATA_MISSING, DATA_UNREADABLE)."""
    if not _is_folder(name):
        return Source(name, lambda _done: None).size
    return sum(found.lstat().st_size for found in _files(name) if isinstance(found, Path) and not found.is_symlink())


def sources(name: str, told: Told) -> Generator[Found]:
    """Yield every file behind a name, a RowProblem for each that is passed over, a Trouble for each that is bad.

    Raises Trouble(DATA_MISSING, DATA_UNREADABLE) for the name itself.
    """
    if not _is_folder(name):
        yield from _unpacked(Source(name, told), told, 1)
        return
    for found in _files(name):
        if isinstance(found, Trouble):
            yield found
        elif found.is_symlink():
            yield RowProblem(str(found), 0, RowCode.FILE_LINK)
        elif not is_readable(found.name):
            yield RowProblem(str(found), 0, RowCode.FILE_UNKNOWN, found.suffix)
        else:
            yield from _guarded(partial(Source, str(found), told), told, 1)


def unusable(name: str, trouble: Trouble) -> RowProblem:
    """A file inside a folder or an archive that cannot be read, as a row that is not used."""
    facts = trouble.problem.facts
    reason = str(facts.get("reason") or facts.get("found") or "")
    if reason == FileReason.LOCKED:
        return RowProblem(name, 0, RowCode.FILE_LOCKED)
    if trouble.problem.code is Code.DATA_EMPTY:
        return RowProblem(name, 0, RowCode.FILE_EMPTY)
    line = facts.get("line")
    return RowProblem(name, line if isinstance(line, int) else 0, RowCode.FILE_UNREADABLE, reason)


def _guarded(found: Callable[[], Source], told: Told, depth: int) -> Iterator[Found]:
    """Yield the files of one that nobody named; its Trouble is one among many."""
    try:
        yield from _unpacked(found(), told, depth)
    except Trouble as trouble:
        yield trouble


def _unpacked(source: Source, told: Told, depth: int) -> Iterator[Found]:
    """Yield a file, or the files that are packed in it."""
    try:
        kind = kind_of(source)
    except PermissionError:
        raise source.unreadable(FileReason.NO_ACCESS) from None
    except OSError as error:
        raise source.of_drive(error) from error
    source.kind = kind
    if kind not in (".zip", *OPENERS):
        yield source
    elif depth > _DEEPEST:
        raise source.unreadable(FileReason.NESTED)
    elif kind == ".zip":
        yield from _members(source, told, depth)
    else:
        inside = Inside(partial(opened, source, kind), source.size * _LIKELY_RATIO, source.share)
        yield from _unpacked(Source(source.name, told, inside, unpacked=True), told, depth + 1)


def _members(source: Source, told: Told, depth: int) -> Iterator[Found]:
    with closing(source.seekable()) as stream, closing(open_zip(source, stream)) as archive:
        members = sorted((_name(member), number, member) for number, member in enumerate(archive.infolist()))
        left = Counter(name for name, _number, _member in members)
        for name, _number, member in members:
            left[name] -= 1
            if name.endswith("/") or _is_hidden(name):
                continue
            full = f"{source.name}/{name}"
            if left[name]:
                yield RowProblem(full, 0, RowCode.FILE_DOUBLE_NAME)
            elif (code := _passed_over(name, member)) is not None:
                yield RowProblem(full, 0, code, PurePosixPath(name).suffix if code is RowCode.FILE_UNKNOWN else "")
            elif member.flag_bits & 1:
                yield Trouble(Code.DATA_UNREADABLE, path=full, reason=str(FileReason.LOCKED))
            else:
                inside = Inside(
                    partial(whole, source, full, partial(archive.open, member)), member.file_size, member.compress_size
                )
                yield from _guarded(partial(Source, full, told, inside), told, depth + 1)


def _passed_over(name: str, member: zipfile.ZipInfo) -> RowCode | None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return RowCode.FILE_UNSAFE_NAME
    if stat.S_ISLNK(member.external_attr >> 16):
        return RowCode.FILE_LINK
    return None if is_readable(name) else RowCode.FILE_UNKNOWN


def _name(member: zipfile.ZipInfo) -> str:
    """The name of a file in an archive; old programs write it in the letters of their country."""
    name = member.filename
    if not member.flag_bits & 0x800:
        raw = name.encode("cp437", "replace")
        for encoding in ("utf-8", "gb18030"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/") or "?"


def _files(name: str) -> Iterator[Path | Trouble]:
    """Yield the files below a folder that are not hidden, in the order of their names."""
    waiting = [Path(name)]
    count = 0
    while waiting:
        path = waiting.pop()
        count += 1
        if count > MOST_FILES:
            raise Trouble(Code.DATA_UNREADABLE, path=name, reason=str(FileReason.MANY_FILES), most=MOST_FILES)
        if (path.is_symlink() and path != Path(name)) or not path.is_dir():
            yield path
            continue
        try:
            inside = [entry.name for entry in os.scandir(path) if not _is_hidden(entry.name)]
        except OSError:
            yield Trouble(Code.DATA_UNREADABLE, path=str(path), reason=str(FileReason.NO_ACCESS))
            continue
        waiting.extend(path / found for found in sorted(inside, reverse=True))


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any((part.startswith(".") and part != "..") or part in _LITTER for part in parts)
