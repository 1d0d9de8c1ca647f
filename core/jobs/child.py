"""One child process and the two one-way pipes to it, as the parent holds them."""

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Iterator

from core.codec import CodecError
from core.commands import Command
from core.events import Event
from core.jobs.worker import Request, child_main
from core.wire import decode_event, encode


class Child:
    """A process that does one request. `tell` may be called from any thread, the rest from one."""

    def __init__(self, request: Request) -> None:
        self._hung_up = False
        self._lock = threading.Lock()
        context = multiprocessing.get_context("spawn")
        self._reader, self._child_out = context.Pipe(duplex=False)
        self._child_in, self._writer = context.Pipe(duplex=False)
        # not daemonic: when the window goes away the child must live long enough to save
        self._process = context.Process(target=child_main, args=(request, self._child_in, self._child_out))

    @property
    def pid(self) -> int | None:
        """The process id, None before start and after `close`."""
        with contextlib.suppress(ValueError):
            return self._process.pid
        return None

    @property
    def exitcode(self) -> int | None:
        """How it ended; negative for a signal, None while it lives."""
        return self._process.exitcode

    def start(self) -> None:
        """Start it. Raises OSError without memory."""
        self._process.start()
        # our copies must go, or neither side would ever see the other one end
        self._child_in.close()
        self._child_out.close()

    def tell(self, command: Command) -> None:
        """Send a command; a child that is already gone is no error."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._writer.send_bytes(encode(command).encode(errors="replace"))

    def received(self, seconds: float) -> Iterator[Event]:
        """Yield events that arrive within `seconds`; ends early when the child's end of the pipe closes."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                if not self._reader.poll(left):
                    return
                line = self._reader.recv_bytes()
            except (EOFError, OSError):
                self._hung_up = True
                return
            with contextlib.suppress(CodecError, UnicodeDecodeError):
                yield decode_event(line.decode())

    def is_over(self) -> bool:
        """Whether nothing more will come."""
        # a grandchild can keep the pipe open after the child died
        return self._hung_up or (not self._process.is_alive() and not self._reader.poll())

    def terminate(self) -> None:
        """Ask the system to end it."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once; a child that is gone is no error."""
        with contextlib.suppress(ValueError):
            self._process.kill()

    def join(self, seconds: float) -> bool:
        """Wait for its end; whether it came."""
        self._process.join(seconds)
        return not self._process.is_alive()

    def leave(self) -> None:
        """Close the pipes of a child that lives on: it hears that it is alone, and nobody waits for its end."""
        self.close_pipes()
        # at the end of a program multiprocessing waits for all that are in here
        multiprocessing.process._children.discard(self._process)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Let go of what is left of it."""
        self.close_pipes()
        with contextlib.suppress(ValueError):
            self._process.close()

    def close_pipes(self) -> None:
        """Hang up."""
        with self._lock:
            for end in (self._reader, self._writer):
                with contextlib.suppress(OSError):
                    end.close()
