"""Look at the shape of the source: short modules that say what they are for, and imports in their place.

python tests/check_shape.py          one line for everything that is not as it should be; exit status 1 then
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHORT = ("core", "gui", "launch")
SPEAKING = (*SHORT, "tests", "run.py")
LINES = 250
#: Loads gigabytes or takes seconds: only core.engine may, and only in a process of its own.
HEAVY = frozenset({"torch", "transformers", "peft", "bitsandbytes", "datasets", "trl"})
WINDOWS = frozenset({"PySide6", "pyqtgraph", "shiboken6"})

Complaint = tuple[int, str]


def complaints(root: Path) -> Iterator[str]:
    """Yield a line for every violation under `root`."""
    for path in sources(root):
        place = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        for line, what in sorted(of_file(place, text)):
            yield f"{place.as_posix()}:{line}: {what}"


def sources(root: Path) -> Iterator[Path]:
    """Yield every Python file that has a shape to keep."""
    for name in SPEAKING:
        place = root / name
        yield from sorted(place.rglob("*.py")) if place.suffix != ".py" else [place]


def of_file(place: Path, text: str) -> Iterator[Complaint]:
    """Yield what is wrong with one file: its line and a sentence."""
    tree = ast.parse(text)
    package = place.parts[0]
    lines = text.count("\n")
    if package in SHORT and lines > LINES:
        yield lines, f"{lines} lines; a module has at most {LINES}"
    yield from of_docstring(tree)
    if package != "tests" and place.parts[:2] != ("core", "engine"):
        yield from of_imports(tree, HEAVY, "only core.engine may import")
    if package == "core":
        yield from of_imports(tree, WINDOWS, "core knows nothing of windows and does not import")
        yield from of_functions(tree)


def of_docstring(tree: ast.Module) -> Iterator[Complaint]:
    """The module says in one line what it is for."""
    first, *_ = (ast.get_docstring(tree) or "").splitlines() or [""]
    if not first:
        yield 1, "no docstring says what this module is for"
    elif not first.endswith("."):
        yield 1, "the first sentence of the docstring does not end on its first line"


def of_imports(tree: ast.Module, unwanted: frozenset[str], rule: str) -> Iterator[Complaint]:
    """Imports of unwanted packages, also those inside functions."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            if name.partition(".")[0] in unwanted:
                yield node.lineno, f"{rule} {name}"


def of_functions(tree: ast.Module | ast.ClassDef) -> Iterator[Complaint]:
    """Public functions, and methods of public classes, say what they return."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        if isinstance(node, ast.ClassDef):
            yield from of_functions(node)
        elif node.returns is None:
            yield node.lineno, f"{node.name} does not say what it returns"


def main() -> int:
    """Print every complaint; the exit status is 1 when there is one."""
    found = list(complaints(ROOT))
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
