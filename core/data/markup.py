"""XML of untrusted documents as a stream of events: no definitions, no other files, no tree in memory."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from core.data.codes import FileReason
from core.data.packed import FAULTS, open_zip
from core.data.source import Source
from core.problems import Code, Trouble

_TICK = 2_000


def events(source: Source, name: str) -> Iterator[tuple[bool, Element]]:
    """Yield (True, element) where an element begins and (False, element) where it ends, of a file in a document.

    At its end an element has its text and attributes but no children any more. Nothing comes where there is no file
    of that name. Raises Trouble(DATA_UNREADABLE, PACKAGE_MISSING).
    """
    with closing(source.seekable()) as stream, closing(open_zip(source, stream)) as archive:
        try:
            with archive.open(name) as file:
                yield from _events(source, file)
        except KeyError:
            return
        except FAULTS:
            raise source.unreadable(FileReason.DAMAGED) from None


def _events(source: Source, file: Any) -> Iterator[tuple[bool, Element]]:
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import iterparse
    except ModuleNotFoundError:
        raise Trouble(Code.PACKAGE_MISSING, package="defusedxml") from None
    above: list[Element] = []
    count = 0
    try:
        for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            count += 1
            if count % _TICK == 0:
                source.told(0)
            if event == "start":
                above.append(element)
                yield True, element
                continue
            above.pop()
            yield False, element
            if above:
                above[-1].remove(element)
    except DefusedXmlException:
        raise source.unreadable(FileReason.ENTITIES) from None
    except ParseError as error:
        raise source.unreadable(FileReason.DAMAGED, line=error.position[0]) from None


def local(element: Element) -> str:
    """The name of an element without the address of its vocabulary."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: Element, name: str) -> str:
    """An attribute by its name without the address of its vocabulary, "" where there is none."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")
