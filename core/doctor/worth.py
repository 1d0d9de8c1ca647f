"""Which rows of the doctor's table are worth a look after a problem."""

from core.findings import Check
from core.problems import Code, Problem

_CARD = (Check.CARD, Check.TORCH, Check.PRODUCT)
_SUMS = (*_CARD, Check.FOUR_BIT, Check.EIGHT_BIT, Check.OPTIMIZER)
_MEMORY = (Check.MEMORY, Check.SWAP)
_DISK = (Check.DISK, Check.FOLDERS)
_NETWORK = (Check.NETWORK, Check.CLOCK)

_WORTH: dict[Code, tuple[Check, ...]] = {
    Code.NO_GPU: (*_CARD, Check.WSL),
    Code.DRIVER: (*_SUMS, Check.WSL),
    Code.DRIVER_MISMATCH: (Check.CARD,),
    Code.DRIVER_PERMISSION: (Check.CARD, Check.WSL),
    Code.CARD_SPLIT: (Check.CARD,),
    Code.CARD_GONE: (Check.CARD, Check.TORCH),
    Code.GPU_MEMORY: (Check.CARD_ROOM,),
    Code.GPU_LOST: (*_CARD, Check.POWER),
    Code.SYSTEM_MEMORY: _MEMORY,
    Code.DISK_FULL: _DISK,
    Code.READ_ONLY: _DISK,
    Code.NO_NETWORK: _NETWORK,
    Code.DOWNLOAD_BROKEN: (*_NETWORK, *_DISK),
    Code.SOURCE_BUSY: (Check.NETWORK,),
    Code.NOT_A_NUMBER: _SUMS,
    Code.MERGE_DIFFERS: _SUMS,
    Code.WORKER_KILLED: _MEMORY,
    Code.WORKER_CRASHED: (Check.PACKAGES, *_SUMS, *_MEMORY),
    Code.WORKER_SILENT: (Check.PACKAGES, *_SUMS, *_MEMORY),
    Code.PACKAGE_MISSING: (Check.PYTHON, Check.PACKAGES, Check.TORCH),
    Code.UNKNOWN: (Check.PACKAGES, *_SUMS, *_MEMORY, *_DISK),
}


def doctor_for(problem: Problem) -> tuple[Check, ...]:
    """The checks that may show why `problem` came, in the order of the table; none where the computer is not at fault.

    A problem of a library that says "CUDA" or "bitsandbytes" is always worth the sums.
    """
    text = f"{problem.facts.get('text', '')} {problem.facts.get('last_words', '')}".lower()
    asked = set(_WORTH.get(problem.code, ()))
    if any(word in text for word in ("cuda", "cublas", "bitsandbytes", "kernel image")):
        asked |= set(_SUMS)
    if "paging file" in text or "os error 1455" in text or "winerror 1455" in text:
        asked |= set(_MEMORY)
    return tuple(check for check in Check if check in asked)
