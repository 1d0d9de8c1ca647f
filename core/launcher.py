"""What a launcher such as `accelerate launch` or `mpirun` tells the processes that it starts, by their environment."""

import os

#: How launchers say how many processes there are: torch's own, and those of MPI.
_COUNTS = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")


def launched() -> bool:
    """Whether this is one of several processes that are to train together."""
    return any(int(os.environ.get(name) or 1) > 1 for name in _COUNTS)


def launched_alone() -> bool:
    """Whether accelerate was asked for several processes on the processor, of which it starts one without MPI."""
    on_cpu = os.environ.get("ACCELERATE_USE_CPU", "false").lower() == "true"
    return on_cpu and "MASTER_PORT" in os.environ and not launched()


def is_first() -> bool:
    """Whether this is the one of them that writes and tells, known before they have met."""
    return os.environ.get("RANK", "0") == "0"
