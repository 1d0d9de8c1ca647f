"""Whether a model keeps documents apart that share a sequence: told by measuring, for any architecture.

Positions that begin again tell them apart (core.engine.steps). Attention follows them; state spaces, linear attention
and convolutions over time do not: what they remember of one row flows into the next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from core.engine.documents import row_by_row, window_of
from core.engine.masks import shared_masks

#: Tokens of the two rows that are tried together. Their sum is no multiple of 8 and longer than any convolution.
_FIRST, _SECOND = 21, 26
#: What the first row may change in the second, and what company may: shares of how far logits lie apart. In 16 bits
#: the same row in another place is off by 0.3 to 3 %, a row shifted or leaked into by 10 % and more.
_LEAK, _SHIFT = 1e-3, 0.05


def packing_is_exact(model: Any, ids: torch.Tensor) -> bool:
    """Whether rows learn the same in one sequence as each alone.

    `ids`: (1, tokens) of any real row, on the model's device. Two checks: another first row changes nothing in the
    second, and the second says what it says alone.
    """
    row = ids.repeat(1, 1 + (_FIRST + _SECOND) // ids.shape[1])[:, : _FIRST + _SECOND]
    first, second = row[:, :_FIRST], row[:, _FIRST:]
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), shared_masks(), _each_row_for_itself(model):
            together, other, alone = (_said(model, before, second) for before in (first, _another(first), None))
    except torch.OutOfMemoryError:
        raise
    except (TypeError, ValueError, RuntimeError, IndexError):
        # no positions are taken, or none that begin again
        return False
    finally:
        model.train(training)
    apart = alone.std(-1, correction=0).mean()
    leak, shift = ((each - together).abs().mean(-1) / apart for each in (other, alone))
    return bool(leak.max() <= _LEAK and shift.mean() <= _SHIFT)


def _said(model: Any, before: torch.Tensor | None, row: torch.Tensor) -> torch.Tensor:
    """Logits (tokens, vocabulary) of `row`, alone or behind another one."""
    if before is None:
        return model(input_ids=row, use_cache=False).logits[0].float()
    lengths = before.shape[1], row.shape[1]
    positions = torch.cat([torch.arange(length, device=row.device) for length in lengths])[None]
    both = torch.cat([before, row], dim=1)
    with row_by_row(positions, window_of(model)):
        return model(input_ids=both, position_ids=positions, use_cache=False).logits[0, lengths[0] :].float()


@contextmanager
def _each_row_for_itself(model: Any) -> Iterator[None]:
    """Let 8-bit products round each token by its own numbers.

    bitsandbytes keeps columns apart in which any token of the batch has a large number: with it one row changes how
    others are rounded, by up to 14 % of the logits' spread (measured with made-up outliers), packed or not.
    """
    states = [module.state for module in model.modules() if hasattr(getattr(module, "state", None), "threshold")]
    kept = [state.threshold for state in states]
    for state in states:
        state.threshold = 0.0
    try:
        yield
    finally:
        for state, threshold in zip(states, kept, strict=True):
            state.threshold = threshold


def _another(row: torch.Tensor) -> torch.Tensor:
    """A row of other tokens in other places."""
    return row.flip(1).roll(3, 1)
