"""Keeps the computer from falling asleep by itself while a job works, where the system lets a program ask for that.

Desktops, Windows and macOS are asked through wakepy; Linux itself through logind as well, which also holds in a session
without a desktop, over SSH, and at a login screen. Whoever asks must live: when the process ends, however it does, the
system lets go by itself. That is why a training asks in its own process, which may outlive the window.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from core.events import Noted, Wait
from core.jobs.talk import Talk
from core.runs import RunFolder
from core.settings import load

#: Seconds that letting go may take; the system does it anyway when the process ends.
LET_GO = 5.0
#: Seconds between two looks at whether the user let it rest.
_LOOK_EVERY = 1.0
#: Seconds in which logind answers.
_ANSWER = 5.0


@contextlib.contextmanager
def awake_for(run_folder: str, talk: Talk) -> Iterator[None]:
    """Keep the computer awake for a run where the user wants that; where it cannot be, the run is told so once."""
    run = RunFolder(Path(run_folder))

    def refused() -> None:
        with contextlib.suppress(OSError):
            if any(isinstance(event, Noted) and event.code == "may_sleep" for event in run.events()):
                return
        talk.emit(Noted(code="may_sleep"))

    def rests() -> bool:
        pause = talk.pause
        return pause is not None and pause.reason is Wait.USER

    with kept_awake(refused, rests) if load().keep_awake else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def kept_awake(refused: Callable[[], None], rests: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Ask the system to stay awake until the block ends; `refused` is called where nothing can promise that.

    While `rests` says so the system may sleep.

    Never waits and never raises: it asks from a thread of its own, which also calls `refused`.
    """
    over = threading.Event()
    asking = threading.Thread(target=_hold, args=(over, refused, rests), name="awake", daemon=True)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join(LET_GO)


def _hold(over: threading.Event, refused: Callable[[], None], rests: Callable[[], bool]) -> None:
    while not over.is_set():
        with contextlib.ExitStack() as stack:
            promised = [stack.enter_context(_quiet(way)) for way in (_desktop, _logind)]
            if not any(promised):
                refused()
                over.wait()
            while not over.wait(_LOOK_EVERY) and not rests():
                pass
        while not over.is_set() and rests():
            over.wait(_LOOK_EVERY)


@contextlib.contextmanager
def _quiet(way: Callable[[], contextlib.AbstractContextManager[bool]]) -> Iterator[bool]:
    """A way of asking that may fail in any manner at both ends: whether it was promised."""
    with contextlib.ExitStack() as stack:
        try:
            promised = stack.enter_context(way())
        except Exception:  # libraries and buses of every kind: none of them may hurt a training
            promised = False
        yield promised
        with contextlib.suppress(Exception):
            stack.close()


@contextlib.contextmanager
def _desktop() -> Iterator[bool]:
    from wakepy import keep

    with keep.running(on_fail="pass") as mode:
        yield bool(mode.active)


@contextlib.contextmanager
def _logind() -> Iterator[bool]:
    """Hold logind's lock, a file descriptor, against falling asleep: when idle, or at anybody's wish."""
    if not sys.platform.startswith("linux"):
        yield False
        return
    from jeepney.io.blocking import open_dbus_connection

    with open_dbus_connection("SYSTEM", enable_fds=True) as bus:
        # not everybody may block sleep itself: who came over SSH may keep the computer from being idle only
        lock = _lock(bus, "sleep:idle") or _lock(bus, "idle")
        try:
            yield lock is not None
        finally:
            if lock is not None:
                os.close(lock)


def _lock(bus: Any, what: str) -> int | None:
    from jeepney import DBusAddress, MessageType, new_method_call

    manager = DBusAddress(
        "/org/freedesktop/login1", bus_name="org.freedesktop.login1", interface="org.freedesktop.login1.Manager"
    )
    asked = new_method_call(manager, "Inhibit", "ssss", (what, "SoloTune", "A model is being trained", "block"))
    reply = bus.send_and_get_reply(asked, timeout=_ANSWER)
    if reply.header.message_type is not MessageType.method_return:
        return None
    return int(reply.body[0].to_raw_fd())
