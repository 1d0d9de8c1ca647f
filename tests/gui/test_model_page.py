"""The Model page: the list and its filters, models from elsewhere, a download and its accidents, and removing one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from core.catalog import STARTER, ModelSpec, spec_of
from core.hub.origin_mark import write_origin
from core.hub.source import Listing
from core.jobs.jobs import DryRunJob, FetchJob, InspectJob, TokensJob
from core.jobs.moves import MoveJob
from core.plan import Method, TrainingPlan
from core.recommend import recommend
from core.settings import settings_file
from core.wizard import Step, choose_card
from gui.main_window import MainWindow
from gui.pages.model import ModelPage
from gui.pages.model_add import folder_named
from gui.pages.model_cards import Fit
from gui.pages.model_fetch import model_named
from gui.pages.model_filters import Wanted
from gui.pages.model_places import Place
from gui.pages.model_remove import uses
from tests.gui import states
from tests.gui.conftest import Finder
from tests.gui.fakes import Fetch, Idle, NoNetwork, Offered, SlowFetch
from tests.gui.test_window import Strays
from tests.tiny import make_tiny_model

QWEN = "Qwen/Qwen2.5-0.5B-Instruct"
TOKEN = "hf_right"
GATE = "gated/model"


@pytest.fixture
def page(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> ModelPage:
    """The Model page on a computer with a card, where sources answer without a network."""
    monkeypatch.setattr("gui.pages.model_fetch.ListJob", Offered)
    monkeypatch.setattr("gui.pages.model_fetch.FetchJob", SlowFetch)
    window.propose(replace(states.with_card(), step=Step.MODEL))
    found = window.page("model")
    assert isinstance(found, ModelPage)
    return found


@pytest.fixture
def until(qtbot: QtBot) -> Callable[[Callable[[], bool]], None]:
    """Wait until something is true."""
    return lambda true: qtbot.waitUntil(true, timeout=60_000)


Until = Callable[[Callable[[], bool]], None]


def visible(page: ModelPage) -> set[str]:
    QApplication.processEvents()
    return {name for name, tile in page.list.tiles.items() if tile.isVisible()}


def words(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def test_model_page_puts_the_recommended_one_first(window: MainWindow) -> None:
    state = states.with_card()
    window.propose(replace(state, step=Step.MODEL))
    first = next(iter(window.page("model").list.tiles))
    assert state.recommendation is not None
    assert first == state.recommendation.model.id


def test_model_page_takes_the_most_precise_method_that_fits(window: MainWindow, find: Finder) -> None:
    window.propose(replace(states.with_card(), step=Step.MODEL))
    find(f"model_{STARTER}").click()
    assert window.state.method is Method.LORA


def test_model_page_fetches_and_then_next_opens(
    window: MainWindow, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.pages.model_fetch.FetchJob", Fetch)
    window.propose(replace(window.state, step=Step.MODEL))
    find(f"model_{STARTER}").click()
    assert not find("next").isEnabled()
    find("get_model").click()
    assert find("cancel_fetch").isVisible()
    qtbot.waitUntil(lambda: window.state.model_folder is not None, timeout=60_000)
    assert find("next").isEnabled()


def test_model_page_says_that_the_network_is_gone(
    window: MainWindow, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.pages.model_fetch.FetchJob", NoNetwork)
    window.propose(replace(window.state, step=Step.MODEL))
    find(f"model_{STARTER}").click()
    find("get_model").click()
    qtbot.waitUntil(lambda: bool(window.page("model").findChildren(QWidget, "problem_card")), timeout=60_000)
    assert find("get_model").isVisible()


def test_model_page_refuses_a_folder_that_is_no_model(window: MainWindow, find: Finder, tmp_path: Path) -> None:
    window.propose(replace(window.state, step=Step.MODEL))
    window.page("model").take_folder(tmp_path)
    assert find("problem_card").isVisible()
    assert window.state.model is None


def test_model_search_narrows_the_list(window: MainWindow, find: Finder) -> None:
    window.propose(replace(window.state, step=Step.MODEL))
    page = window.page("model")
    page.head.search.setText("no such model at all")
    assert not any(tile.isVisible() for tile in page.list.tiles.values())
    page.head.search.clear()
    assert all(tile.isVisible() for tile in page.list.tiles.values())


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (Wanted("qwen 7.6b"), True),
        (Wanted("阿里"), True),
        (Wanted("mistral"), False),
        (Wanted(fits=True), False),
        (Wanted(here=True), True),
        (Wanted(language="zh"), True),
        (Wanted(language="many"), False),
        (Wanted(licence="free"), True),
        (Wanted(licence="conditions"), False),
        (Wanted(size="7B"), True),
        (Wanted(size="13B"), False),
    ],
)
def test_filters_keep_what_is_wanted(wanted: Wanted, kept: bool) -> None:
    """Qwen2.5 7B: Apache-2.0, English and Chinese, on this computer, too large for the card."""
    spec = spec_of("Qwen/Qwen2.5-7B-Instruct")
    text = "qwen2.5 7b instruct 阿里 alibaba · 7.6b"
    assert wanted.keeps(spec, text, Fit("trouble", "Too large", 1.3), Place("ours", Path("x"))) is kept


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (" Qwen/Qwen3-8B ", "Qwen/Qwen3-8B"),
        ("https://huggingface.co/Qwen/Qwen3-8B/tree/main?x=1", "Qwen/Qwen3-8B"),
        ("https://modelscope.cn/models/Qwen/Qwen3-8B/summary", "Qwen/Qwen3-8B"),
        ("../../etc", ""),
        ("/etc/passwd", ""),
        ("qwen", ""),
    ],
)
def test_names_and_addresses_of_models(typed: str, name: str) -> None:
    assert model_named(typed) == name


def test_the_filters_hide_tiles_and_make_none(page: ModelPage, window: MainWindow, find: Finder) -> None:
    before = dict(page.list.tiles)
    find("filter_fits").click()
    fitting = visible(page)
    assert STARTER in fitting
    assert "meta-llama/Llama-3.3-70B-Instruct" not in fitting
    assert "models" in find("models_shown").text()
    smaller = replace(states.CARD, free_bytes=5 * states.GB)
    window.propose(choose_card(window.state, smaller, recommend(smaller.total_bytes, smaller.free_bytes)))
    assert visible(page) < fitting
    assert all(page.list.tiles[name] is tile for name, tile in before.items())
    find("show_all_models").click()
    assert visible(page) == set(before)


def test_the_exact_bytes_are_known_before_the_download(page: ModelPage, find: Finder, until: Until) -> None:
    page.choose(spec_of(QWEN))
    assert "about" in find("model_status").text()
    find("get_model").click()
    until(lambda: QWEN in page.fetching.offers and not page.fetching.busy)
    assert "2 files, 4.0 GB, from Hugging Face" in find("model_status").text()
    assert "Exactly 4,000,001,000 bytes" in find("model_detail").text()
    assert "1.0 GB of it are here already" in find("model_detail").text()
    find("model_files").click()
    assert "model.safetensors" in words(page)
    assert page.list.tiles[QWEN].findChildren(QLabel)
    assert "Download 4.0 GB" in words(page.list.tiles[QWEN])


def test_a_download_pauses_goes_on_and_is_cancelled(page: ModelPage, find: Finder, until: Until) -> None:
    page.choose(spec_of(STARTER))
    find("get_model").click()
    until(lambda: "11.2 MB/s" in words(page))
    assert "2.0 GB of 4.0 GB · 11.2 MB/s · about 3 minutes left" in find("fetch_amount").text()
    assert "5 of 12 files" in words(page)
    find("pause_fetch").click()
    until(lambda: page.fetching.stage is not None and page.fetching.stage.pace == 0)
    assert "What has arrived stays." in find("fetch_amount").text()
    find("go_on_fetch").click()
    until(lambda: "11.2 MB/s" in find("fetch_amount").text())
    find("cancel_fetch").click()
    until(lambda: not page.fetching.busy)
    assert find("get_model").isEnabled()
    assert not page.findChildren(QWidget, "problem_card")


def test_a_full_drive_is_said_before_the_download(
    page: ModelPage, find: Finder, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.pages.model_places.free_bytes", lambda path: 1_000_000_000)
    page.looking.look()
    page.choose(spec_of(QWEN))
    find("get_model").click()
    until(lambda: QWEN in page.fetching.offers and page.looking.shelf.free_bytes == 1_000_000_000)
    until(lambda: not find("get_model").isEnabled())
    # 4.0 GB, of which 1.0 GB are here, and 0.2 GB that are left over
    assert "2.2 GB more are needed" in find("model_detail").text()


def test_a_licence_asks_for_a_token_that_is_written_nowhere(
    page: ModelPage, window: MainWindow, home: Path, find: Finder, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("gui.pages.model_troubles.QDesktopServices.openUrl", lambda url: opened.append(url.toString()))
    monkeypatch.setattr("gui.pages.model_token.has_keyring", lambda: False)
    strays = Strays()
    QApplication.instance().installEventFilter(strays)
    page.add(GATE)
    until(lambda: bool(page.findChildren(QWidget, "access_token")))
    find("problem_action").click()
    assert opened == [f"https://huggingface.co/{GATE}"]
    for token in ("hf_wrong", TOKEN):
        field = find("access_token")
        assert isinstance(field, QLineEdit) and field.echoMode() is QLineEdit.EchoMode.Password
        assert not find("use_token").isEnabled()
        field.setText(token)
        find("use_token").click()
        assert token in window.desk.tokens.values()
        until(lambda: not page.fetching.busy)
    assert not [part for part in page.findChildren(QWidget, "keep_token") if part.isVisible()]
    assert window.state.model is not None and window.state.model.id == GATE
    assert window.state.model.gated and GATE in visible(page)
    window.desk.change(window.desk.settings)
    kept = [file.read_bytes() for file in home.rglob("*") if file.is_file()]
    assert settings_file().is_file() and not any(TOKEN.encode() in content for content in kept)
    assert TOKEN not in repr(window.state) + repr(window.desk.settings)
    assert not strays.names


@pytest.mark.parametrize("searched", ["", "qwen", "gemma-2-9b"])
def test_a_problem_is_seen_from_its_title_to_its_end(
    page: ModelPage, window: MainWindow, find: Finder, until: Until, searched: str
) -> None:
    """In the smallest window, with many models under it and with few, wherever the person had scrolled to."""
    window.resize(880, 600)
    page.head.search.setText(searched)
    bar = page._area.verticalScrollBar()
    bar.setValue(bar.maximum())
    page.add(GATE)
    until(lambda: bool(page.findChildren(QWidget, "access_token")))
    port, card = page._area.viewport(), page.findChild(QWidget, "problem_card")

    def seen() -> bool:
        top = card.mapTo(port, QPoint(0, 0)).y()
        return top >= 0 and (card.height() > port.height() or top + card.height() <= port.height())

    until(seen)
    buttons = [found.objectName() for found in card.findChildren(QPushButton) if found.isVisible()]
    # nothing that the doctor could find would open the door
    assert "problem_doctor" not in buttons and {"problem_action", "make_token", "problem_close"} <= set(buttons)
    assert find("problem_action").mapTo(card, QPoint(0, 0)).y() < find("access_token").mapTo(card, QPoint(0, 0)).y()


def test_a_model_in_a_cache_is_used_there_and_not_removed(
    page: ModelPage, window: MainWindow, home: Path, find: Finder, until: Until
) -> None:
    folder = home / "hf" / "hub" / "models--Qwen--Qwen2.5-0.5B-Instruct" / "snapshots" / "abc"
    make_tiny_model(folder)
    page.looking.look()
    until(lambda: page.looking.shelf.places.get(QWEN, Place()).kind == "cache")
    assert "On this computer, in a cache" in words(page.list.tiles[QWEN])
    page.choose(spec_of(QWEN))
    assert window.state.model_folder == folder and find("next").isEnabled()
    assert "It is used where it lies, and not copied." in find("model_detail").text()
    assert not page.findChild(QPushButton, "remove_model").isVisible()


def test_a_problem_is_tried_again(
    page: ModelPage, window: MainWindow, find: Finder, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.pages.model_fetch.FetchJob", NoNetwork)
    page.choose(spec_of(STARTER))
    find("get_model").click()
    until(lambda: bool(page.findChildren(QWidget, "problem_card")))
    monkeypatch.setattr("gui.pages.model_fetch.FetchJob", Fetch)
    find("problem_action").click()
    assert not page.troubles.isVisible()
    until(lambda: window.state.model_folder is not None)


def test_a_token_for_the_keyring_is_not_held(
    page: ModelPage, window: MainWindow, find: Finder, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[tuple[str, str]] = []
    monkeypatch.setattr("gui.pages.model_token.has_keyring", lambda: True)
    monkeypatch.setattr("gui.pages.model_token.keep_token", lambda place, token: kept.append((place, token)) or True)
    page.add(GATE)
    until(lambda: any(part.isVisible() for part in page.findChildren(QWidget, "keep_token")))
    find("keep_token").click()
    find("access_token").setText(TOKEN)
    find("use_token").click()
    until(lambda: page.fetching.phase == "asking")
    assert kept == [("https://huggingface.co", TOKEN)] and window.desk.tokens == {}


def test_a_model_is_added_by_its_name(page: ModelPage, window: MainWindow, find: Finder, until: Until) -> None:
    page.head.search.setText("someone/new-model")
    find("look_up_searched").click()
    until(lambda: window.state.model is not None)
    model = window.state.model
    assert isinstance(model, ModelSpec)
    assert (model.id, model.licence, model.download_bytes) == ("someone/new-model", "apache-2.0", 4_000_001_000)
    assert page.list.tiles[model.id].fit.fits
    assert find("get_model").text() == "&Start the download"


def test_a_model_with_code_of_its_own_is_refused(
    page: ModelPage, window: MainWindow, find: Finder, until: Until
) -> None:
    find("add_model").click()
    find("model_name").setText("someone/coded")
    find("look_up").click()
    until(lambda: bool(page.findChildren(QWidget, "problem_card")))
    assert "its own program code" in find("problem_title").text()
    assert window.state.model is None


def test_offline_nothing_is_asked(page: ModelPage, window: MainWindow, find: Finder) -> None:
    window.desk.settings = replace(window.desk.settings, offline=True)
    page.choose(spec_of(QWEN))
    find("get_model").click()
    assert window.desk.runner.idle and "stay offline" in find("problem_title").text()
    find("problem_action").click()
    assert window.stack.currentWidget() is window.page("settings")


def test_a_folder_may_have_any_name(page: ModelPage, window: MainWindow, find: Finder, tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "我的 模型 ü")
    assert folder_named(f'  "{folder}" ') == folder
    find("add_model").click()
    find("model_name").setText(str(folder))
    find("look_up").click()
    assert window.state.model_folder == folder
    assert window.state.model is not None and window.state.model.title == "我的 模型 ü"
    assert find("next").isEnabled()


def test_an_adapter_is_not_taken_for_a_model(page: ModelPage, window: MainWindow, find: Finder, tmp_path: Path) -> None:
    """Alone it lacks its model; beside a model it would change that without a word."""
    alone, beside = tmp_path / "alone", tmp_path / "beside"
    alone.mkdir()
    make_tiny_model(beside)
    for folder, words in ((alone, "an adapter alone"), (beside, "an adapter in its folder")):
        (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "someone/else"}')
        page.take_folder(folder)
        assert words in find("problem_advice").text()
        assert window.state.model is None


def test_a_model_folder_is_dropped_and_other_things_go_to_the_window(
    page: ModelPage, window: MainWindow, find: Finder, tmp_path: Path
) -> None:
    folder = make_tiny_model(tmp_path / "拖来的 model")
    other = tmp_path / "data.jsonl"
    other.touch()
    for path in (other, folder):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        keys = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(page, QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, *keys))
        QApplication.sendEvent(page, QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, *keys))
        if path is other:
            # data waits for a model
            assert find("data_waits_notice").isVisible() and window.state.model is None
    assert window.state.model_folder == folder


@pytest.mark.parametrize(
    ("job", "used"),
    [
        (FetchJob(QWEN), True),
        (FetchJob(STARTER), False),
        (InspectJob((), model_folder="/models/q"), True),
        (InspectJob((), model_folder="/models/other"), False),
        (TokensJob(TrainingPlan(QWEN, ("x.jsonl",))), True),
        (DryRunJob(TrainingPlan(QWEN, ("x.jsonl",)), {}), False),
        (MoveJob("models", "/models", "/elsewhere"), True),
    ],
)
def test_which_jobs_use_a_model(job: object, used: bool) -> None:
    """By its name, by its folder, by a plan; a dry run knows it by its facts alone."""
    assert uses(job, spec_of(QWEN), Path("/models/q")) is used


def answer(name: str) -> None:
    """Press a button of the next question."""

    def press() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None:
            QTimer.singleShot(20, press)
            return
        dialog.findChild(QPushButton, name).click()

    QTimer.singleShot(20, press)


def test_a_model_is_removed_after_a_question_and_never_in_use(
    page: ModelPage, window: MainWindow, find: Finder, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_tiny_model(window.desk.models_root / "Qwen--Qwen2.5-0.5B-Instruct")
    write_origin(folder, Listing(QWEN, "huggingface", (), "main"))
    page.looking.look()
    until(lambda: page.looking.shelf.places.get(QWEN, Place()).kind == "ours")
    find("filter_here").click()
    assert visible(page) == {QWEN}
    page.choose(spec_of(QWEN))
    assert window.state.model_folder == folder
    monkeypatch.setattr("gui.pages.model_remove.uses", lambda job, spec, place: isinstance(job, Idle))
    busy = window.desk.runner.start(Idle(), lambda _event: None)
    until(lambda: not find("remove_model").isEnabled())
    window.desk.runner.cancel(busy)
    until(lambda: window.desk.runner.idle and find("remove_model").isEnabled())
    answer("answer_keep")
    find("remove_model").click()
    assert folder.is_dir()
    answer("answer_remove")
    find("remove_model").click()
    until(lambda: window.state.model_folder is None)
    assert not folder.exists()
    assert "are free again" in words(page)
    assert window.state.model is not None and find("get_model").isVisible()
