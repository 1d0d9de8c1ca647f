"""Pictures of the real window: walks through its pages with real jobs and writes docs/screenshots/<page>_<theme>.png.

    python tests/e2e/screenshots.py                        a tiny model, or the starter model if it is on this computer
    python tests/e2e/screenshots.py --run RUN              train, test and export show a run that was trained before
    python tests/e2e/screenshots.py --card                 the first four pages as on a computer with a 12 GB card
    python tests/e2e/screenshots.py --card --pages gpu_low,plan_too_much --size 880x600      some of its scenes

The card of --card is made up (tests/fake_nvml.py); every number about a run is a real one.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # children inherit it; they read this file again, so imports of Qt stay inside functions

if TYPE_CHECKING:
    from gui.main_window import MainWindow

PAGES = ("gpu", "model", "data", "plan", "train", "test", "export", "runs", "settings", "doctor")
#: What --card has pictures of: nothing can be trained on a card that is made up.
BEFORE_TRAINING = PAGES[:4]
#: What --card shows beside: two cards, little free memory, another card to plan for; plans and how they fit.
GPU_SCENES = ("gpu_two", "gpu_low", "gpu_other", "gpu_planned")
MODEL_SCENES = ("model_search", "model_offer", "model_fetching", "model_paused", "model_gated", "model_add")
PLAN_SCENES = ("plan_advanced", "plan_tight", "plan_too_much", "plan_smaller")
#: What a folder of messy files looks like (tests/messy.py): all findings, rows of one, tokens, lengths.
DATA_SCENES = (
    "data_messy", "data_touched", "data_rejected", "data_left", "data_overlap", "data_files", "data_stages",
    "data_tokens", "data_cut", "data_lengths", "data_settings", "data_template", "data_unread",
)  # fmt: skip
#: Trainings that are simulated (tests/e2e/simulated.py): what the coach says, heat, spikes, an early end, a comeback.
TRAIN_SCENES = ("train_coach", "train_hot", "train_spike", "train_early", "train_comeback")
#: Settings with answers of the sources and a folder on its way; a doctor who found trouble. The readings are made up.
ASIDE_SCENES = ("settings_sources", "settings_folders", "settings_end", "doctor_trouble", "doctor_zip")
#: Questions asked on the Test page.
ASKED = 2
#: Longest training on a processor, in seconds.
TRAINING = 3600


def main() -> int:
    """Take the pictures that the command line asks for."""
    wanted = _arguments()
    models = _models_folder()
    with tempfile.TemporaryDirectory(prefix="SoloTune-") as home:
        os.environ["SOLOTUNE_HOME"] = home
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        _furnish(Path(home) / "data", models, wanted.run)
        _walk(wanted, Path(home))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--pages", default="", help="names with commas between them; all when left out")
    parser.add_argument("--run", type=Path, help="a trained run's folder; it is copied, not changed")
    parser.add_argument("--card", action="store_true", help="as on a computer with a 12 GB card")
    parser.add_argument("--size", default="1200x800", help="of the window, in pixels")
    found = parser.parse_args()
    every = BEFORE_TRAINING if found.card else PAGES
    scenes = (*GPU_SCENES, *MODEL_SCENES, *DATA_SCENES, *PLAN_SCENES) if found.card else (*DATA_SCENES, *TRAIN_SCENES)
    scenes += ASIDE_SCENES
    found.pages = tuple(found.pages.split(",")) if found.pages else every
    if not set(found.pages) <= {*every, *scenes}:
        parser.error(f"--pages: choose from {', '.join((*every, *scenes))}")
    return found


def _models_folder() -> Path:
    from core.settings import load, models_root

    return models_root(load())


def _furnish(data: Path, models: Path, run: Path | None) -> None:
    """Put the user's models and a copy of the run into the temporary home."""
    for folder in ("models", "runs"):
        (data / folder).mkdir(parents=True)
    for model in models.glob("*") if models.is_dir() else ():
        if model.is_dir() and not model.name.startswith("."):
            (data / "models" / model.name).symlink_to(model, target_is_directory=True)
    if run is not None:
        # the pictures show a merge of their own
        shutil.copytree(run, data / "runs" / run.resolve().name, ignore=shutil.ignore_patterns("merged", "checkpoints"))


