"""Access tokens for models whose owners ask for one: in the system's keyring, or in memory until the window closes.

A token is sent to the server it is for and to no other place: it is in no file, event, plan or report of this app.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from core.files import write_text
from core.settings import settings_file

#: Under which the keyring keeps it. The server is part of the name: a mirror never gets what was given for the Hub.
_SERVICE = "SoloTune"
_OFFICIAL = "https://huggingface.co"


@dataclass(frozen=True)
class Place:
    """Where a token was found: "memory", "environment", "keyring", "login", or "" for none."""

    name: str
    token: str = ""

    def __repr__(self) -> str:
        return f"Place({self.name!r})"


def token_for(endpoint: str, given: str = "") -> Place:
    """The token to send to `endpoint`: what was `given`, or that of the environment, the keyring or an `hf auth login`.

    Those of the environment and of a login are meant for Hugging Face, or for what HF_ENDPOINT names.
    """
    if given.strip():
        return Place("memory", given.strip())
    own = _is_own(endpoint)
    if own and (token := (os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN") or "").strip()):
        return Place("environment", token)
    if token := _kept(endpoint):
        return Place("keyring", token)
    if own and (token := _login()):
        return Place("login", token)
    return Place("")


def keep_token(endpoint: str, token: str) -> bool:
    """Give `token` to the system's keyring. False when there is none: the window holds it in memory then."""
    try:
        import keyring

        if not _is_safe(keyring.get_keyring()):
            return False
        keyring.set_password(_SERVICE, endpoint, token.strip())
        if keyring.get_password(_SERVICE, endpoint) != token.strip():
            return False
        _note(_noted() | {endpoint})
        return True
    except Exception:
        # a keyring that is locked, or speaks to a service that is not there, raises whatever it likes
        return False


def forget_token(endpoint: str) -> None:
    """Take the token for `endpoint` out of the keyring; none there is no error."""
    try:
        import keyring

        if _is_safe(keyring.get_keyring()):
            keyring.delete_password(_SERVICE, endpoint)
        if endpoint in _noted():
            _note(_noted() - {endpoint})
    except Exception:
        return


def kept_for() -> set[str]:
    """The servers that the keyring holds a token for; also those that the settings name no more."""
    return _noted()


def has_keyring() -> bool:
    """Whether this system keeps secrets for programs: Windows' and macOS's own do, of Linux the desktops'."""
    try:
        import keyring

        return _is_safe(keyring.get_keyring())
    except Exception:
        return False


def _kept(endpoint: str) -> str:
    # a keyring that is locked asks the user to open it: not for a model that nobody gave a token for
    if endpoint not in _noted():
        return ""
    try:
        import keyring

        return (keyring.get_password(_SERVICE, endpoint) or "") if _is_safe(keyring.get_keyring()) else ""
    except Exception:
        return ""


def _noted() -> set[str]:
    """The servers that the keyring holds a token for; the tokens themselves are in no file."""
    try:
        found = json.loads(_notes().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return set()
    return {one for one in found if isinstance(one, str)} if isinstance(found, list) else set()


def _note(endpoints: set[str]) -> None:
    if not endpoints:
        _notes().unlink(missing_ok=True)
        return
    _notes().parent.mkdir(parents=True, exist_ok=True)
    write_text(_notes(), json.dumps(sorted(endpoints)) + "\n")


def _notes() -> Path:
    return settings_file().with_name("tokens-in-keyring.json")


def _is_safe(backend: object) -> bool:
    """Whether it is a keyring of the system: other ones write into plain files, or nowhere."""
    from keyring.backends import chainer

    if isinstance(backend, chainer.ChainerBackend):
        return any(_is_safe(one) for one in backend.backends)
    return type(backend).__module__ in (
        "keyring.backends.SecretService",
        "keyring.backends.kwallet",
        "keyring.backends.libsecret",
        "keyring.backends.macOS",
        "keyring.backends.Windows",
    )


def _login() -> str:
    from huggingface_hub import get_token

    return get_token() or ""


def _is_own(endpoint: str) -> bool:
    return endpoint.rstrip("/") == (os.environ.get("HF_ENDPOINT") or _OFFICIAL).rstrip("/")
