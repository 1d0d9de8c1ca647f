"""Access tokens: who gets which, what a keyring of the system keeps, and what there is without one."""

from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from core.hub.credentials import forget_token, has_keyring, keep_token, token_for

HUB = "https://huggingface.co"


class Kept(KeyringBackend):
    """A keyring of a desktop, in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.asked: set[str] = set()

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.add(username)
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


# as the backends of the system are told from others
Kept.__module__ = "keyring.backends.SecretService"


class Locked(Kept):
    """One whose owner says no."""

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("locked")

    set_password = delete_password = get_password  # type: ignore[assignment]


Locked.__module__ = "keyring.backends.SecretService"


class InAFile(Kept):
    """One that writes into a plain file, as some packages bring it."""


@pytest.fixture(autouse=True)
def nobody_signed_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr("huggingface_hub.constants.HF_STORED_TOKENS_PATH", str(tmp_path / "stored"))


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Kept:
    ring = Kept()
    monkeypatch.setattr(keyring, "get_keyring", lambda: ring)
    monkeypatch.setattr(keyring, "get_password", ring.get_password)
    monkeypatch.setattr(keyring, "set_password", ring.set_password)
    monkeypatch.setattr(keyring, "delete_password", ring.delete_password)
    return ring


def test_a_keyring_keeps_it_for_its_server_alone(ring: Kept, home: Path) -> None:
    assert token_for(HUB).token == ""
    # one that is locked would ask its owner to open it, for a model that needs no token
    assert ring.asked == set()
    assert has_keyring()
    assert keep_token(HUB, " hf_mine\n")
    assert token_for(HUB).name == "keyring" and token_for(HUB).token == "hf_mine"
    assert token_for("https://mirror.example").token == ""
    assert ring.asked == {HUB}
    assert not any("hf_mine" in path.read_text() for path in home.rglob("*") if path.is_file())
    forget_token(HUB)
    forget_token(HUB)
    assert token_for(HUB).token == "" and ring.held == {}
    # where nothing is kept, nothing is taken down either
    assert not list(home.rglob("tokens-in-keyring.json"))


@pytest.mark.parametrize("kind", [Locked, InAFile, None], ids=["locked", "plain file", "none"])
def test_without_one_it_is_for_the_window_to_hold(monkeypatch: pytest.MonkeyPatch, kind: type[Kept] | None) -> None:
    from keyring.backends import fail

    ring = kind() if kind else fail.Keyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: ring)
    for name in ("get_password", "set_password", "delete_password"):
        monkeypatch.setattr(keyring, name, getattr(ring, name))
    assert keep_token(HUB, "hf_mine") is False
    assert token_for(HUB).token == ""
    forget_token(HUB)
    assert getattr(ring, "held", {}) == {}
    assert token_for(HUB, "hf_typed").name == "memory"


def test_what_was_typed_comes_first_then_the_environment_then_the_keyring_then_a_login(
    ring: Kept, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("hf_login\n")
    assert token_for(HUB).name == "login" and token_for(HUB).token == "hf_login"
    keep_token(HUB, "hf_kept")
    assert token_for(HUB).token == "hf_kept"
    monkeypatch.setenv("HF_TOKEN", "hf_environment")
    assert token_for(HUB).token == "hf_environment"
    assert token_for(HUB, "hf_typed").token == "hf_typed"


def test_a_mirror_gets_neither_that_of_the_environment_nor_a_login(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("hf_login\n")
    monkeypatch.setenv("HF_TOKEN", "hf_environment")
    assert token_for("https://mirror.example").token == ""
    # who names another server for all of Hugging Face's libraries means it
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert token_for("https://mirror.example").token == "hf_environment"
    assert token_for(HUB).token == ""


def test_it_shows_nowhere() -> None:
    assert "hf_typed" not in repr(token_for(HUB, "hf_typed")) + str(token_for(HUB, "hf_typed"))