def _walk(wanted: argparse.Namespace, home: Path) -> None:
    from PySide6.QtWidgets import QApplication

    from core.settings import Settings, save
    from gui.app import Studio

    nvml = _plug_in_a_card() if wanted.card else None
    save(Settings(language=wanted.language, theme=wanted.theme))
    app = QApplication(sys.argv[:1])
    app.setApplicationName("SoloTune")
    app.setStyle("Fusion")
    studio = Studio(app)
    studio.window.resize(*map(int, wanted.size.split("x")))
    studio.window.show()
    walk = Walk(studio.window, wanted, home, nvml)
    try:
        walk.through()
    finally:
        studio.window.stop_and_close()
        walk.until(lambda: studio.desk.runner.idle, 70)
        walk.rest(0.2)


def _plug_in_a_card() -> Any:
    from core import gpu
    from tests.fake_nvml import FakeNvml

    nvml = FakeNvml(_card())
    gpu._nvml = lambda: nvml
    return nvml


def _card(free: int = 11_700_000_000, **programs: int) -> Any:
    """A 12 GB card; `programs` hold bytes of it beside the browser and the desktop."""
    from tests.fake_nvml import FakeCard

    held = [("firefox", 610_000_000), ("gnome-shell", 240_000_000), *programs.items()]
    graphics: list[Any] = [(5_000_000 + n, name, size) for n, (name, size) in enumerate(held)]
    return FakeCard(name="NVIDIA GeForce RTX 4070", total=12282 << 20, free=free, graphics=graphics)


