"""The desktop entry of Linux as text, as freedesktop.org describes it: names in two languages, paths of any kind."""

import re

#: What files are offered to SoloTune: tables and lists of rows. Not web pages, PDF or folders, though it reads them:
#: a desktop without another program for a kind opens it with the first that names it, on every double-click.
KINDS = (
    "application/json", "application/jsonl", "application/x-ndjson", "text/csv", "text/tab-separated-values",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.ms-excel",
    "application/vnd.oasis.opendocument.spreadsheet", "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.file",
)  # fmt: skip
#: What the window calls itself: its class under X11, its app id under Wayland, the name of its icon.
NAME = "solotune"

_PLAIN = re.compile(r"[\w./:@+,-]+", re.ASCII)


def entry(command: tuple[str, ...], alive: str) -> str:
    """The text of solotune.desktop: `command` starts the window, `alive` is there as long as SoloTune is."""
    program = " ".join((*map(argument, command), "%F"))
    lines = {
        "Type": "Application",
        "Version": "1.0",
        "Name": "SoloTune",
        "GenericName": "Language model fine-tuning",
        "GenericName[zh_CN]": "语言模型微调",
        "Comment": "Fine-tune a language model on one GPU",
        "Comment[zh_CN]": "用一块显卡微调语言模型",
        "Keywords": "LoRA;QLoRA;LLM;GPU;AI;",
        "Keywords[zh_CN]": "微调;大模型;显卡;人工智能;LoRA;",
        "Exec": text(program),
        "TryExec": text(alive),
        "Icon": NAME,
        "Terminal": "false",
        "StartupNotify": "true",
        "StartupWMClass": NAME,
        "Categories": "Science;ArtificialIntelligence;",
        "MimeType": "".join(f"{kind};" for kind in KINDS),
    }
    return "[Desktop Entry]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())


def argument(word: str) -> str:
    """A word of a command as Exec quotes it; a percent sign would begin a field code."""
    word = word.replace("%", "%%")
    if _PLAIN.fullmatch(word):
        return word
    return '"' + re.sub(r'(["`$\\])', r"\\\1", word) + '"'


def text(value: str) -> str:
    """A value as any line of the file holds it."""
    for mark, written in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        value = value.replace(mark, written)
    return value.replace(" ", "\\s", 1) if value.startswith(" ") else value
