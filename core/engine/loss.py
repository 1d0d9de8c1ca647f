"""The loss head: cross entropy over trained tokens only, tile by tile, so that all logits never exist at once.

Plain cross entropy holds about 14·V bytes per token in training (V = vocabulary). Here a tile of TILE tokens is
projected and reduced, and its gradient made at once: one tile of logits at a time, and prompt tokens cost nothing.
"""

from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from core.engine.encoding import IGNORED

#: Tokens per tile. 512 x 131,072 logits in fp32 are 0.25 GiB, and a copy in 16 bits half of that. Tiles of 256 to 2,048
#: take the same time on a processor; on a card that is not measured.
TILE = 512


def tiled_loss(hidden: torch.Tensor, labels: torch.Tensor, head: torch.nn.Module) -> torch.Tensor:
    """Sum of the cross entropy over trained tokens.

    hidden: (batch, length, width); labels: (batch, length), not shifted. Returns a scalar, float32.
    """
    targets = labels[:, 1:].reshape(-1)
    trained = targets != IGNORED
    states = hidden[:, :-1].reshape(-1, hidden.shape[-1])[trained]
    targets = targets[trained]
    if len(targets) == 0:
        # a batch without a trained token still needs a graph to walk back
        return 0.0 * hidden.sum().float()
    frozen = not any(parameter.requires_grad for parameter in head.parameters())
    if torch.is_grad_enabled() and type(head) is torch.nn.Linear and frozen:
        once: torch.Tensor = _Once.apply(states, targets, head)
        return once
    total = hidden.new_zeros((), dtype=torch.float32)
    for start in range(0, len(targets), TILE):
        tile = states[start : start + TILE], targets[start : start + TILE]
        if torch.is_grad_enabled():
            total = total + checkpoint(_tile_loss, *tile, head, use_reentrant=False)
        else:
            total += _measured(head(tile[0]).float(), tile[1][:, None])[0]
    return total


def _tile_loss(states: torch.Tensor, targets: torch.Tensor, head: torch.nn.Module) -> torch.Tensor:
    return cross_entropy(head(states).float(), targets, reduction="sum")


def _measured(logits: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of the cross entropy of `logits` (tokens, V), fp32, and what each token is said with: in the place of them.

    wanted: (tokens, 1).
    """
    said, most = logits.gather(1, wanted), logits.amax(-1, keepdim=True)
    chances = logits.sub_(most).exp_()
    whole = chances.sum(-1, keepdim=True)
    return (whole.log() + most - said).sum(), chances.div_(whole)


class _Once(torch.autograd.Function):
    """The same sum for a frozen head: the gradient of a tile is made as long as its logits are there.

    They are projected once, and of the backward pass only the gradient (trained tokens, width) waits for its turn.
    """

    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, targets: torch.Tensor, head: torch.nn.Linear) -> torch.Tensor:
        total = torch.zeros((), dtype=torch.float32, device=states.device)
        gradient = torch.empty_like(states)
        with torch.autocast(states.device.type, enabled=False):
            weight = head.weight.to(states.dtype)
            bias = None if head.bias is None else head.bias.to(states.dtype)
            for start in range(0, len(targets), TILE):
                tile, wanted = states[start : start + TILE], targets[start : start + TILE, None]
                loss, slope = _measured(torch.nn.functional.linear(tile, weight, bias).float(), wanted)
                total += loss
                # what each token is said with, less what was wanted
                slope.scatter_add_(1, wanted, torch.full_like(wanted, -1, dtype=slope.dtype))
                gradient[start : start + TILE] = slope.to(states.dtype) @ weight
                # or it would be there beside that of the next tile
                del slope
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0].to(gradient.dtype), None, None


def plain_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum of the cross entropy from all logits (batch, length, V); labels as in tiled_loss."""
    flat = logits[:, :-1].float().reshape(-1, logits.shape[-1])
    return cross_entropy(flat, labels[:, 1:].reshape(-1), ignore_index=IGNORED, reduction="sum")


def hidden_states(model: Any, **inputs: torch.Tensor) -> torch.Tensor:
    """Last hidden states (batch, length, width) of a causal model, without its head."""
    inner = getattr(model, model.base_model_prefix)
    return inner(**inputs, use_cache=False).last_hidden_state


def tiling_is_exact(model: Any, ids: torch.Tensor) -> bool:
    """Whether head(hidden states) gives this model's logits.

    Some models scale or cap their logits behind the head (Gemma 2, Cohere, Granite): checked by measuring.
    """
    head = model.get_output_embeddings()
    if head is None or not hasattr(model, model.base_model_prefix):
        return False
    training = model.training
    model.eval()
    with torch.no_grad():
        whole = model(input_ids=ids, use_cache=False).logits.float()
        apart = head(hidden_states(model, input_ids=ids)).float()
    model.train(training)
    return whole.shape == apart.shape and torch.allclose(whole, apart, rtol=1e-3, atol=1e-3)