class Walk:
    """One way through the window, with a picture of each wanted page."""

    def __init__(self, window: "MainWindow", wanted: argparse.Namespace, home: Path, nvml: Any) -> None:
        self.window, self.wanted, self.home, self.nvml = window, wanted, home, nvml
        self.run = home / "data" / "runs" / wanted.run.resolve().name if wanted.run else None

    def through(self) -> None:
        """Go as far as the last wanted page."""
        ways = {
            "gpu": self.gpu, "model": self.model, "data": self.data, "plan": self.plan, "train": self.train,
            "test": self.test, "export": self.export, "runs": self.runs, "settings": self.settings,
            "doctor": self.doctor,
        }  # fmt: skip
        aside = ("settings", "doctor")
        # pages beside the wizard need none before them
        needs_steps = any(page.partition("_")[0] not in aside for page in self.wanted.pages)
        last = max(PAGES.index(page.partition("_")[0]) for page in self.wanted.pages)
        for page in PAGES[: last + 1] if needs_steps else ("gpu", *aside):
            # answering and merging take a while, and no later page needs them
            if page not in ("test", "export", "runs", *aside) or self._wanted(page):
                ways[page]()
                self.picture(page)
                for scene in self.wanted.pages:
                    if scene.startswith(f"{page}_"):
                        getattr(self, scene)(scene)

    def gpu(self) -> None:
        self.until(lambda: self.window.state.probed, 10)

    def gpu_two(self, scene: str) -> None:
        from tests.fake_nvml import FakeCard

        self._cards(scene, _card(), FakeCard(free=24_000_000_000))

    def gpu_low(self, scene: str) -> None:
        self._cards(scene, _card(7_300_000_000, blender=3_700_000_000, obs=400_000_000))

    def _cards(self, scene: str, *cards: Any) -> None:
        """Take a picture with other cards, then put the first one back."""
        page: Any = self.window.page("gpu")
        for plugged, taken in ((list(cards), True), ([_card()], False)):
            self.nvml.cards = plugged
            self.press("look_again")
            self.until(lambda: not page._asking, 10)
            if taken:
                self.picture(scene)

    def gpu_other(self, scene: str) -> None:
        self.press("what_if")
        page: Any = self.window.page("gpu")
        page.chooser.search.setText("40")
        self.picture(scene)
        self.press("cancel_other_card")

    def gpu_planned(self, scene: str) -> None:
        self.press("what_if")
        page: Any = self.window.page("gpu")
        page.chooser.search.setText("RTX 4090")
        page.chooser.search.returnPressed.emit()
        self.picture(scene)
        self.press("own_card")

    def plan_advanced(self, scene: str) -> None:
        self.press("advanced")
        self.press("why_rank")
        self.picture(scene)
        self.press("why_rank")
        self.press("simple")

    def plan_tight(self, scene: str) -> None:
        """The longest rows that still fit."""
        state, card = self.window.state, self.window.state.card
        assert state.plan and state.model and card
        plan = state.plan
        longer = replace(plan, tokens=plan.tokens + 64)
        while self.window.desk.predict(longer, state.model, card).total_bytes < card.free_bytes:
            plan, longer = longer, replace(longer, tokens=longer.tokens + 64)
        self._planned(scene, plan)

    def plan_too_much(self, scene: str) -> None:
        assert self.window.state.plan
        self._planned(scene, replace(self.window.state.plan, batch=4, tokens=4096, checkpointing="none"))

    def plan_smaller(self, scene: str) -> None:
        plan = self.window.state.plan
        assert plan
        self.window.propose(replace(self.window.state, plan=replace(plan, batch=4, tokens=2048, checkpointing="none")))
        self.press("make_smaller")
        page: Any = self.window.page("plan")
        self.until(lambda: not page.check.waiting(page._question()), 60)
        self.picture(scene)
        self.window.propose(replace(self.window.state, plan=plan, larger_plan=None))

    def _planned(self, scene: str, plan: Any) -> None:
        """Take a picture with another plan, then put the first one back."""
        before = self.window.state
        self.window.propose(replace(before, plan=plan))
        page: Any = self.window.page("plan")
        self.until(lambda: not page.check.waiting(page._question()), 60)
        self.picture(scene)
        self.window.propose(before)

    def model(self) -> None:
        from tests.tiny import make_tiny_model

        self.press("use_card")
        if self.window.state.model_folder is None and not self.wanted.card:
            self.window.page("model").take_folder(make_tiny_model(self.home / "tiny"))  # type: ignore[attr-defined]

    def model_search(self, scene: str) -> None:
        self._model_scene(scene, "search")

    def model_offer(self, scene: str) -> None:
        self._model_scene(scene, "offered")

    def model_fetching(self, scene: str) -> None:
        self._model_scene(scene, "fetching")

    def model_paused(self, scene: str) -> None:
        self._model_scene(scene, "fetching", phase="paused")

    def model_gated(self, scene: str) -> None:
        self._model_scene(scene, "gated")

    def model_add(self, scene: str) -> None:
        self.press("add_model")
        self._field_text("model_name", "Qwen/Qwen3-8B-Base")
        self._model_scene(scene, "plain", keep=True)

    def _model_scene(self, scene: str, what: str, *, keep: bool = False, **facts: Any) -> None:
        """Take a picture of the page with something simulated, then put everything back."""
        from tests.e2e import model_scenes

        page: Any = self.window.page("model")
        before = self.window.state
        if not keep:
            getattr(model_scenes, what)(page, **facts)
        self.picture(scene)
        model_scenes.plain(page)
        self.window.propose(before)

    def _field_text(self, name: str, text: str) -> None:
        from PySide6.QtWidgets import QLineEdit

        self.window.findChild(QLineEdit, name).setText(text)

    def data(self) -> None:
        if self.window.state.model_folder is None:
            # gigabytes are not fetched for a picture
            self.window.propose(replace(self.window.state, model_folder=self.home))
        self.press("next")
        self.press(f"sample_{self.wanted.language}")
        self.until(lambda: self.window.state.report is not None, 60)

    def _messy(self) -> Any:
        """Read messy files on the Data page, unless that is done; the report's view once all is counted."""
        from tests import messy

        page: Any = self.window.page("data")
        files = (*messy.write(self.home / "messy"), messy.archive(self.home / "messy"))
        # a page that was not shown since another model was chosen is about to read
        self.until(lambda: not page.reader.busy, 60)
        if self.window.state.report is None or self.window.state.report.files != files:
            page.take_files(list(files))
        return self._settled(files)

    def _settled(self, files: tuple[str, ...] = ()) -> Any:
        """The report's view, once the files, those beside them and all tokens are read."""
        page: Any = self.window.page("data")

        def read() -> bool:
            state = self.window.state
            there = state.report is not None and (not files or state.report.files == files)
            return there and not page.reader.busy and page._view is not None and page._view.rows._rows is not None

        self.until(read, 60)
        if page._view.tokens is not None:
            self.until(lambda: page._view._known.counted is not None, 400)
        beside = self.window.state.arrangement.beside
        self.until(lambda: not beside or page._view._known.extras is not None, 60)
        return page._view

    def _tall(self, scene: str, view: Any) -> None:
        """Take a picture of all findings at once, in a window as tall as their list."""
        from PySide6.QtWidgets import QScrollArea

        size = self.window.size()
        view.open("rows")
        self.rest(0.5)
        view.learn.open()
        for _ in range(4):
            bar = view.findings.findChild(QScrollArea).verticalScrollBar()
            self.window.resize(size.width(), self.window.height() + bar.maximum() + 8 * bool(bar.maximum()))
            self.rest(0.2)
        self.picture(scene)
        self.window.resize(size)

    def data_messy(self, scene: str) -> None:
        self._tall(scene, self._messy())

    def data_touched(self, scene: str) -> None:
        view = self._messy()
        view.show_finding("private")
        self.picture(scene)

    def data_rejected(self, scene: str) -> None:
        view = self._messy()
        view.show_finding("rejected")
        self.picture(scene)

    def data_left(self, scene: str) -> None:
        """Two rows that cleaning leaves alone, and a step that is off."""
        before = self.window.state
        page: Any = self.window.page("data")
        view = self._messy()
        for key in ("near", "short"):
            view.show_finding(key)
            self.press("keep_row")
        view.findings.findChild(type(self._button("next")), "clean_template_off").click()
        self.until(lambda: self.window.state.cleaning != before.cleaning and not page.reader.busy, 60)
        view = self._settled()
        view.show_finding("left")
        self.picture(scene)
        page.take_files(list(before.report.files))  # type: ignore[union-attr]
        self.until(lambda: self.window.state.cleaning == before.cleaning, 60)

    def _beside(self) -> Any:
        """Mix general dialogue in and check with a file of its own."""
        from tests import messy

        page: Any = self.window.page("data")
        self._messy()
        page.take_extras("mix", [messy.general(self.home / "messy")])
        page.take_extras("validation", [messy.checks(self.home / "messy")])
        return self._settled()

    def data_overlap(self, scene: str) -> None:
        self._beside().show_finding("overlap")
        self.picture(scene)

    def data_files(self, scene: str) -> None:
        view = self._beside()
        view.open("files")
        self._field("weight_1").setValue(2.0)
        self._settled()
        self.picture(scene)

    def data_stages(self, scene: str) -> None:
        self._beside().open("files")
        self.press("order_staged")
        self.press("join_stage_2")
        self._settled()
        self.picture(scene)
        self.press("order_together")
        self._settled()

    def data_tokens(self, scene: str) -> None:
        view = self._messy()
        view.open("tokens")
        self.until(lambda: bool(view.tokens.view.tokens), 400)
        self.picture(scene)

    def data_cut(self, scene: str) -> None:
        """A row whose answer is never reached."""
        view = self._messy()
        view.open("tokens")
        self.until(lambda: bool(view.tokens.view.tokens), 400)
        view.tokens._search.setText("Read report 1 to its end")
        view.tokens._search.returnPressed.emit()
        self.until(lambda: "archive" in view.tokens._place.text(), 20)
        shown = view.tokens.view
        shown.point_at(next(n for n, token in enumerate(shown.tokens) if token.kind == "truncated") + 45)
        self.picture(scene)

    def data_lengths(self, scene: str) -> None:
        self._messy().open("lengths")
        self.picture(scene)

    def data_settings(self, scene: str) -> None:
        """Answers in Chinese, and settings that no adapter learns well with."""
        from core.assets import resource
        from core.planning import plan_for
        from core.wizard import choose_plan

        page: Any = self.window.page("data")
        files = (str(resource("samples", "support_zh.jsonl")),)
        page.take_files(list(files))
        self._settled(files)
        plan = plan_for(self.window.state)
        odd = replace(plan, learning_rate=0.05, rank=512, alpha=64, dropout=0.0, epochs=30, tokens=32, warmup=0.4)
        self.window.propose(choose_plan(self.window.state, odd))
        self._tall(scene, self._settled())
        self.window.propose(replace(self.window.state, plan=None))

    def data_template(self, scene: str) -> None:
        """A model without a chat template."""
        from core.catalog import spec_of
        from core.wizard import choose_model
        from tests.tiny import make_tiny_model

        before = self.window.state
        bare = make_tiny_model(self.home / "bare-model")
        (bare / "chat_template.jinja").unlink(missing_ok=True)
        self.window.propose(choose_model(before, spec_of(str(bare)), bare))
        self._tall(scene, self._messy())
        assert before.model
        self.window.propose(choose_model(self.window.state, before.model, before.model_folder))

    def data_unread(self, scene: str) -> None:
        """A file to mix in that is no data."""
        page: Any = self.window.page("data")
        self._messy()
        broken = self.home / "notes.parquet"
        broken.write_bytes(b"this is no table")
        page.take_extras("mix", [str(broken)])
        self.until(lambda: page._problems.count() > 0, 30)
        page._view.open("files")
        self.picture(scene)

    def _field(self, name: str) -> Any:
        from PySide6.QtWidgets import QDoubleSpinBox

        return self.window.findChild(QDoubleSpinBox, name)

    def plan(self) -> None:
        self.press("next")
        self.until(lambda: self.window.state.plan is not None, 30)
        page: Any = self.window.page("plan")
        self.until(lambda: not page.check.waiting(page._question()), 60)

    def train(self) -> None:
        from core.runs import RunState

        if self.run is not None:
            self.window.open_run(self.run)
        else:
            self.press("next")
            self.press("start")
        self.until(lambda: self.window.state.run_state not in (None, RunState.RUNNING), TRAINING)
        page: Any = self.window.page("train")
        self.until(lambda: page._timeline.loss.x.size > 0, 30)
        if self.window.state.run_state is not RunState.FINISHED:
            raise SystemExit(f"the training {self.window.state.run_state}, see {self.window.state.run}")

    def train_coach(self, scene: str) -> None:
        self._simulated(scene)

    def train_hot(self, scene: str) -> None:
        self._simulated(scene, temperature_limit=84, curves="temperature,power")

    def train_spike(self, scene: str) -> None:
        page: Any = self._simulated(scene, curves="gradient,rate", taken=False)
        page.charts.choose(page.charts.timeline.spikes[0])
        self.picture(scene)

    def train_early(self, scene: str) -> None:
        self._simulated(scene)

    def train_comeback(self, scene: str) -> None:
        self._simulated(scene)

    def _simulated(self, scene: str, *, taken: bool = True, **settings: Any) -> Any:
        """Open a simulated training, as if this window trained it where it goes on."""
        from core.runs import RunState
        from tests.e2e import simulated

        before, desk = self.window.state, self.window.desk
        assert before.plan
        desk.settings = replace(desk.settings, **{"curves": ""} | settings)
        run = simulated.write(desk.runs_root, scene, before.plan)
        self.window.open_run(run.path)
        self.until(lambda: self.window.state.run == run.path, 20)
        page: Any = self.window.page("train")
        live = desk.live(run.path)
        page.charts._show_strips()
        if live.state is RunState.RUNNING:
            live._resume = False
        page._refresh()
        self.until(lambda: page.charts.timeline.caught_up(live.history), 20)
        if taken:
            self.picture(scene)
        live._resume = None
        return page

    def test(self) -> None:
        from core.wizard import Step, go

        self.window.propose(go(self.window.state, Step.TEST))
        page: Any = self.window.page("test")
        self.until(lambda: page._ready, 180)
        for number in range(ASKED):
            self.press(f"suggestion_{number}")
            self.until(lambda: not page._awaited, 300)

    def export(self) -> None:
        from core.wizard import Step, go

        self.window.propose(go(self.window.state, Step.EXPORT))
        page: Any = self.window.page("export")
        page.set_target(self.home / "merged")
        self.until(lambda: self.window.desk.runner.idle, 70)
        self.press("merge")
        self.until(lambda: self.window.state.merged is not None, 900)

    def runs(self) -> None:
        self.window.open_aside("runs")
        page: Any = self.window.page("runs")
        self.until(lambda: len(page._cards) > 0 and not page._status.text().endswith("…"), 30)

    def _wanted(self, page: str) -> bool:
        return any(name.partition("_")[0] == page for name in self.wanted.pages)

    def settings(self) -> None:
        self.window.open_aside("settings")

    def settings_sources(self, scene: str) -> None:
        from tests import readings

        page: Any = self.window.page("settings")
        page.sources._show({each["name"]: each for each in readings.REACHED})
        page.sources._wrong["proxy"].set("trouble", "")
        page.bring_to_top(page.sources)
        self.picture(scene)

    def settings_folders(self, scene: str) -> None:
        """A move on its way; the drive is made up, the picture is not moved."""
        from core.events import Stage, StageName

        page: Any = self.window.page("settings")
        page.folders.progress.show_stage(Stage(stage=StageName.MOVING, done=31 * 10**9, total=74 * 10**9, unit="bytes"))
        page.folders.progress.show()
        page.bring_to_top(page.folders)
        self.picture(scene)
        page.folders.look()

    def settings_end(self, scene: str) -> None:
        """Privacy and the app itself, after two hosts were spoken to."""
        page: Any = self.window.page("settings")
        self.window.desk.runner.hosts[:] = ["huggingface.co", "cas-bridge.xethub.hf.co"]
        page.privacy.look()
        page.bring_to_top(page.privacy)
        self.picture(scene)

    def doctor(self) -> None:
        from tests import readings

        self._examined(readings.good())

    def doctor_trouble(self, scene: str) -> None:
        from core.doctor.repair import Repair
        from tests import readings

        page: Any = self.window.page("doctor")
        # not how the computer that takes the picture would be repaired
        page.repair.how = Repair(("python", "run.py", "--repair"), True)
        self._examined(readings.bad())
        self.picture(scene)

    def doctor_zip(self, scene: str) -> None:
        page: Any = self.window.page("doctor")
        page.diagnostics.fold.open()
        page.bring_to_top(page.diagnostics)
        self.picture(scene)

    def _examined(self, readings: Any) -> None:
        """Show what the doctor finds in readings that are made up."""
        from core.codec import to_plain
        from core.doctor import judge
        from core.events import Finished
        from core.findings import Diagnosed

        page: Any = self.window.page("doctor")
        if self.window.stack.currentWidget() is not page:
            self.window.open_aside("doctor")
        page._cancel()
        self.until(lambda: page._job is None, 60)
        page.findings.clear()
        page._clear()
        found = judge(readings)
        for finding in found:
            page._heard(Diagnosed(finding=finding))
        page._heard(Finished(result={"findings": to_plain(found), "readings": to_plain(readings)}))

    def press(self, name: str) -> None:
        """Press the visible button of this name, once it can be pressed."""
        self.until(lambda: self._button(name) is not None, 30)
        self._button(name).click()

    def _button(self, name: str) -> Any:
        from PySide6.QtWidgets import QAbstractButton

        found = self.window.findChildren(QAbstractButton, name)
        return next((button for button in found if button.isVisible() and button.isEnabled()), None)

    def until(self, true: Callable[[], bool], seconds: float) -> None:
        """Let the window work until something is true."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                stuck = Path(tempfile.gettempdir()) / "solotune-stuck.png"
                self.window.grab().save(str(stuck))
                raise SystemExit(f"waited {seconds:.0f} s in vain; see {stuck}")
            self.rest(0.02)

    def rest(self, seconds: float) -> None:
        """Let the window work for a while."""
        from PySide6.QtTest import QTest

        QTest.qWait(int(seconds * 1000))

    def picture(self, page: str) -> None:
        """Save what the window shows."""
        if page not in self.wanted.pages:
            return
        self.window.setFocus()
        self.rest(0.6)
        tongue = "" if self.wanted.language == "en" else f"_{self.wanted.language}"
        self.wanted.out.mkdir(parents=True, exist_ok=True)
        small = "" if self.wanted.size == "1200x800" else f"_{self.wanted.size}"
        file = self.wanted.out / f"{page}_{self.wanted.theme}{tongue}{small}.png"
        self.window.grab().save(str(file))
        print(f"{file}  {file.stat().st_size // 1000} kB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
