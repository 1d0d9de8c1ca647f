"""Pictures of the real window: walks through its pages with real jobs and writes docs/screenshots/<page>_<theme>.png.

    python tests/e2e/screenshots.py                        a tiny model, or the starter model if it is on this computer
    python tests/e2e/screenshots.py --run RUN              train, test and export show a run that was trained before
    python tests/e2e/screenshots.py --card                 the first four pages as on a computer with a 12 GB card

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

PAGES = ("gpu", "model", "data", "plan", "train", "test", "export", "runs", "settings")
#: What --card has pictures of: nothing can be trained on a card that is made up.
BEFORE_TRAINING = PAGES[:4]
WIDTH, HEIGHT = 1200, 800
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
    found = parser.parse_args()
    every = BEFORE_TRAINING if found.card else PAGES
    found.pages = tuple(found.pages.split(",")) if found.pages else every
    if not set(found.pages) <= set(every):
        parser.error(f"--pages: choose from {', '.join(every)}")
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

    if wanted.card:
        _plug_in_a_card()
    save(Settings(language=wanted.language, theme=wanted.theme))
    app = QApplication(sys.argv[:1])
    app.setApplicationName("SoloTune")
    app.setStyle("Fusion")
    studio = Studio(app)
    studio.window.resize(WIDTH, HEIGHT)
    studio.window.show()
    walk = Walk(studio.window, wanted, home)
    try:
        walk.through()
    finally:
        studio.window.stop_and_close()
        walk.until(lambda: studio.desk.runner.idle, 70)
        walk.rest(0.2)


def _plug_in_a_card() -> None:
    from core import gpu
    from tests.fake_nvml import FakeCard, FakeNvml

    card = FakeCard(
        name="NVIDIA GeForce RTX 4070", total=12282 << 20, free=11_700_000_000,
        graphics=[(7, "firefox", 610_000_000), (8, "gnome-shell", 240_000_000)],
    )  # fmt: skip
    nvml = FakeNvml(card)
    gpu._nvml = lambda: nvml  # type: ignore[attr-defined]


class Walk:
    """One way through the window, with a picture of each wanted page."""

    def __init__(self, window: "MainWindow", wanted: argparse.Namespace, home: Path) -> None:
        self.window, self.wanted, self.home = window, wanted, home
        self.run = home / "data" / "runs" / wanted.run.resolve().name if wanted.run else None

    def through(self) -> None:
        """Go as far as the last wanted page."""
        ways = {
            "gpu": self.gpu, "model": self.model, "data": self.data, "plan": self.plan, "train": self.train,
            "test": self.test, "export": self.export, "runs": self.runs, "settings": self.settings,
        }  # fmt: skip
        last = max(PAGES.index(page) for page in self.wanted.pages)
        for page in PAGES[: last + 1]:
            # answering and merging take a while, and no later page needs them
            if page not in ("test", "export", "runs") or page in self.wanted.pages:
                ways[page]()
                self.picture(page)

    def gpu(self) -> None:
        self.until(lambda: self.window.state.probed, 10)

    def model(self) -> None:
        from tests.tiny import make_tiny_model

        self.press("use_card")
        if self.window.state.model_folder is None and not self.wanted.card:
            self.window.page("model").take_folder(make_tiny_model(self.home / "tiny"))  # type: ignore[attr-defined]

    def data(self) -> None:
        if self.window.state.model_folder is None:
            # gigabytes are not fetched for a picture
            self.window.propose(replace(self.window.state, model_folder=self.home))
        self.press("next")
        self.press(f"sample_{self.wanted.language}")
        self.until(lambda: self.window.state.report is not None, 60)

    def plan(self) -> None:
        self.press("next")
        self.until(lambda: self.window.state.plan is not None, 30)

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
        self.until(lambda: len(page._cards) > 0, 30)

    def settings(self) -> None:
        self.window.open_aside("settings")

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
        file = self.wanted.out / f"{page}_{self.wanted.theme}{tongue}.png"
        self.window.grab().save(str(file))
        print(f"{file}  {file.stat().st_size // 1000} kB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
