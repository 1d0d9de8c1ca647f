"""One attention mask for all layers: as it is added to the scores, in the format that is computed in.

transformers makes masks of true and false. torch's attention turns such a mask into numbers of the queries' format, and
does so in every layer again: 2 bytes a pair of tokens and layer, kept until the backward pass has come by. Made once,
the same numbers are shared.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

#: Rows of a mask begin at multiples of this: CUDA's kernels would otherwise copy it in every layer.
ALIGNED = 8


@contextmanager
def shared_masks() -> Iterator[None]:
    """Give models with torch's attention ("sdpa") masks that all layers share, while the context is open.

    Results are the same to the bit. A forward pass that needs no mask gets none, as before.
    """
    made = ALL_MASK_ATTENTION_FUNCTIONS["sdpa"]

    def shared(*args: Any, dtype: torch.dtype | None = None, **facts: Any) -> torch.Tensor | None:
        mask = made(*args, dtype=dtype, **facts)
        return mask if mask is None or mask.dtype is not torch.bool else added(mask, _computed(mask.device, dtype))

    kept = ALL_MASK_ATTENTION_FUNCTIONS._local_mapping.get("sdpa")
    # set on the instance: it hides the entry of the class until it is deleted
    ALL_MASK_ATTENTION_FUNCTIONS["sdpa"] = shared
    try:
        yield
    finally:
        if kept is None:
            del ALL_MASK_ATTENTION_FUNCTIONS["sdpa"]
        else:
            ALL_MASK_ATTENTION_FUNCTIONS["sdpa"] = kept


def added(mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A mask of true and false (batch, heads, queries, keys) as 0 and -inf, as torch itself would turn it.

    What is the same for the whole batch is made once.
    """
    one = mask[:1] if mask.stride(0) == 0 else mask
    *outer, keys = one.shape
    numbers = torch.zeros((*outer, -(-keys // ALIGNED) * ALIGNED), dtype=dtype, device=mask.device)[..., :keys]
    return numbers.masked_fill_(~one, float("-inf")).expand(mask.shape)


def _computed(where: torch.device, dtype: torch.dtype | None) -> torch.dtype:
    """The format that attention works in: that of autocast, or that of the embeddings."""
    if torch.is_autocast_enabled(where.type):
        return torch.get_autocast_dtype(where.type)
    return dtype or torch.get_default_dtype()
