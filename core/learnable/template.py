"""What a model folder's chat template does to answers, for the checks before a run."""

from dataclasses import dataclass
from pathlib import Path

#: A word that no template writes of itself.
_ANSWER = "Zyxwq"


@dataclass(frozen=True)
class TemplateFacts:
    """Whether the model brings no template (`fallback`), and whether the template writes an end after an answer."""

    fallback: bool = False
    ends: bool = True


def template_facts(folder: Path) -> TemplateFacts | None:
    """Read the template in a model folder; None when it is of no use, which loading the model will say better."""
    from jinja2 import TemplateError

    from core.data.template import ChatTemplate

    try:
        template = ChatTemplate(folder)
        talk = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _ANSWER}]
        before, found, behind = template.render(talk).rpartition(_ANSWER)
    except (OSError, ValueError, TypeError, ArithmeticError, LookupError, RecursionError, TemplateError):
        return None
    return TemplateFacts(template.fallback, bool(behind.strip())) if before and found else None
