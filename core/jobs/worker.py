"""The child's side of a job: run it, say what happens, hear commands, survive the parent's death."""

import contextlib
import faulthandler
import os
import queue
import signal
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from core.codec import CodecError
from core.commands import Command, GoOn, Pause, Stop
from core.events import Event, Failed, Finished, Last, Stopped
from core.jobs.talk import StopAsked
from core.problems import diagnose
from core.wire import decode_command, encode


class Runnable(Protocol):
    """What a request must carry; see core.jobs.jobs for the real ones."""

    def run(self, talk: Any) -> dict[str, Any]:
        """Do the work and return the result."""


@dataclass(frozen=True)
class Request:
    """What crosses into the child: the job, and the files that take its output and its last events."""

    job: Any
    log: str = ""
    events: str = ""


class PipeTalk:
    """core.jobs.jobs.Talk over two pipes: a thread writes what was said, another one hears commands."""

    def __init__(self, inbox: "Connection[bytes, bytes]", outbox: "Connection[bytes, bytes]", events: str = "") -> None:
        self._inbox, self._outbox, self._events = inbox, outbox, events
        self._said: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._heard: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._pause: Pause | None = None
        self.parent_gone = threading.Event()
        self._mouth = threading.Thread(target=self._speak, daemon=True)
        self._mouth.start()
        threading.Thread(target=self._hear, daemon=True).start()

    def emit(self, event: Event) -> None:
        """Queue an event; a full pipe or a dead parent never stops the work."""
        self._said.put(event)

    @property
    def stop_requested(self) -> bool:
        """Whether a Stop came, or the parent is gone."""
        return self._stop.is_set()

    @property
    def pause(self) -> Pause | None:
        """The newest pause, None after a GoOn."""
        return self._pause

    def next_command(self) -> Command:
        """Wait for the next command."""
        return self._heard.get()

    def close(self) -> None:
        """Send what is queued and end."""
        self._said.put(None)
        self._mouth.join(10)

    def _speak(self) -> None:
        while (event := self._said.get()) is not None:
            line = encode(event)
            try:
                # a file name that is no text must not silence the job
                self._outbox.send_bytes(line.encode(errors="replace"))
            except OSError:
                self._write_down(line)

    def _write_down(self, line: str) -> None:
        """With the parent gone the child keeps the record itself, so that the next start knows what was saved."""
        if self._events:
            with contextlib.suppress(OSError), Path(self._events).open("a", encoding="utf-8", errors="replace") as file:
                file.write(line + "\n")

    def _hear(self) -> None:
        while True:
            try:
                command = decode_command(self._inbox.recv_bytes().decode())
            except (EOFError, OSError):
                self.parent_gone.set()
                command = Stop()
            except (CodecError, UnicodeDecodeError):
                continue
            if isinstance(command, Stop):
                self._stop.set()
            elif isinstance(command, (Pause, GoOn)):
                self._pause = command if isinstance(command, Pause) else None
                continue
            self._heard.put(command)
            if self.parent_gone.is_set():
                return


def child_main(request: Request, inbox: "Connection[bytes, bytes]", outbox: "Connection[bytes, bytes]") -> None:
    """Entry of the spawned child: exactly one last event, whatever the job does."""
    # Ctrl-C in a terminal reaches the whole group; only the parent decides what it means
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _redirect_output(request.log)
    _prepare_libraries()
    talk = PipeTalk(inbox, outbox, request.events)
    last = _last_word(request.job, talk)
    talk.emit(last)
    talk.close()
    sys.stdout.flush()
    sys.stderr.flush()
    # libraries leave threads behind that can hang the interpreter's own shutdown
    os._exit(0)


def _last_word(job: Runnable, talk: PipeTalk) -> Last:
    try:
        return Finished(result=job.run(talk))
    except StopAsked as asked:
        return Stopped(step=asked.step)
    except BaseException as error:
        traceback.print_exc()
        return Failed(problem=diagnose(error))


def _redirect_output(log: str) -> None:
    """Send stdout and stderr to the run's log, also what C libraries print; a pipe could fill and block."""
    target = log or os.devnull
    with contextlib.suppress(OSError):
        file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)
    # pythonw has no standard streams at all
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    faulthandler.enable(file=sys.stderr)


def _prepare_libraries() -> None:
    """Set what libraries read from the environment when they are first imported."""
    # OpenMP threads that spin while they wait make a step ten times slower as soon as another program is busy
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # NVML counts cards by bus, CUDA by speed unless told otherwise: one number must mean one card
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    _plain_progress_lock()
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True" if sys.platform == "linux" else "")


def _plain_progress_lock() -> None:
    """Progress bars lock with a semaphore of the system, which a child that ends at once would leave behind."""
    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())
