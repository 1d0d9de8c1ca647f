"""Supervises a training that nobody watches, in place of a window.

python -m core.jobs.supervise RUN PID    goes on with the run once process PID has ended
"""

import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from core.jobs.jobs import TrainJob
from core.jobs.process import JobProcess
from core.runs import RunFolder

#: Seconds that the process before may take to end.
END = 60.0


def main(arguments: Sequence[str]) -> None:
    """Train the run from its newest checkpoint, after the process before has let go of the card."""
    run, before = RunFolder(Path(arguments[0])), int(arguments[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(psutil.Error):
        psutil.Process(before).wait(END)
    process = JobProcess(TrainJob(str(run.path), resume=True), run=run)
    process.start()
    for _event in process.events():
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
