"""Tracking: what a training says is also written as TensorBoard files, and for who wants it to Weights & Biases.

It is written by the process that trains, which may outlive the window. Whatever goes wrong with it, training goes on.
"""

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from netrc import NetrcParseError, netrc
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from core.codec import to_plain
from core.commands import Command, Pause
from core.events import Evaluated, Event, Noted, Sampled, StepDone
from core.jobs.measure import Meter, Readings
from core.jobs.talk import Talk
from core.runs import RunFolder
from core.series import scalars
from core.settings import Settings, load

#: Seconds between two readings of the card, and after which what was written is on the disk.
MEASURE_EVERY = 1.0
FLUSH_EVERY = 5.0
#: What of a plan is of no use to others, or says where things lie on this computer.
_OWN = ("model", "data", "validation", "mix", "stages", "note", "questions", "system")


class Tracker(Protocol):
    """Takes down what a training says."""

    name: str

    def hear(self, event: Event, step: int) -> None:
        """Take in an event after so many steps. May raise anything: it is not asked again then."""

    def close(self) -> None:
        """Finish. May raise anything."""


@contextmanager
def tracked(run_folder: str, talk: Talk) -> Iterator[Talk]:
    """Yield a Talk that passes everything on to `talk` and to the trackers that the user has.

    One of several processes that train together tracks, the first one.
    """
    if os.environ.get("RANK", "0") != "0":
        yield talk
        return
    run = RunFolder(Path(run_folder))
    tracking = Tracking(talk, trackers_of(run, load()), Readings(Meter(os.getpid(), run.plan().card), MEASURE_EVERY))
    try:
        yield tracking
    finally:
        tracking.close()


def trackers_of(run: RunFolder, settings: Settings) -> list[Tracker]:
    """TensorBoard always, Weights & Biases where the user asked for it and has its package."""
    found: list[Tracker] = []
    if find_spec("tensorboardX"):
        found.append(TensorBoard(run.tensorboard))
    if settings.wandb and find_spec("wandb"):
        found.append(WeightsAndBiases(run, online=not settings.offline and _is_logged_in()))
    return found


class Tracking:
    """A Talk that tells `trackers` what is said. One that fails is told about once and left out from then on."""

    def __init__(self, talk: Talk, trackers: list[Tracker], readings: Readings | None = None) -> None:
        self._talk, self._trackers, self._readings = talk, trackers, readings
        self._step = 0
        self._lock = threading.Lock()

    def emit(self, event: Event) -> None:
        """Pass an event on, and take it down."""
        self._talk.emit(event)
        if not isinstance(event, StepDone | Evaluated | Sampled):
            return
        with self._lock:
            self._step = event.step
            self._tell(event)
            if self._readings is not None and isinstance(event, StepDone):
                for reading in self._readings.new():
                    self._tell(reading)

    def close(self) -> None:
        """Let the trackers finish."""
        with self._lock:
            for tracker in list(self._trackers):
                self._try(tracker, tracker.close)

    @property
    def stop_requested(self) -> bool:
        return self._talk.stop_requested

    @property
    def pause(self) -> Pause | None:
        return self._talk.pause

    def next_command(self) -> Command:
        return self._talk.next_command()

    def _tell(self, event: Event) -> None:
        for tracker in list(self._trackers):
            self._try(tracker, lambda tracker=tracker: tracker.hear(event, self._step))  # type: ignore[misc]

    def _try(self, tracker: Tracker, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception as error:  # disks, packages and services of every kind: none of them may hurt a training
            self._trackers.remove(tracker)
            traceback.print_exception(error, file=sys.stderr)
            facts = {"name": tracker.name, "text": str(error)[:300]}
            self._talk.emit(Noted(code="tracking_ended", facts=facts))


class TensorBoard:
    """Writes numbers and texts into an event file in `folder`; one file for each time that the run goes on."""

    name = "TensorBoard"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: Any = None
        self._flushed = 0.0
        self._asked: dict[str, str] = {}

    def hear(self, event: Event, step: int) -> None:
        values = scalars(event)
        if not values and not isinstance(event, Sampled):
            return
        from tensorboardX.proto.summary_pb2 import Summary
        from tensorboardX.summary import text

        self._open(event, step)
        if isinstance(event, Sampled):
            told = f"**{event.question}**\n\n{event.answer}" + (f"\n\n> {event.expected}" if event.expected else "")
            name = self._asked.setdefault(event.question, self._name(event.question))
            self._write(event.time, step, summary=text(f"answers/{event.side}/{name}", told))
        else:
            said = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
            self._write(event.time, step, summary=Summary(value=said))
        if isinstance(event, Evaluated) or time.monotonic() - self._flushed > FLUSH_EVERY:
            self._file.flush()
            self._flushed = time.monotonic()

    def close(self) -> None:
        if self._file is not None:
            self._file.flush()
            self._file.close()

    def _name(self, question: str) -> str:
        """The beginning of a question; where others begin alike, with a number: each has its own answers."""
        alike = sum(other[:60] == question[:60] for other in self._asked)
        return question[:60] + (f" ({alike + 1})" if alike else "")

    def _open(self, event: Event, step: int) -> None:
        """Begin the file. What older files hold of later steps was done again and is not shown any more."""
        if self._file is not None:
            return
        from tensorboardX.proto.event_pb2 import SessionLog
        from tensorboardX.record_writer import RecordWriter

        self._folder.mkdir(parents=True, exist_ok=True)
        again = any(self._folder.iterdir())
        # without the name of the computer, which is nobody's business
        self._file = RecordWriter(str(self._folder / f"events.out.tfevents.{time.time_ns() // 1000}.solotune"))
        self._write(event.time, 0, file_version="brain.Event:2")
        if again:
            first = step if isinstance(event, StepDone) else step + 1
            self._write(event.time, first, session_log=SessionLog(status=SessionLog.START))

    def _write(self, at: float, step: int, **what: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event as Written

        self._file.write(Written(wall_time=at, step=step, **what).SerializeToString())


class WeightsAndBiases:
    """Logs to the package wandb: into the run's folder, and to the user's account when `online`."""

    name = "Weights & Biases"

    def __init__(self, run: RunFolder, *, online: bool) -> None:
        self._run, self._online = run, online
        self._log: Any = None

    def hear(self, event: Event, step: int) -> None:
        values = scalars(event)
        if not values:
            return
        if self._log is None:
            self._log = self._begun()
        self._log.log(values, step=step)

    def close(self) -> None:
        if self._log is not None:
            self._log.finish()

    def _begun(self) -> Any:
        import wandb

        plan = {name: value for name, value in to_plain(self._run.plan()).items() if name not in _OWN}
        # numbers and settings only: no code, no output, nothing of this computer
        quiet = wandb.Settings(
            console="off", save_code=False, disable_git=True, silent=True, x_disable_meta=True, x_disable_stats=True
        )
        return wandb.init(
            project="SoloTune", name=self._run.name, id=self._run.name[:64], resume="allow", dir=str(self._run.path),
            config=plan, mode="online" if self._online else "offline", settings=quiet,
        )  # fmt: skip


def _is_logged_in() -> bool:
    """Whether the user has an account at hand: a key in the environment, or one that `wandb login` kept."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    with suppress(OSError, NetrcParseError, RuntimeError):
        path = os.environ.get("NETRC") or Path("~/_netrc" if sys.platform == "win32" else "~/.netrc").expanduser()
        return netrc(path).authenticators(host) is not None
    return False
