"""Attention of rows that share a sequence, row by row: no mask, and no work for pairs that may not see each other.

With a mask a processor computes every pair of tokens of a sequence, and n rows in it cost n times what they need. On
cards torch's kernels with the mask that all layers share (core.engine.masks) are used instead: what they take is what
the dry run predicts, and rows one by one were not measured there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

#: Settings that let layers look back over fewer tokens than there are.
_WINDOWS = ("sliding_window", "attention_chunk_size")

Borders = list[list[tuple[int, int]]]


def borders_of(positions: torch.Tensor) -> Borders:
    """Where each row of each sequence begins and ends, from position_ids (sequences, tokens)."""
    found = []
    for sequence in positions.tolist():
        starts = [at for at, position in enumerate(sequence) if position == 0]
        found.append(list(zip(starts, [*starts[1:], len(sequence)], strict=True)))
    return found


def window_of(base: PreTrainedModel) -> int:
    """The fewest tokens that any layer looks back over, 0 where all look back over all."""
    config = base.config.get_text_config()
    return min((value for name in _WINDOWS if (value := getattr(config, name, None))), default=0)


@contextmanager
def row_by_row(positions: torch.Tensor | None, window: int = 0) -> Iterator[bool]:
    """Let torch's attention ("sdpa") work row by row while the context is open, which must cover the backward pass too.

    `positions` are a micro-batch's position_ids. Yields whether it does: not without positions, not on a card, and not
    where a row is longer than the `window` of a layer.
    """
    usable = positions is not None and positions.device.type == "cpu"
    borders = borders_of(positions) if usable and positions is not None else []
    longest = max((stop - start for each in borders for start, stop in each), default=0)
    if not usable or (window and longest > window):
        yield False
        return
    attend = ALL_ATTENTION_FUNCTIONS["sdpa"]

    def apart(module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any, **facts: Any) -> Any:
        if mask is not None or query.shape[2] != key.shape[2] or query.shape[0] != len(borders):
            return attend(module, query, key, value, mask, **facts)
        return _attended(attend, borders, (module, query, key, value), facts), None

    with _in_place_of(ALL_ATTENTION_FUNCTIONS, apart), _in_place_of(ALL_MASK_ATTENTION_FUNCTIONS, _no_mask):
        yield True


def _attended(attend: Any, borders: Borders, given: tuple[Any, ...], facts: dict[str, Any]) -> torch.Tensor:
    """Outputs (sequences, tokens, heads, width)."""
    module, *states = given
    causal = facts | {"is_causal": True}

    def sequence(at: int, rows: list[tuple[int, int]]) -> torch.Tensor:
        parts = ([each[at : at + 1, :, start:stop] for each in states] for start, stop in rows)
        return torch.cat([attend(module, *part, None, **causal)[0] for part in parts], dim=1)

    return torch.cat([sequence(at, rows) for at, rows in enumerate(borders)])


def _no_mask(*_args: Any, **_facts: Any) -> None:
    return None


@contextmanager
def _in_place_of(table: Any, ours: Any) -> Iterator[None]:
    """Set "sdpa" on the instance: it hides the entry of the class until it is deleted."""
    kept = table._local_mapping.get("sdpa")
    table["sdpa"] = ours
    try:
        yield
    finally:
        if kept is None:
            del table["sdpa"]
        else:
            table["sdpa"] = kept
