"""What the documents say, as sentences with their source: about a field of the plan, about cards, about data."""

from core.advice import rules_about
from core.i18n import _
from core.wording import sourced_words
from gui.widgets.fold import Fold
from gui.widgets.text import column, label

#: Fields whose rules stand under another topic; the others are topics themselves.
_TOPICS = {"batch": "schedule", "accumulation": "schedule", "warmup": "schedule", "optimizer": "schedule"}


def rule_words(name: str) -> tuple[str, ...]:
    """What the documents say about a field of the plan, empty where they are silent."""
    return topic_words(_TOPICS.get(name, name))


def topic_words(topic: str) -> tuple[str, ...]:
    """What the documents say about a topic of core.advice, a sentence a rule."""
    return tuple(sourced_words(rule) for rule in rules_about(topic))


def rules_fold(title: str, name: str, *topics: str) -> Fold:
    """The rules about some topics, folded away."""
    lines = [label("· " + words, "muted") for topic in topics for words in topic_words(topic)]
    return Fold(title, name, column(*lines, spacing=6))


def guide_words() -> str:
    """What the documents are called."""
    return _("What the guide says")
