"""The application: language, colours, fonts, Ctrl-C, and a safety net under every slot."""

import contextlib
import signal
import sys
import time
import traceback
from types import FrameType, TracebackType

from PySide6.QtCore import QLibraryInfo, QLocale, Qt, QTimer, QTranslator
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from core import i18n
from core.assets import resource
from core.desktop.entry import NAME
from core.hub.network import watch
from core.problems import diagnose
from core.settings import Settings, cache_folder, load
from gui import theme
from gui.desk import Desk
from gui.instance import Instance
from gui.main_window import MainWindow
from gui.paint_report import report_first_paint
from gui.shortcut import ShortcutOffer

#: Milliseconds after the first paint at which the window looks for an interrupted run.
SETTLED = 1200


class Studio:
    """The application object with its one window; the window is made again when the language changes."""

    def __init__(self, app: QApplication) -> None:
        self.app = app
        self._translator: QTranslator | None = None
        self._speaks = ""
        self._dressing = False
        settings = load()
        self._speak(settings)
        app.setFont(theme.body_font())
        theme.apply(app, settings.theme)
        app.setWindowIcon(QIcon(str(resource("icons", "app", "solotune.svg"))))
        self.desk = Desk(settings)
        self.desk.dressed.connect(self._dress)
        app.styleHints().colorSchemeChanged.connect(self._dress)
        self.window = MainWindow(self.desk)
        sys.excepthook = self._caught

    def show(self) -> None:
        """Open the window."""
        report_first_paint(self.window)
        self.window.show()
        QTimer.singleShot(SETTLED, self.window, self.window.offer_resume)
        QTimer.singleShot(SETTLED, ShortcutOffer(self.desk, self.window.notices).look)

    def take(self, paths: list[str]) -> None:
        """Another start was made: come to the front, and open what it brought."""
        window = self.window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()
        window.arrivals.take(paths)

    def _speak(self, settings: Settings) -> None:
        i18n.set_language(settings.language)
        self._speaks = i18n.language()
        if self._translator is not None:
            self.app.removeTranslator(self._translator)
        self._translator = QTranslator(self.app)
        locale = QLocale("zh_CN" if self._speaks == "zh" else "en_US")
        QLocale.setDefault(locale)
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if self._speaks == "zh" and self._translator.load("qtbase_zh_CN", folder):
            self.app.installTranslator(self._translator)

    def _dress(self) -> None:
        """Settings or the system's colours changed."""
        if self._dressing:
            return  # the system's signal about a change of our own
        self._dressing, before = True, theme.tokens()
        theme.apply(self.app, self.desk.settings.theme)
        self._dressing = False
        spoke = self._speaks
        self._speak(self.desk.settings)
        if self._speaks != spoke:
            QTimer.singleShot(0, self._rebuild)
        elif theme.tokens() is not before:
            self.window.retint()

    def _rebuild(self) -> None:
        """Make the window again in the other language, with the same state and the same jobs."""
        old = self.window
        self.window = old.rebuilt()
        self.window.show()
        old.retire()

    def interrupt(self) -> None:
        """Ctrl-C in the terminal: save what runs, then close."""
        self.window.stop_and_close()

    def _caught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """An exception left a slot: say so in the window, keep it in the log, go on."""
        write_down("".join(traceback.format_exception(kind, error, trace)))
        if issubclass(kind, KeyboardInterrupt):
            self.interrupt()
        else:
            self.desk.trouble(diagnose(error))


def write_down(text: str) -> None:
    """Add to the window's log, and to the terminal when there is one."""
    if sys.stderr is not None:
        sys.stderr.write(text)
    with contextlib.suppress(OSError):
        cache_folder().mkdir(parents=True, exist_ok=True)
        with (cache_folder() / "window.log").open("a", encoding="utf-8") as file:
            file.write(time.strftime("%Y-%m-%d %H:%M:%S ") + text)


def run(argv: list[str]) -> int:
    """Open the window and run until it closes; returns the exit code."""
    # the first word becomes the class of the window under X11, by which desktops know whose icon it has
    app = QApplication([NAME, *argv[1:]])
    # the window itself asks nobody for anything: what Settings lists is what was really looked up
    watch()
    app.setApplicationName("SoloTune")
    app.setDesktopFileName(NAME)
    _be_one_program()
    paths = app.arguments()[1:]
    instance = Instance(parent=app)
    if not instance.goes_on(paths):
        return 0
    app.setStyle("Fusion")
    studio = Studio(app)
    instance.asked.connect(studio.take)
    instance.welcome = lambda: not studio.window.closing
    if sys.platform == "darwin":
        app.installEventFilter(instance)
    pulse = _hear_ctrl_c(studio)
    studio.show()
    studio.window.arrivals.take(paths)
    code = app.exec()
    instance.let_go()
    pulse.stop()
    studio.desk.runner.wait()
    return code


def _be_one_program() -> None:
    """Have Windows group the windows under SoloTune's own icon instead of Python's."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID("SoloTune.SoloTune")


def _hear_ctrl_c(studio: Studio) -> QTimer:
    """Let Python look at signals while Qt's loop runs: it only does so when Python code runs."""

    def interrupted(number: int, frame: FrameType | None) -> None:
        studio.interrupt()

    signal.signal(signal.SIGINT, interrupted)
    pulse = QTimer()
    pulse.timeout.connect(lambda: None)
    pulse.start(250)
    return pulse
