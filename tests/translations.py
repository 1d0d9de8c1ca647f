"""Keeps resources/locale in step with the sentences in the code.

python tests/translations.py update    extract the sentences, bring the Chinese catalogue up to date, compile it
python tests/translations.py check     say what is missing, uncertain or out of step; exit 1 when anything is
"""

import ast
import io
import re
import string
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "resources" / "locale"
POT = LOCALE / "solotune.pot"
PO = LOCALE / "zh_CN" / "LC_MESSAGES" / "solotune.po"
MO = PO.with_suffix(".mo")

#: launch/ has a table of its own: it speaks before anything is installed.
SOURCES = ("core", "gui")
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2), "NN_": (1, 2)}
#: A date that stands still: the files change only when a sentence does.
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def calls(file: IO[bytes], keywords: Any, _tags: Any, options: Any) -> Iterator[tuple[int, str, tuple, list]]:
    """Find marked sentences for Babel, whose own search on tokens misses those inside f-strings."""
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in keywords:
            values = tuple(arg.value if isinstance(arg, ast.Constant) else None for arg in node.args)
            yield node.lineno, node.func.id, values, []


def empty(locale: str | None = None) -> Catalog:
    """A catalogue with its header and nothing else."""
    return Catalog(
        locale, project="SoloTune", version="1", msgid_bugs_address="", last_translator="SoloTune",
        language_team="SoloTune", creation_date=SINCE, revision_date=SINCE, fuzzy=False,
    )  # fmt: skip


def template() -> Catalog:
    """Every marked sentence of the code."""
    found = empty()
    for path in sorted(path for source in SOURCES for path in (ROOT / source).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        with path.open("rb") as file:
            for line, words, _comments, _context in sorted(extract(calls, file, KEYWORDS), key=lambda hit: hit[0]):
                found.add(words, locations=[(name, line)])
    return found


def chinese() -> Catalog:
    """The translations as they lie on the disk."""
    if not PO.is_file():
        return empty("zh_CN")
    with PO.open("rb") as file:
        return read_po(file, locale="zh_CN")


def update() -> None:
    """Write template, translations and the compiled catalogue anew; what has gone from the code goes."""
    fresh, known = template(), chinese()
    known.update(fresh, no_fuzzy_matching=True)
    known.header_comment = "# The Chinese of SoloTune; `python tests/translations.py update` keeps it in step."
    fresh.header_comment = "# The sentences of SoloTune, made by `python tests/translations.py update`."
    PO.parent.mkdir(parents=True, exist_ok=True)
    POT.write_bytes(as_po(fresh))
    PO.write_bytes(as_po(known))
    MO.write_bytes(as_mo(chinese()))


def as_po(catalogue: Catalog) -> bytes:
    """The text of a .po file, without line numbers: they change with every edit of the code."""
    out = io.BytesIO()
    write_po(out, catalogue, width=120, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
    return out.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """The compiled catalogue."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def problems() -> list[str]:
    """What is wrong, one line each; none when code, template, translations and compiled file agree."""
    known = sentences(chinese())
    wanted = sentences(template())
    found = [f"not in {PO.name}: {key!r}" for key in wanted if key not in known]
    found += [f"not in the code any more: {key!r}" for key in known if key not in wanted]
    found += [f"{fault}: {key!r}" for key, message in known.items() for fault in faults(message)]
    with POT.open("rb") as file:
        if set(sentences(read_po(file))) != set(wanted):
            found.append(f"{POT.name} is out of step")
    with MO.open("rb") as file:
        compiled = {key: said(message) for key, message in sentences(read_mo(file)).items()}
    if compiled != {key: said(message) for key, message in known.items() if said(message)}:
        found.append(f"{MO.name} is out of step")
    return found


def sentences(catalogue: Catalog) -> dict[str | tuple[str, ...], Message]:
    """The messages of a catalogue without its header; those with two forms go by both."""
    found = (message for message in catalogue if message.id)
    return {message.id if isinstance(message.id, str) else tuple(message.id): message for message in found}


def said(message: Message) -> str:
    """The translation; Chinese has one form for all numbers."""
    return message.string if isinstance(message.string, str) else message.string[0]


def faults(message: Message) -> list[str]:
    """What is wrong with one translation."""
    # of two forms the second one names every fact
    english, other = message.id if isinstance(message.id, str) else message.id[1], said(message)
    if not other:
        return ["not translated"]
    checks = {
        "uncertain": message.fuzzy,
        "other placeholders": fields(english) != fields(other),
        "another mnemonic": mnemonics(english) != mnemonics(other),
        "space at an end": english.strip() == english and other.strip() != other,
    }
    return [fault for fault, found in checks.items() if found]


def fields(text: str) -> set[tuple[str | None, ...]]:
    """The placeholders of a sentence, with their formats."""
    return {(name, spec, how) for _text, name, spec, how in string.Formatter().parse(text) if name is not None}


def mnemonics(text: str) -> list[str]:
    """The letters that Alt works with."""
    return [letter.lower() for letter in re.findall(r"&(\w)", text)]


def main(arguments: list[str]) -> int:
    """Run a command; returns the exit status."""
    if arguments not in (["update"], ["check"]):
        print(__doc__)
        return 2
    if arguments == ["update"]:
        update()
    found = problems()
    print("\n".join([*found, f"{len(template())} sentences, {len(found)} problems"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
