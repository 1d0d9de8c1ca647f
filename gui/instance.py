"""One window for one person: a second start hands its files to the first and brings that window to the front.

The first start holds a lock for as long as it lives; the system knows whether its process does, so that a crash leaves
nothing that keeps others out. Who cannot reach the holder within a few seconds opens a window of its own.
"""

import contextlib
import hashlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QLockFile, QObject, QThread, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from core.settings import cache_folder

#: Milliseconds until a start gives up on a window that does not answer.
PATIENCE = 5000
_BETWEEN = 100
#: A request with more bytes is no command line.
LIMIT = 1 << 20
#: Bytes of a socket's path that every system takes.
_LONGEST = 90
_ANSWER = b"here\n"


class Instance(QObject):
    """The lock and the ear of the first start. `asked` carries the paths that a later start hands over."""

    asked = Signal(object)

    def __init__(self, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder or meeting_place()
        #: Whether there is a window that can open things; one that closes leaves it to the next start.
        self.welcome: Callable[[], bool] = lambda: True
        self._lock = QLockFile(str(self._folder / "window.lock"))
        # never by its age: a window may be open for weeks
        self._lock.setStaleLockTime(0)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._meet)

    @property
    def address(self) -> str:
        """Where the first start listens: a socket's path, on Windows the name of a pipe."""
        if sys.platform == "win32":
            return f"solotune-{_told_apart(str(self._folder))}"
        return str(self._folder / "window.sock")

    def is_first(self) -> bool:
        """Take the place of the first start when it is free; whatever a crash left there is swept away."""
        if not self._lock.tryLock(0):
            # a folder that cannot be written keeps nobody from working
            return self._lock.error() is not QLockFile.LockError.LockFailedError
        QLocalServer.removeServer(self.address)
        self._server.listen(self.address)
        return True

    def goes_on(self, paths: Sequence[str], patience: int = PATIENCE) -> bool:
        """Whether this start opens a window: it is the first, or the first does not answer in time.

        Otherwise the first one has shown itself, and opens these paths.
        """
        until = time.monotonic() + patience / 1000
        while not self.is_first():
            if self._hand_over(paths, patience):
                return False
            if time.monotonic() > until:
                return True
            # it is there, as the lock says, but is still opening, or closes just now
            QThread.msleep(_BETWEEN)
        return True

    def _hand_over(self, paths: Sequence[str], patience: int) -> bool:
        """Tell the first start what to open; whether it answered."""
        request = {"open": [str(Path(path).absolute()) for path in paths], "token": _startup_token()}
        _let_come_forward()
        socket = QLocalSocket()
        socket.connectToServer(self.address)
        if not socket.waitForConnected(_BETWEEN):
            return False
        socket.write(json.dumps(request).encode() + b"\n")
        # a busy window answers late; asked twice, it would open everything twice
        return socket.waitForReadyRead(patience) and bytes(socket.readAll().data()) == _ANSWER

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """macOS tells a program by an event what was dropped on its icon."""
        if isinstance(event, QFileOpenEvent):
            self.asked.emit([event.file()])
            return True
        return super().eventFilter(watched, event)

    def let_go(self) -> None:
        """Make room for the next start."""
        self._server.close()
        self._lock.unlock()

    def _meet(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.readyRead.connect(lambda socket=socket: self._hear(socket))
            socket.disconnected.connect(socket.deleteLater)
            if socket.bytesAvailable():
                self._hear(socket)

    def _hear(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine():
            if socket.bytesAvailable() > LIMIT:
                socket.abort()
            return
        paths = heard(bytes(socket.readLine().data()))
        if paths is None or not self.welcome():
            socket.abort()
            return
        socket.write(_ANSWER)
        socket.flush()
        self.asked.emit(paths)


def heard(line: bytes) -> list[str] | None:
    """The absolute paths in a request, None when it is none; takes the desktop's leave to come to the front."""
    try:
        request = json.loads(line)
        paths, token = request["open"], request["token"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(paths, list) or not all(isinstance(path, str) and Path(path).is_absolute() for path in paths):
        return None
    if isinstance(token, str) and token and "\0" not in token:
        # Qt takes it from here when a window is activated
        os.environ["XDG_ACTIVATION_TOKEN"] = token
    return paths


def meeting_place() -> Path:
    """The folder of lock and socket: of this person, for this display and for this place of settings."""
    named = "\n".join((str(cache_folder()), platform.node(), *(os.environ.get(v, "") for v in _DISPLAYS)))
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    own = runtime if runtime.is_absolute() and os.access(runtime, os.W_OK) else cache_folder()
    folder = own / f"solotune-{_told_apart(named)}"
    if len(os.fsencode(folder)) > _LONGEST and sys.platform != "win32":
        # nobody else may listen where this person's starts ask
        folder = Path(tempfile.gettempdir()) / f"solotune-{os.getuid()}-{_told_apart(named)}"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if sys.platform != "win32" and folder.stat().st_uid != os.getuid():
            return cache_folder()
    return folder


_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


def _told_apart(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _startup_token() -> str:
    """What the desktop gave this start, so that the window it meant may come to the front."""
    return os.environ.get("XDG_ACTIVATION_TOKEN", "") or os.environ.get("DESKTOP_STARTUP_ID", "")


def _let_come_forward() -> None:
    """On Windows a program may only come to the front when the one in front allows it."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.AllowSetForegroundWindow(-1)
