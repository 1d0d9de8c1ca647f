"""jinja's sandbox with bounds: a chat template from outside comes to an end, and writes no more than a book.

The sandbox keeps a template from reaching Python's insides, but lets it count to 100,000 inside of counting to 100,000,
and write a letter 10**10 times. Here every step of a loop and every call counts, what would make a text or a list too
long is refused before it is made, and the work of it all has an end. A refusal is a SecurityError, a TemplateError.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from jinja2 import nodes, pass_environment
from jinja2.environment import Template
from jinja2.filters import do_indent, do_join
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from core.data.budget import HOLDER, MOST_LETTERS, Budget, TooMuch, things, weight

#: Letters of a template: the longest that is published has 40,000.
LONGEST_TEMPLATE = 1_000_000
#: Numbers that are given to filters and methods: widths, depths, how many of something.
_MOST_WIDTH = 10_000
#: A format with a width of five figures, or one that is itself an argument.
_WIDE = re.compile(r"%[-+ #0\d.]*(\d{5}|\*)|:[^{}]*\d{5}|\{[^{}]*\{")
#: Filters that make a text out of many, or a longer one out of a short one; by their names alone they are not let in.
_GROWING = frozenset({"replace", "join", "format", "indent", "center", "batch", "slice", "map", "wordwrap"})
_PADDING = frozenset({"ljust", "rjust", "center", "zfill", "expandtabs"})
_NEVER = frozenset({"translate", "maketrans"})


class _BoundedTemplate(Template):
    def new_context(self, *args: Any, **more: Any) -> Context:
        """Every rendering begins with one."""
        environment: Any = self.environment
        environment.budget.begin()
        return super().new_context(*args, **more)


class BoundedSandbox(ImmutableSandboxedEnvironment):
    """An environment for chat templates from outside. One may render in several threads."""

    template_class = _BoundedTemplate
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.budget = Budget()
        self.finalize = self._written
        self.globals.pop("lipsum", None)
        self.filters |= {
            "_counted": self._counted, "_weighed": _weighed, "_small": _small, "_joined": self._joined,
            "_formed": _formed, "_held": self._held, "_replace": _replace, "_glue": _glue, "_indent": _indent,
        }  # fmt: skip

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > LONGEST_TEMPLATE:
            raise TooMuch("the template is too long")
        tree = super()._parse(source, name, filename)
        found: nodes.Template = _Bounding().visit(tree)
        return found

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Refuse what would be too long before it is made."""
        if operator == "%" and isinstance(left, str):
            _formed(left)
            _weighed(right)
        elif operator == "+" and isinstance(left, str | list | tuple):
            _expect(len(left) + (len(right) if hasattr(right, "__len__") else 0))
        elif operator == "*":
            for one, other in ((left, right), (right, left)):
                if isinstance(one, str | list | tuple) and isinstance(other, int):
                    _expect(len(one) * max(other, 0) * (1 if isinstance(one, str) else HOLDER))
            _expect_number(left, right, lambda a, b: a.bit_length() + b.bit_length())
        elif operator == "**":
            _expect_number(left, right, lambda a, b: a.bit_length() * max(b, 0))
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as jinja names it
        """Count the call; padding and gluing have bounds."""
        __self.budget.spend(__self._longest(__obj))
        if __obj is dict:
            __self._held([*args, kwargs])
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str):
            if name in _NEVER:
                raise TooMuch(f"no chat template needs {name}")
            if name in _PADDING:
                _small(*args)
            elif name == "replace" and len(args) > 1:
                _expect(len(owner) + owner.count(str(args[0])) * len(str(args[1])))
            elif name == "join" and args:
                args = (list(args[0]), *args[1:])
                _expect(weight(args[0]) + len(owner) * len(args[0]))
        return super().call(__context, __obj, *args, **kwargs)

    @staticmethod
    def _longest(called: Any) -> int:
        # the text in a macro is written without being asked for
        return 1000 if isinstance(called, Macro) else 0

    def _written(self, value: Any) -> Any:
        self.budget.spend(weight(value))
        return value

    def _counted(self, items: Iterable[Any], letters: int = 0) -> Iterator[Any]:
        for item in items:
            self.budget.spend(letters)
            yield item

    def _held(self, value: Any) -> Any:
        self.budget.spend(steps=things(value))
        return value

    def _joined(self, parts: list[Any]) -> str:
        _weighed(parts)
        return "".join(map(str, parts))


