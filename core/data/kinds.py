"""What kind of file it is: by its first bytes, which cannot lie as a name can, then by its name."""

import zipfile
from contextlib import closing
from pathlib import PurePath

from core.data.codes import FileReason
from core.data.packed import FAULTS, OPENERS, open_zip
from core.data.source import Source

_MAGIC = (
    (b"PK\3\4", ".zip"),
    (b"PK\5\6", ".zip"),
    (b"%PDF-", ".pdf"),
    (b"PAR1", ".parquet"),
    (b"ARROW1", ".arrow"),
    (b"FEA1", ".arrow"),
    (b"\x1f\x8b\x08", ".gz"),
    (b"BZh", ".bz2"),
    (b"\xfd7zXZ\0", ".xz"),
    (b"\xd0\xcf\x11\xe0", ".ole"),
)
#: Which of its files makes an archive a document.
_OFFICE = (("word/document.xml", ".docx"), ("xl/workbook.xml", ".xlsx"), ("content.xml", ".ods"))
#: Files of these names begin with a mark of their kind, unless they are damaged or named wrongly.
_MARKED = frozenset((".zip", ".pdf", ".parquet", ".xlsx", ".xlsm", ".docx", ".ods", *OPENERS))
_DIRECTORY = 4_000_000
#: Programs save tables as text or as a web page and call them .xls.
SAVED_AS_XLS = "text.xls"

_TEXTS = frozenset((
    ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".tab", ".txt", ".text", ".md", ".markdown", ".html", ".htm",
))  # fmt: skip
READABLE = _TEXTS | _MARKED | {".xls", ".arrow", ".feather", ".ipc"}


def is_readable(name: str) -> bool:
    """Whether files of such a name are read where nobody named them one by one: in folders and archives."""
    return PurePath(name).suffix.lower() in READABLE


def inner_name(name: str) -> str:
    """The name of what is packed in a file: "rows.jsonl" for "rows.jsonl.gz"."""
    path = PurePath(name)
    return path.stem if path.suffix.lower() in OPENERS else path.name


def kind_of(source: Source) -> str:
    """The ending that says how a file is read; "" when neither bytes nor name say. Raises Trouble, OSError."""
    with source.open() as file:
        head = file.read(8)
    suffix = PurePath(inner_name(source.name) if source.is_unpacked else source.name).suffix.lower()
    found = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
    if found == ".zip":
        return _kind_of_zip(source)
    if found == ".ole":
        return _kind_of_ole(source, suffix)
    if found or not head:
        return found or suffix
    if suffix in _MARKED:
        raise source.unreadable(FileReason.DAMAGED)
    return SAVED_AS_XLS if suffix == ".xls" else suffix


def _kind_of_zip(source: Source) -> str:
    with closing(source.seekable()) as stream, closing(open_zip(source, stream)) as archive:
        names = set(archive.namelist())
        kind = next((kind for name, kind in _OFFICE if name in names), ".zip")
        if kind == ".ods" and not _says(archive, "mimetype", b"spreadsheet"):
            raise source.unreadable(FileReason.NOT_SUPPORTED, suffix=PurePath(source.name).suffix.lower())
        return kind


def _says(archive: zipfile.ZipFile, name: str, word: bytes) -> bool:
    try:
        with archive.open(name) as file:
            return word in file.read(200)
    except (KeyError, OSError, *FAULTS):
        return False


def _kind_of_ole(source: Source, suffix: str) -> str:
    """Old documents of Office, and new ones that a password locks, share one container."""
    with source.open() as file:
        data = file.read(_DIRECTORY)
        while more := file.read(_DIRECTORY):
            # the list of what is inside stands anywhere in the file
            if _named(data + more):
                break
            data = more
        else:
            more = b""
    inside = _named(data + more)
    if inside == ".locked":
        raise source.unreadable(FileReason.LOCKED)
    if not inside and suffix == ".xls":
        raise source.unreadable(FileReason.DAMAGED)
    if inside != ".xls":
        raise source.unreadable(FileReason.NOT_SUPPORTED, suffix=suffix or ".doc")
    return inside


def _named(data: bytes) -> str:
    for name, kind in (("EncryptedPackage", ".locked"), ("Workbook", ".xls"), ("Book", ".xls")):
        if name.encode("utf-16-le") + b"\0\0" in data:
            return kind
    return ""
