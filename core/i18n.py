"""Translation through gettext: English is in the code, Chinese in resources/locale, chosen while running.

`_` and `ngettext` translate now, `N_` and `NN_` mark a sentence for later; `python tests/translations.py update`
finds all of them and keeps the catalogue in step.
"""

import contextlib
import gettext as _gettext
import locale
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from core.assets import resource

DOMAIN = "solotune"

#: What `set_language` takes, and the catalogue folder of every language that is not in the code.
CHOICES = ("system", "en", "zh")
_CATALOGUES = {"zh": "zh_CN"}


class _Current:
    """The language in use; English until something else is chosen."""

    name: str = "en"
    words: _gettext.NullTranslations = _gettext.NullTranslations()


def set_language(choice: str, folder: Path | None = None) -> None:
    """Speak `choice`: "en", "zh" or "system" (what the computer speaks; anything unknown counts as that).

    `folder` holds the catalogues (resources/locale). Without a whole catalogue the words stay English.
    """
    name = choice if choice in ("en", "zh") else system_language()
    _Current.words = _load(_CATALOGUES.get(name), folder or resource("locale"))
    _Current.name = name


def language() -> str:
    """The language in use, "en" or "zh"."""
    return _Current.name


def _(message: str) -> str:
    """Return `message` in the language in use, as it is now."""
    # gettext answers the empty message with the catalogue's header
    return _Current.words.gettext(message) if message else ""


def ngettext(one: str, many: str, n: int) -> str:
    """Return the form of a sentence that fits the number `n`."""
    return _Current.words.ngettext(one, many, n)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name
    """Mark a sentence in a table; whoever shows it calls `_` on it."""
    return message


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802
    """Mark both forms of a sentence in a table; whoever shows it calls `ngettext` on them."""
    return one, many


def system_language() -> str:
    """The computer's language, "zh" when it is Chinese of any kind, else "en"."""
    first = next((name.lower() for name in _system_names() if name), "")
    return "zh" if first.startswith(("zh", "chinese")) else "en"


def _load(catalogue: str | None, folder: Path) -> _gettext.NullTranslations:
    if catalogue is None:
        return _gettext.NullTranslations()
    try:
        return _gettext.translation(DOMAIN, str(folder), [catalogue], fallback=True)
    except (OSError, ValueError, LookupError, struct.error):
        return _gettext.NullTranslations()


def _system_names() -> Iterator[str]:
    """Yield the names that may say the language, the strongest first."""
    # the same order as launch/sentences.py: set-up and window speak alike
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        yield os.environ.get(name, "")
    yield _windows_name()
    yield _mac_name()
    try:
        yield locale.getlocale()[0] or ""
    except ValueError:
        return


def _windows_name() -> str:
    if sys.platform == "win32":
        import ctypes

        primary = int(ctypes.windll.kernel32.GetUserDefaultUILanguage()) & 0x3FF
        return "zh" if primary == 0x04 else "en"
    return ""


def _mac_name() -> str:
    """A program started from the Finder has no LANG; the chosen languages stand in a property list."""
    if sys.platform == "darwin":
        import plistlib

        path = Path.home() / "Library" / "Preferences" / ".GlobalPreferences.plist"
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            return str(plistlib.loads(path.read_bytes())["AppleLanguages"][0])
    return ""
