"""The child's side of a job: run it, say what happens, hear commands, survive the parent's death."""

import contextlib
import faulthandler
import io
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
from core.commands import Command, GoOn, Pause, Stay, Stop
from core.events import Contacted, Event, Failed, Finished, Last, Stopped
from core.hub.network import prepare, tell_hosts
from core.jobs.alone import Alone
from core.jobs.talk import StopAsked
from core.problems import diagnose
from core.runs import RunFolder
from core.settings import load
from core.tiers import keep_free
from core.wire import decode_command, encode


class Runnable(Protocol):
    """What a request must carry; see core.jobs.jobs for the real ones."""

    def run(self, talk: Any) -> dict[str, Any]:
        """Do the work and return the result."""


@dataclass(frozen=True)
class Request:
    """What crosses into the child: the job, the file that takes its output, and the folder of the run it trains."""

    job: Any
    log: str = ""
    run: str = ""


class PipeTalk:
    """core.jobs.jobs.Talk over two pipes: a thread writes what was said, another one hears commands.

    `alone` does the parent's work for a run when the parent is gone.
    """

    def __init__(self, inbox: "Connection[bytes, bytes]", outbox: "Connection[bytes, bytes]", request: Request) -> None:
        self._inbox, self._outbox = inbox, outbox
        self._said: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._heard: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._pause: Pause | None = None
        self._stays = False
        self.parent_gone = threading.Event()
        self._alone = (
            Alone(RunFolder(Path(request.run)), request.job, self.obey, self._stop.is_set) if request.run else None
        )
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

    def obey(self, command: Command) -> None:
        """Take a command in. Without a parent nobody could go on with a card that was freed: that is a stop."""
        if isinstance(command, Pause) and command.release:
            command = Stop()
        if isinstance(command, Stop):
            self._stop.set()
        if isinstance(command, Stay):
            self._stays = True
        elif isinstance(command, (Pause, GoOn)):
            self._pause = command if isinstance(command, Pause) else None
        else:
            self._heard.put(command)

    def close(self) -> None:
        """Send what is queued and end."""
        self._said.put(None)
        self._mouth.join(10)

    def _speak(self) -> None:
        while (event := self._said.get()) is not None:
            line = encode(event)
            handed_over = not self.parent_gone.is_set() and self._handed_over(line)
            if self._alone is None:
                continue
            if handed_over:
                self._alone.passed_on(event, line)
            else:
                self._alone.write(event)

    def _handed_over(self, line: str) -> bool:
        try:
            # a file name that is no text must not silence the job
            self._outbox.send_bytes(line.encode(errors="replace"))
        except OSError:
            return False
        return True

    def _hear(self) -> None:
        while True:
            try:
                self.obey(decode_command(self._inbox.recv_bytes().decode()))
            except (EOFError, OSError):
                break
            except (CodecError, UnicodeDecodeError):
                continue
        self.parent_gone.set()
        if self._alone is not None and not self._stop.is_set() and (self._stays or load().keep_training):
            self._alone.live(self.emit)
        self.obey(Stop())


def child_main(request: Request, inbox: "Connection[bytes, bytes]", outbox: "Connection[bytes, bytes]") -> None:
    """Entry of the spawned child: exactly one last event, whatever the job does."""
    # Ctrl-C in a terminal reaches the whole group; only the parent decides what it means
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if request.run and hasattr(signal, "SIGHUP"):
        # a terminal that closes must not take away what can still be saved
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _redirect_output(request.log)
    prepare_libraries()
    talk = PipeTalk(inbox, outbox, request)
    tell_hosts(lambda host: talk.emit(Contacted(host=host)))
    if request.run:
        # the computer shuts down, or the parent lost its patience and kills next: there is time to save
        signal.signal(signal.SIGTERM, lambda _number, _frame: talk.obey(Stop()))
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
    sys.stdout, sys.stderr = _forgiving(1), _forgiving(2)
    faulthandler.enable(file=sys.stderr)


class _Forgiving(io.FileIO):
    """A log on a disk that may be full: what cannot be written is lost, and nobody is hurt."""

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            super().write(data)
        return len(data)


def _forgiving(number: int) -> io.TextIOWrapper:
    raw: Any = _Forgiving(number, "w", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="replace", write_through=True)


def prepare_libraries() -> None:
    """Set what libraries read from the environment when they are first imported."""
    settings = load()
    prepare(settings)
    keep_free(settings.reserve_bytes)
    # OpenMP threads that spin while they wait make a step ten times slower as soon as another program is busy
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # NVML counts cards by bus, CUDA by speed unless told otherwise: one number must mean one card
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    _plain_progress_lock()
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True" if sys.platform == "linux" else "")


def _plain_progress_lock() -> None:
    """Progress bars lock with a semaphore of the system, which a child that ends at once would leave behind."""
    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())
