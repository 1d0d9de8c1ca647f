"""What can go wrong, as codes with facts; exceptions and exit codes become a Problem here and nowhere else.

Trouble(Exception)   carries one Problem through code that can raise
Problem              code + facts, JSON-ready; wording.py turns it into title, advice and action
"""

import errno
import signal
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Code(StrEnum):
    """Every kind of trouble that has its own words."""

    NO_GPU = "no_gpu"
    DRIVER = "driver"
    DRIVER_MISMATCH = "driver_mismatch"
    DRIVER_PERMISSION = "driver_permission"
    CARD_SPLIT = "card_split"
    CARD_GONE = "card_gone"
    CARD_UNKNOWN = "card_unknown"
    GPU_MEMORY = "gpu_memory"
    GPU_LOST = "gpu_lost"
    SYSTEM_MEMORY = "system_memory"
    DISK_FULL = "disk_full"
    NO_NETWORK = "no_network"
    DOWNLOAD_BROKEN = "download_broken"
    DOWNLOAD_BUSY = "download_busy"
    GATED_MODEL = "gated_model"
    TOKEN_REFUSED = "token_refused"
    SOURCE_BUSY = "source_busy"
    OFFLINE = "offline"
    DATA_MISSING = "data_missing"
    DATA_UNREADABLE = "data_unreadable"
    DATA_EMPTY = "data_empty"
    DATA_SHAPE = "data_shape"
    DATA_CHANGED = "data_changed"
    MODEL_MISSING = "model_missing"
    MODEL_UNKNOWN = "model_unknown"
    MODEL_INCOMPLETE = "model_incomplete"
    MODEL_CORRUPT = "model_corrupt"
    MODEL_PICKLE = "model_pickle"
    MODEL_CUSTOM_CODE = "model_custom_code"
    MODEL_UNSUPPORTED = "model_unsupported"
    MODEL_OUTSIDE = "model_outside"
    MODEL_TEMPLATE = "model_template"
    NOT_OURS = "not_ours"
    PLAN_INVALID = "plan_invalid"
    NOTHING_TO_LEARN = "nothing_to_learn"
    NOT_A_NUMBER = "not_a_number"
    RUN_MISSING = "run_missing"
    RUN_BUSY = "run_busy"
    RUN_IDLE = "run_idle"
    RUN_NOT_RESUMABLE = "run_not_resumable"
    RUN_NO_ADAPTER = "run_no_adapter"
    READ_ONLY = "read_only"
    FOLDER_NOT_EMPTY = "folder_not_empty"
    FOLDER_MOVING = "folder_moving"
    MERGE_DIFFERS = "merge_differs"
    WORKER_KILLED = "worker_killed"
    WORKER_CRASHED = "worker_crashed"
    WORKER_SILENT = "worker_silent"
    PACKAGE_MISSING = "package_missing"
    SHARED_MODEL = "shared_model"
    SHARED_BITS = "shared_bits"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Problem:
    """One thing that went wrong: a code, and JSON-ready facts such as path, line, needed_bytes."""

    code: Code
    facts: dict[str, Any] = field(default_factory=dict)


class Trouble(Exception):  # noqa: N818 - a word a user would say
    """An exception that already knows its Problem."""

    def __init__(self, code: Code, **facts: Any) -> None:
        super().__init__(f"{code}: {facts}")
        self.problem = Problem(code, {k: str(v) if isinstance(v, Path) else v for k, v in facts.items()})


def diagnose(error: BaseException) -> Problem:
    """Turn any exception into a Problem. torch and its friends are recognised by name and text, not imported."""
    if isinstance(error, Trouble):
        return error.problem
    found = _by_type(error) or _by_text(error)
    if found is not None:
        return found
    if error.__cause__ is not None:
        cause = diagnose(error.__cause__)
        if cause.code is not Code.UNKNOWN:
            return cause
    return Problem(Code.UNKNOWN, _facts(error))