class _Bounding(NodeTransformer):
    """Puts what counts and weighs into a template that was read."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - as jinja names it
        """Steps count, with the fixed text that each of them writes."""
        if node.recursive:
            raise TooMuch("no chat template needs a recursive loop")
        letters = sum(len(text.data) for text in node.find_all(nodes.TemplateData))
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_counted", nodes.Const(letters))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - as jinja names it
        """a ~ b"""
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "_joined")

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802 - as jinja names it
        """What is put together counts with all that it holds."""
        self.generic_visit(node)
        return _filtered(node, "_held")

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802 - as jinja names it
        """As a list."""
        self.generic_visit(node)
        return _filtered(node, "_held")

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802 - as jinja names it
        """As a list; the names that a loop gives are a tuple too."""
        self.generic_visit(node)
        return _filtered(node, "_held") if node.ctx == "load" else node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802 - as jinja names it
        """What goes in is weighed, and numbers are small."""
        if node.name in ("map", "select", "reject", "selectattr", "rejectattr") and node.args:
            first = node.args[0]
            if not isinstance(first, nodes.Const) or first.value in _GROWING:
                raise TooMuch(f"no chat template needs {node.name} with this")
        self.generic_visit(node)
        if node.node is not None:
            node.node = _filtered(node.node, "_formed" if node.name == "format" else "_weighed")
        node.args = [_filtered(one, "_small") for one in node.args]
        for pair in node.kwargs:
            pair.value = _filtered(pair.value, "_small")
        if node.name in ("replace", "join", "indent") and node.node is not None:
            node.name = {"replace": "_replace", "join": "_glue", "indent": "_indent"}[node.name]
        return node

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802 - as jinja names it
        """Widths in a format are small."""
        self.generic_visit(node)
        if node.attr in ("format", "format_map"):
            node.node = _filtered(node.node, "_formed")
        return node


def _filtered(node: Any, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _expect(letters: int) -> None:
    if letters > MOST_LETTERS:
        raise TooMuch("the template writes too much")


def _expect_number(left: Any, right: Any, bits: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and bits(left, right) > _MOST_WIDTH:
        raise TooMuch("the template counts too far")


def _weighed(value: Any) -> Any:
    _expect(weight(value))
    return value


def _small(*values: Any) -> Any:
    for value in values:
        if isinstance(value, int | float) and abs(value) > _MOST_WIDTH:
            raise TooMuch("a width that no chat template needs")
        _expect(weight(value))
    return values[0] if values else None


def _formed(text: Any) -> Any:
    """A text that formats others: without wide fields."""
    if isinstance(text, str) and _WIDE.search(text):
        raise TooMuch("a width that no chat template needs")
    return _weighed(text)


def _replace(text: Any, old: Any, new: Any, count: int = -1) -> str:
    text, old, new = str(text), str(old), str(new)
    _expect(len(text) + text.count(old) * len(new))
    return str(text.replace(old, new, -1 if count is None else count))


@pass_environment
def _glue(environment: Any, parts: Iterable[Any], d: str = "", attribute: Any = None) -> str:
    held = list(parts)
    _expect(weight(held) + len(str(d)) * len(held))
    found: str = do_join(EvalContext(environment), held, d, attribute)
    return found


def _indent(text: Any, width: Any = 4, first: bool = False, blank: bool = False) -> str:
    lines = str(text).count("\n") + 1
    _expect(len(str(text)) + lines * (len(width) if isinstance(width, str) else int(width)))
    return str(do_indent(str(text), width, first, blank))
