"""The names of the target presets."""

from core.i18n import _


def target_words(targets: str) -> str:
    """What a preset of target modules is called; a list of modules is its own name."""
    return {
        "minimal": _("Minimal"), "standard": _("Standard"), "recommended": _("Attention"), "full": _("All"),
    }.get(targets, targets)  # fmt: skip
