"""What the user chose for the whole app, as JSON in the config folder, and where the app keeps things."""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.files import write_text
from core.guards import quiet_hours
from core.i18n import CHOICES as LANGUAGES

#: Names a folder that takes the place of the user's config, cache and data folders (tests, portable use).
HOME = "SOLOTUNE_HOME"

THEMES = ("system", "light", "dark")

#: Where models are fetched from; "auto" is the fastest that answers.
SOURCES = ("auto", "huggingface", "mirror", "modelscope")
#: What speaks like Hugging Face where that cannot be reached, unless the user names another one.
MIRROR = "https://hf-mirror.com"

#: Limits that make sense, from and to: °C that an idle card stays below, and watts.
TEMPERATURES = (60, 100)
POWERS = (30, 2000)

#: GB of the card's memory that trainings can leave to others.
RESERVES = (0.0, 64.0)

_CHOICES = {"language": LANGUAGES, "theme": THEMES, "source": SOURCES}
_RANGES = {"temperature_limit": TEMPERATURES, "power_limit": POWERS, "reserve_gb": RESERVES}
#: Schemes of the addresses that can be given.
_ADDRESSES = {"endpoint": ("http", "https"), "proxy": ("http", "https", "socks5", "socks5h")}


@dataclass(frozen=True)
class Settings:
    """Choices that outlive the app. An empty folder means the usual one; `geometry` is Qt's own text.

    `advanced` shows every field of a plan. Training waits at `temperature_limit` (°C), above `power_limit` (watts, mean
    of a minute) and in `quiet_hours` ("22:00-07:00"); 0 and no hours: never, which is the default, because a card
    slows itself down before heat harms it. With `keep_training` it goes on when the window closes; with `keep_awake`
    the computer is asked not to fall asleep meanwhile. `curves` names the charts that are open beside loss and memory.
    `wandb` logs trainings to Weights & Biases as well, where its package is installed.

    Models are fetched from `source`; `endpoint` is the address of the mirror, and `proxy` one for all that is fetched
    (empty: the system's). With `offline` nothing speaks to the network. `reserve_gb` of the card's memory stay free.
    `shortcut_offered` says that a shortcut was offered and answered: once is enough.
    """

    language: str = "system"
    theme: str = "system"
    runs_folder: str = ""
    models_folder: str = ""
    offline: bool = False
    geometry: str = ""
    advanced: bool = False
    temperature_limit: int = 0
    power_limit: int = 0
    quiet_hours: str = ""
    keep_training: bool = False
    keep_awake: bool = True
    curves: str = ""
    wandb: bool = False
    source: str = "auto"
    endpoint: str = ""
    proxy: str = ""
    reserve_gb: float = 0.0
    shortcut_offered: bool = False

    @property
    def reserve_bytes(self) -> int:
        return round(self.reserve_gb * 1e9)


def load() -> Settings:
    """Read the settings; whatever is missing, broken or unknown has its default. Never raises."""
    found = _read(settings_file())
    return Settings(**{f.name: found[f.name] for f in fields(Settings) if _valid(f.name, f.default, found)})


def save(settings: Settings) -> None:
    """Write the settings. Raises OSError."""
    path = settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    # escaped to ASCII: a path may hold bytes that are no text, and UTF-8 refuses them
    write_text(path, json.dumps(asdict(settings), indent=2) + "\n")


def settings_file() -> Path:
    """Where the settings are kept."""
    return _folder("config") / "settings.json"


def cache_folder() -> Path:
    """Where things lie that can be made or downloaded again."""
    return _folder("cache")


def runs_root(settings: Settings) -> Path:
    """The folder that holds the runs."""
    return _chosen(settings.runs_folder) or _folder("data") / "runs"


def models_root(settings: Settings) -> Path:
    """The folder that holds the models. Not in the cache: cleaners empty that, and models are gigabytes."""
    return _chosen(settings.models_folder) or _folder("data") / "models"


def measured_file() -> Path:
    """Where the measured memory of past runs is kept, a line a run (core.fit)."""
    return _folder("data") / "measured.jsonl"


def _folder(kind: str) -> Path:
    home = os.environ.get(HOME, "")
    if home:
        return Path(home).absolute() / kind
    import platformdirs

    places = {
        "config": platformdirs.user_config_path,
        "cache": platformdirs.user_cache_path,
        "data": platformdirs.user_data_path,
    }
    return places[kind]("SoloTune", appauthor=False)


def _chosen(folder: str) -> Path | None:
    return Path(folder).absolute() if folder else None


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _valid(name: str, default: Any, found: dict[str, Any]) -> bool:
    value: Any = found.get(name)
    if type(value) is not type(default):
        return False
    if name in _ADDRESSES:
        return is_address(value, _ADDRESSES[name])
    if name in _RANGES:
        low, high = _RANGES[name]
        return bool(value == 0 or low <= value <= high)
    if name == "quiet_hours":
        return _are_hours(value)
    # a NUL in a path makes every later use of it raise
    return value in _CHOICES[name] if name in _CHOICES else "\0" not in str(value)


def is_address(text: str, schemes: tuple[str, ...] = ("http", "https")) -> bool:
    """Whether `text` is empty or the address of a server, without a name and password in it."""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return not text or (fits and parts.username is None and not any(sign.isspace() for sign in text))


def _are_hours(text: str) -> bool:
    try:
        quiet_hours(text)
    except ValueError:
        return False
    return True
