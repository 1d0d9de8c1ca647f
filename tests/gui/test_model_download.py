"""A model comes through the window: real jobs against a hub on this computer, behind a licence, stopped in between."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from core.hub.folder import looks_whole
from core.settings import Settings, save
from core.wizard import Step
from gui.main_window import MainWindow
from gui.pages.model import ModelPage
from tests.gui import states
from tests.gui.conftest import Finder
from tests.hub_server import REPO, Fault, Hub, serving, small_model

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost", "::1"])
TOKEN = "hf_given_in_the_window"
SHARD = "model-00001-of-00002.safetensors"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(small_model()) as found:
        save(Settings(source="huggingface"))
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        found.gated, found.token = True, TOKEN
        yield found


def test_a_gated_model_is_added_fetched_in_two_goes_and_chosen(
    hub: Hub, window: MainWindow, find: Finder, qtbot: QtBot, home: Path
) -> None:
    window.desk.settings = Settings(source="huggingface")
    window.propose(replace(states.with_card(), step=Step.MODEL))
    page = window.page("model")
    assert isinstance(page, ModelPage)
    page.add(REPO)
    qtbot.waitUntil(lambda: bool(page.findChildren(QWidget, "access_token")), timeout=60_000)
    field = find("access_token")
    assert isinstance(field, QLineEdit)
    field.setText(TOKEN)
    find("use_token").click()
    qtbot.waitUntil(lambda: window.state.model is not None, timeout=60_000)
    whole = page.fetching.offers[REPO].listing.bytes
    assert whole == sum(len(hub.files[file.path]) for file in page.fetching.offers[REPO].listing.files)

    hub.faults[SHARD] = [Fault(bytes_per_second=400_000)] * 2
    find("get_model").click()
    qtbot.waitUntil(lambda: page.fetching.stage is not None and page.fetching.stage.done > 300_000, timeout=60_000)
    find("cancel_fetch").click()
    qtbot.waitUntil(lambda: not page.fetching.busy, timeout=60_000)
    qtbot.waitUntil(lambda: "are here already" in find("model_status").text(), timeout=60_000)

    hub.faults.clear()
    before = hub.sent(SHARD)
    find("get_model").click()
    qtbot.waitUntil(lambda: window.state.model_folder is not None, timeout=60_000)
    folder = window.state.model_folder
    assert folder is not None and looks_whole(folder) and folder.parent == window.desk.models_root
    assert hub.sent(SHARD) - before < len(hub.files[SHARD])
    assert window.state.model is not None and window.state.model.title == "small-model"
    assert find("next").isEnabled()
    assert {asked.authorization for asked in hub.asked if asked.authorization} == {f"Bearer {TOKEN}"}
    assert not [file for file in home.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]
