"""Words of the doctor: what each check is called, and every finding with what it means and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.i18n import N_, _
from core.wording.doctor_card import CARD
from core.wording.doctor_computer import COMPUTER
from core.wording.numbers import duration
from core.wording.sentences import Sentence, say, tell

if TYPE_CHECKING:
    from core.findings import Check, Finding, Fix, Level

# The keys are the enums' values: importing the words must stay cheap.
_FOUND: dict[str, tuple[Sentence, ...]] = CARD | COMPUTER

#: What each row of the table is called, by Check.
CHECKS = {
    "python": N_("Python"),
    "packages": N_("Packages"),
    "wsl": N_("Windows (WSL)"),
    "card": N_("Card and driver"),
    "card_room": N_("Memory of the card"),
    "torch": N_("PyTorch"),
    "product": N_("16-bit arithmetic"),
    "four_bit": N_("4-bit weights"),
    "eight_bit": N_("8-bit weights"),
    "optimizer": N_("Optimizers"),
    "triton": N_("Triton"),
    "disk": N_("Disk space"),
    "folders": N_("Folders"),
    "memory": N_("Main memory"),
    "swap": N_("Page file and swap"),
    "power": N_("Power"),
    "network": N_("Model sources"),
    "clock": N_("Clock"),
    "keyring": N_("Keyring"),
    "screen": N_("Window"),
}
_LEVELS = {
    "good": N_("Good"),
    "note": N_("Good to know"),
    "caution": N_("Caution"),
    "trouble": N_("Trouble"),
}
_FIXES = {
    "repair": N_("Repair"),
    "open_folder": N_("Show the folder"),
    "get_driver": N_("Get the driver"),
    "free_memory": N_("Free memory"),
    "settings": N_("Open the settings"),
}
_PLACES = {
    "settings": N_("settings"),
    "runs": N_("runs"),
    "models": N_("models"),
    "temporary": N_("temporary files"),
}
_FORMATS = {"bfloat16": "bf16", "float16": "fp16"}
_SOURCES = {"huggingface": "Hugging Face", "modelscope": "ModelScope", "mirror": N_("the mirror")}


@dataclass(frozen=True)
class FindingWords:
    """A finding as a person reads it; `advice` is empty where there is nothing to do, `button` where no fix is."""

    title: str
    advice: str = ""
    button: str = ""


def finding_words(finding: "Finding") -> FindingWords:
    """Put a finding into words. A fact that is missing leaves its sentence out; nothing raises."""
    title, *advice = _FOUND[finding.code]
    facts = _in_words(finding.facts)
    button = fix_label(finding.fix) if finding.fix else ""
    return FindingWords(say(title, facts), tell(advice, facts), button)


def check_words(check: "Check") -> str:
    """What a row of the doctor's table is called."""
    return _(CHECKS[check])


def finding_level_words(level: "Level") -> str:
    """How much a finding matters, in a word or two; marks and colours alone do not tell everybody."""
    return _(_LEVELS[level])


def fix_label(fix: "Fix") -> str:
    """The words on the button for `fix`."""
    return _(_FIXES[fix])


def repair_words(command: str) -> str:
    """How to repair from outside of SoloTune."""
    return _("To repair SoloTune, close it and run: {command}").format(command=command)


def verdict_words(findings: Iterable["Finding"]) -> str:
    """One sentence for all of it."""
    levels = [finding.level.value for finding in findings]
    if "trouble" in levels:
        return _("Something has to be put right before training works well.")
    if "caution" in levels:
        return _("This computer is ready. Some things could be better.")
    return _("This computer is ready.")


def _in_words(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts with their codes turned into words."""
    said = dict(facts)
    for name, table in (("check", CHECKS), ("place", _PLACES), ("format", _FORMATS), ("source", _SOURCES)):
        if said.get(name) in table:
            said[name] = _(table[said[name]])
    if said.get("device") == "cpu":
        said["device"] = _("processor")
    if "sources" in said:
        said["sources"] = _(", ").join(_(_SOURCES.get(name, name)) for name in said["sources"].split(", "))
    if "off_seconds" in said:
        said["off"] = duration(said["off_seconds"])
    return said
