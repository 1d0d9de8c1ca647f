"""The download manager: several files at once, resumed after any break, and nothing counts before its hash fits.

Files arrive in a hidden folder beside the target, which becomes the target when all are there. A file that is not whole
has a name of its own that carries its hash, so that it goes on after a stop, a restart or a killed process, and never
goes on with another version of it. Bytes come through huggingface_hub's `http_get`; its `hf_hub_download` throws half
files away when it is stopped. hf-xet is not used: it can neither be told to stop nor go on with half a file, and the
Hub gives out every file by plain HTTP as well.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.events import Stage, StageName
from core.files import free_bytes, sync_folder
from core.hub.answers import TRIES, is_passing, pause, trouble_of
from core.hub.folder import check_model_folder, shard_names
from core.hub.network import client_of_hub
from core.hub.origin_mark import write_origin
from core.hub.parts import Item, done_with, fits, leave, note, parts_folder, take_stock
from core.hub.source import Listing, Origin, Tell
from core.hub.wanted import INDEX
from core.modelconfig import read_config
from core.problems import Code, Trouble

#: Files at once. More of them help no line that is slow, and make a mirror refuse.
AT_ONCE = 4
#: Seconds between two looks at what has arrived.
TICK = 0.2
#: Seconds that the pace is a mean of.
_PACE_OVER = 10.0
#: Free space that is left over. Bytes.
_SPARE = 200_000_000


class _Halted(Exception):  # noqa: N818 - not an error
    """This thread shall let go of its file: the download stops, pauses, or failed elsewhere."""


def attended(work: Callable[[], Any], tick: Callable[[], None]) -> Any:
    """What `work` returns, done in a thread while `tick` is called; when `tick` raises, the thread is left alone."""
    answer: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def works() -> None:
        try:
            answer.put((work(), None))
        except BaseException as error:
            answer.put((None, error))

    threading.Thread(target=works, daemon=True).start()
    while True:
        tick()
        try:
            result, error = answer.get(timeout=TICK)
        except queue.Empty:
            continue
        if error is not None:
            raise error
        return result


class Download:
    """Brings the files of `listing` into `target`. `tell` hears of progress, and raises to stop."""

    def __init__(
        self, origin: Origin, listing: Listing, target: Path, tell: Tell, paused: Callable[[], bool] = lambda: False
    ) -> None:
        self._origin, self._listing, self._target = origin, listing, target
        self._tell, self._paused = tell, paused
        self._folder = parts_folder(target)
        self._halt, self._hold = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._failure: BaseException | None = None
        self._items = tuple(Item(file, self._folder / file.path) for file in listing.files)
        self._pace: deque[tuple[float, int]] = deque()

    def run(self) -> Path:
        """Do it and return the target. Raises Trouble, OSError, and what `tell` raises; what has arrived is kept."""
        self._folder.mkdir(parents=True, exist_ok=True)
        take_stock(self._folder, self._items)
        for item in self._items:
            self._expect_use(item)
        self._expect_room()
        client_of_hub()
        waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
        for item in self._items:
            if not item.arrived:
                waiting.put(item)
        crew = [
            threading.Thread(target=self._work, args=(waiting,), daemon=True)
            for _ in range(min(AT_ONCE, waiting.qsize()))
        ]
        for thread in crew:
            thread.start()
        try:
            while alive := [thread for thread in crew if thread.is_alive()]:
                self._look()
                alive[0].join(TICK)
        finally:
            self._halt.set()
        if self._failure is not None:
            leave(self._folder, self._items)
            raise trouble_of(self._failure, self._origin) from self._failure
        self._report()
        return self._settle()

    def _expect_use(self, item: Item) -> None:
        """Refuse a model that cannot be used as soon as its small files say so, before gigabytes of it are fetched."""
        if item.arrived and item.file.path == "config.json":
            read_config(item.target)
        if item.arrived and item.file.path == INDEX:
            gone = set(shard_names(item.target)) - {one.path for one in self._listing.files}
            if gone:
                raise Trouble(Code.MODEL_INCOMPLETE, model=self._listing.model, missing=min(gone))

    def _expect_room(self) -> None:
        needed = self._listing.bytes - sum(item.done for item in self._items)
        free = free_bytes(self._folder)
        if needed and free < needed + _SPARE:
            raise Trouble(Code.DISK_FULL, path=self._target, needed_bytes=needed + _SPARE, free_bytes=free)

    def _look(self) -> None:
        """Report, and pass on to the threads what the user wants."""
        if self._paused() and not self._hold.is_set():
            self._hold.set()
        elif not self._paused() and self._hold.is_set():
            self._pace.clear()
            self._hold.clear()
        self._report()

    def _report(self) -> None:
        done, now = sum(item.done for item in self._items), time.monotonic()
        self._pace.append((now, done))
        while now - self._pace[0][0] > _PACE_OVER:
            self._pace.popleft()
        since, before = self._pace[0]
        pace = (done - before) / (now - since) if now > since and not self._hold.is_set() else 0.0
        left = self._listing.bytes - done
        self._tell(
            Stage(
                stage=StageName.DOWNLOADING, done=done, total=self._listing.bytes, unit="bytes", pace=max(pace, 0.0),
                seconds=left / pace if pace > 0 else None if left else 0.0,
                files_done=sum(item.arrived for item in self._items), files=len(self._items),
            )
        )  # fmt: skip

    def _work(self, waiting: "queue.SimpleQueue[Item]") -> None:
        try:
            while not self._halt.is_set():
                self._bring(waiting.get_nowait())
        except (queue.Empty, _Halted):
            return
        except BaseException as error:
            with self._lock:
                self._failure = self._failure or error
            self._halt.set()

    def _bring(self, item: Item) -> None:
        """Get one file whole, however often the line breaks. Raises what trouble_of understands."""
        tried = spoiled = 0
        while not item.arrived:
            self._wait_while_held()
            before = item.done
            try:
                self._get(item)
                item.arrived = fits(item)
            except _Halted:
                if self._halt.is_set():
                    raise
                continue
            except Exception as error:
                # a line that breaks now and then is no reason to give up as long as bytes arrive
                tried = 1 if item.done > before else tried + 1
                if tried >= TRIES or not is_passing(error):
                    raise
                self._halt.wait(pause(tried, error))
                continue
            if not item.arrived:
                spoiled += 1
                item.part.unlink()
                item.done = 0
                if spoiled > 1:
                    raise Trouble(Code.DOWNLOAD_BROKEN, what=item.file.path, model=self._listing.model)
        with self._lock:
            note(self._folder, item, self._items)
        self._expect_use(item)

    def _get(self, item: Item) -> None:
        from huggingface_hub import constants
        from huggingface_hub.file_download import http_get

        # identity: the bytes of a packed answer could not be counted, nor gone on with
        headers = {**self._origin.headers(), "accept-encoding": "identity"}
        # beyond it http_get does not even ask, and points to a package; what the server says is the better answer
        size = item.file.bytes if item.file.bytes <= constants.MAX_HTTP_DOWNLOAD_SIZE else None
        with item.part.open("ab") as file:
            item.done = file.tell()
            http_get(
                self._origin.address(item.file, self._listing.revision), file, resume_size=item.done, headers=headers,
                expected_size=size, displayed_filename=item.file.path, tqdm_class=self._bar(item),
            )  # fmt: skip

    def _bar(self, item: Item) -> Any:
        """What http_get takes for a progress bar: it counts, and lets go when it shall."""
        let_go = self._let_go

        class Bar:
            def __init__(self, *_: Any, initial: int = 0, **__: Any) -> None:
                item.done = initial

            def update(self, count: float | None = 1) -> None:
                item.done += int(count or 0)
                let_go()

            def __enter__(self) -> "Bar":
                return self

            def __exit__(self, *_: object) -> None:
                return None

        return Bar

    def _let_go(self) -> None:
        if self._halt.is_set() or self._hold.is_set():
            raise _Halted

    def _wait_while_held(self) -> None:
        while self._hold.is_set() and not self._halt.wait(TICK):
            pass
        if self._halt.is_set():
            raise _Halted

    def _settle(self) -> Path:
        """Give the folder its name, when it is a model that can be used."""
        check_model_folder(self._folder)
        done_with(self._folder)
        write_origin(self._folder, self._listing)
        sync_folder(self._folder)
        if self._target.is_dir():
            # Windows puts no folder in the place of another one, not even of an empty one
            self._target.rmdir()
        self._folder.replace(self._target)
        return self._target
