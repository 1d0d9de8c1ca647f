"""Every Problem in words: what happened, what it means, what to do, and the button that does it."""

from collections.abc import Mapping
from typing import Any

from core.i18n import _
from core.problems import Problem
from core.wording.details import DETAILS, THINGS
from core.wording.machine import MACHINE
from core.wording.material import MATERIAL
from core.wording.sentences import say, tell
from core.wording.words import Words

_ENTRIES = MACHINE | MATERIAL


def explain(problem: Problem) -> Words:
    """Put a problem into words. A fact that is missing leaves its sentence out; nothing raises."""
    entry = _ENTRIES[problem.code]
    facts = _in_words(problem.facts)
    return Words(say(entry.title, facts), tell(entry.advice, facts), entry.action)


def _in_words(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts with known codes in them turned into words."""
    said = dict(facts)
    for name in ("reason", "found", "text"):
        detail = DETAILS.get(str(facts.get(name)))
        if detail is not None:
            said[name] = tell(detail, facts)
    thing = THINGS.get(str(facts.get("missing")))
    return said | {"missing": _(thing)} if thing else said
