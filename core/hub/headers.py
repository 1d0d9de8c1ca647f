"""The header of a safetensors file, read within bounds: its tensors lie inside of the file, one after another."""

import json
import math
import struct
from pathlib import Path
from typing import Any

from core.problems import Code, Trouble

#: safetensors itself allows 100 MB, which would fill gigabytes once read. A shard of a model with the most experts
#: that are published has a header of 3 MB.
_LIMIT = 16_000_000
#: Bits of a number of each kind that safetensors knows.
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64,
    "U64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


def check_shard(path: Path) -> int:
    """Return how many numbers the file holds, from its first bytes and its size alone.

    Raises Trouble: MODEL_CORRUPT (a header that is none, or describes what cannot be), MODEL_INCOMPLETE (shorter than
    its header says, as a download that was cut off).
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else size + 1
        if length > min(_LIMIT, size - 8):
            raise Trouble(Code.MODEL_CORRUPT, path=path)
        raw = file.read(length)
    try:
        header = json.loads(raw)
        tensors = [_span(tensor) for name, tensor in header.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Trouble(Code.MODEL_CORRUPT, path=path) from None
    held = size - 8 - length
    end = max((end for _, end, _ in tensors), default=0)
    if held < end:
        raise Trouble(Code.MODEL_INCOMPLETE, path=path.parent, missing=path.name)
    # one after the other without a gap, as the format demands: none lies on another, and nothing hides between them
    at = 0
    for begin, finish, _ in sorted(tensors):
        if begin != at:
            raise Trouble(Code.MODEL_CORRUPT, path=path)
        at = finish
    if at != held:
        raise Trouble(Code.MODEL_CORRUPT, path=path)
    return sum(numbers for *_, numbers in tensors)


def _span(tensor: Any) -> tuple[int, int, int]:
    """Where a tensor begins and ends, and how many numbers it has. Raises ValueError and others for what cannot be."""
    begin, end = tensor["data_offsets"]
    shape = tensor["shape"]
    if not all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in (begin, end, *shape)):
        raise ValueError("not a place")
    if len(shape) > 16 or max(shape, default=0) >= 2**48:
        raise ValueError("not a shape")
    numbers = math.prod(shape)
    if numbers * _BITS[tensor["dtype"]] != (end - begin) * 8:
        raise ValueError("not as large as its shape")
    return begin, end, numbers
