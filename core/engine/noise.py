"""Noise on the embeddings of training rows, so that words are learned less by heart (NEFTune, arXiv 2310.05914).

transformers' own hook measures noise by the length of the sequence; where rows share one, each would get less noise the
more there are. Here every row gets the noise that it would get alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import PreTrainedModel


@contextmanager
def noise(base: PreTrainedModel, alpha: float) -> Iterator[None]:
    """Add uniform noise of at most alpha / sqrt(tokens of the row * width) while `base` trains; not in evaluation.

    Random numbers are torch's own: they are remembered and put back with its state. With an alpha of 0 nothing happens.
    """
    if not alpha:
        yield
        return
    lengths: list[torch.Tensor | None] = [None]

    def before(module: torch.nn.Module, _args: Any, given: dict[str, Any]) -> None:
        positions = given.get("position_ids")
        learns = module.training and torch.is_grad_enabled()
        lengths[0] = row_lengths(positions) if learns and positions is not None else None

    def after(module: torch.nn.Module, _args: Any, vectors: torch.Tensor) -> torch.Tensor:
        if not module.training or not torch.is_grad_enabled():
            return vectors
        each = vectors.shape[1] if lengths[0] is None else lengths[0][..., None].to(vectors.device)
        most = alpha / (torch.as_tensor(each, device=vectors.device) * vectors.shape[-1]).sqrt()
        return vectors + (torch.rand_like(vectors) * 2 - 1) * most.to(vectors.dtype)

    hooks = [
        getattr(base, base.base_model_prefix).register_forward_pre_hook(before, with_kwargs=True),
        base.get_input_embeddings().register_forward_hook(after),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def row_lengths(positions: torch.Tensor) -> torch.Tensor:
    """Tokens of the row that each token belongs to; rows begin where positions (sequences, length) are 0."""
    found = torch.zeros_like(positions)
    for sequence, places in enumerate(positions):
        starts = torch.nonzero(places == 0).flatten().tolist() or [0]
        for start, stop in zip(starts, [*starts[1:], len(places)], strict=True):
            found[sequence, start:stop] = stop - start
    return found