def diagnose_exit(exitcode: int | None, *, last_words: str = "") -> Problem:
    """Say why a child process ended without a last event, from its exit code (negative = signal on POSIX)."""
    if exitcode is None:
        return Problem(Code.WORKER_SILENT, {})
    facts: dict[str, Any] = {"exitcode": exitcode}
    if last_words:
        facts["last_words"] = last_words
    if exitcode < 0:
        facts["signal"] = _signal_name(-exitcode)
        killed = -exitcode in (getattr(signal, "SIGKILL", 9), signal.SIGTERM)
        return Problem(Code.WORKER_KILLED if killed else Code.WORKER_CRASHED, facts)
    return Problem(Code.WORKER_CRASHED if exitcode else Code.WORKER_SILENT, facts)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _facts(error: BaseException) -> dict[str, Any]:
    text = str(error).strip() or type(error).__name__
    return {"error": type(error).__name__, "text": text[:500]}


def _by_type(error: BaseException) -> Problem | None:
    names = {cls.__name__ for cls in type(error).__mro__}
    if "OutOfMemoryError" in names and "CUDA" in str(error):
        return Problem(Code.GPU_MEMORY, _facts(error))
    if isinstance(error, MemoryError):
        return Problem(Code.SYSTEM_MEMORY, {})
    if "GatedRepoError" in names:
        return Problem(Code.GATED_MODEL, _facts(error))
    if "RepositoryNotFoundError" in names:
        return Problem(Code.MODEL_UNKNOWN, _facts(error))
    if names & {"LocalEntryNotFoundError", "ConnectionError", "ConnectTimeout", "ConnectError", "gaierror"}:
        return Problem(Code.NO_NETWORK, _facts(error))
    if isinstance(error, ModuleNotFoundError):
        return Problem(Code.PACKAGE_MISSING, {"package": error.name or ""})
    if isinstance(error, OSError):
        return _by_errno(error)
    return None


def _by_errno(error: OSError) -> Problem | None:
    path = str(error.filename or "")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem(Code.DISK_FULL, {"path": path})
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST):
        return Problem(Code.READ_ONLY, {"path": path})
    if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
        return Problem(Code.READ_ONLY, {"path": path, "reason": "in the way"})
    if error.errno == errno.ENOMEM:
        return Problem(Code.SYSTEM_MEMORY, {})
    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.ETIMEDOUT):
        return Problem(Code.NO_NETWORK, _facts(error))
    return None


# Libraries that raise RuntimeError for everything leave only their sentences to go by.
_TEXTS: tuple[tuple[str, Code], ...] = (
    ("CUDA out of memory", Code.GPU_MEMORY),
    ("CUDA error: out of memory", Code.GPU_MEMORY),
    ("CUBLAS_STATUS_ALLOC_FAILED", Code.GPU_MEMORY),
    ("DefaultCPUAllocator: can't allocate memory", Code.SYSTEM_MEMORY),
    ("DefaultCPUAllocator: not enough memory", Code.SYSTEM_MEMORY),
    ("No space left on device", Code.DISK_FULL),
    ("Disk quota exceeded", Code.DISK_FULL),
    ("not enough space on the disk", Code.DISK_FULL),
    # torch.save: it says no more when the disk is full
    ("PytorchStreamWriter failed writing", Code.DISK_FULL),
    ("] . unexpected pos ", Code.DISK_FULL),
    ("CUDA driver version is insufficient", Code.DRIVER),
    ("no kernel image is available", Code.DRIVER),
    ("CUDA error: unspecified launch failure", Code.GPU_LOST),
    ("GPU is lost", Code.GPU_LOST),
    ("CUDA error: the launch timed out", Code.GPU_LOST),
    ("CUDA error: uncorrectable ECC error", Code.GPU_LOST),
    ("CUDA error: no CUDA-capable device is detected", Code.GPU_LOST),
    ("CUDA error: unknown error", Code.GPU_LOST),
    ("MetadataIncompleteBuffer", Code.MODEL_CORRUPT),
    ("Error while deserializing header", Code.MODEL_CORRUPT),
    ("HeaderTooLarge", Code.MODEL_CORRUPT),
)


def _by_text(error: BaseException) -> Problem | None:
    text = str(error)
    for words, code in _TEXTS:
        if words in text:
            return Problem(code, _facts(error))
    return None
