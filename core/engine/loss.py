"""The loss head: cross entropy over trained tokens only, tile by tile, so that all logits never exist at once.

Plain cross entropy holds about 14·V bytes per token in training (V = vocabulary). Here a tile of TILE tokens is
projected and reduced, and its gradient made at once: one tile of logits at a time, and prompt tokens cost nothing.
"""

from typing import Any, NamedTuple

import torch
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from core.engine.device import autocast
from core.engine.encoding import IGNORED

#: Tokens per tile. 512 x 131,072 logits in fp32 are 0.25 GiB, and a copy in 16 bits half of that. Tiles of 256 to 2,048
#: take the same time on a processor; on a card that is not measured.
TILE = 512


class Ending(NamedTuple):
    """What makes logits of last hidden states: the head, and what a few families do behind it.

    Scores are multiplied (Cohere, Falcon-H1) or divided (Granite), or bent so that none is above `cap` (Gemma 2; 0: no
    cap): cap · tanh(scores / cap).
    """

    head: torch.nn.Module
    times: float = 1.0
    over: float = 1.0
    cap: float = 0.0

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """As the model itself makes them, in the format that it computes in."""
        scores: torch.Tensor = self.head(states)
        if self.times != 1.0 or self.over != 1.0:
            scores = scores * self.times / self.over
        return torch.tanh(scores / self.cap) * self.cap if self.cap else scores

    def finish(self, scores: torch.Tensor, *, learns: bool) -> torch.Tensor | None:
        """Turn fp32 scores of the head into logits, in their place; returns their slope where it `learns` from bent
        ones.
        """
        if self.times != 1.0 or self.over != 1.0:
            scores.mul_(self.times / self.over)
        if not self.cap:
            return None
        scores.div_(self.cap).tanh_()
        slope = scores.square().neg_().add_(1.0) if learns else None
        scores.mul_(self.cap)
        return slope


def ending_of(base: Any) -> Ending:
    """The ending of a causal model, by its head and its config. `tiling_is_exact` checks it."""
    config = base.config.get_text_config()

    def number(*names: str) -> float:
        found = (getattr(config, name, None) for name in names)
        return next((float(value) for value in found if isinstance(value, int | float) and value), 0.0)

    times, over = number("logit_scale", "lm_head_multiplier") or 1.0, number("logits_scaling") or 1.0
    return Ending(base.get_output_embeddings(), times, over, number("final_logit_softcapping"))


def tiled_loss(hidden: torch.Tensor, labels: torch.Tensor, head: torch.nn.Module | Ending) -> torch.Tensor:
    """Sum of the cross entropy over trained tokens.

    hidden: (batch, length, width); labels: (batch, length), not shifted. Returns a scalar, float32.
    """
    _drop_copies()
    ending = head if isinstance(head, Ending) else Ending(head)
    targets = labels[:, 1:].reshape(-1)
    trained = targets != IGNORED
    states = hidden[:, :-1].reshape(-1, hidden.shape[-1])[trained]
    targets = targets[trained]
    if len(targets) == 0:
        # a batch without a trained token still needs a graph to walk back
        return 0.0 * hidden.sum().float()
    frozen = not any(parameter.requires_grad for parameter in ending.head.parameters())
    if torch.is_grad_enabled() and type(ending.head) is torch.nn.Linear and frozen:
        once: torch.Tensor = _Once.apply(states, targets, ending)
        return once
    total = hidden.new_zeros((), dtype=torch.float32)
    for start in range(0, len(targets), TILE):
        tile = states[start : start + TILE], targets[start : start + TILE]
        if torch.is_grad_enabled():
            total = total + checkpoint(_tile_loss, *tile, ending, use_reentrant=False)
        else:
            total += _measured_tile(*tile, ending)
    return total


def _measured_tile(states: torch.Tensor, targets: torch.Tensor, ending: Ending) -> torch.Tensor:
    """The loss of a tile from which nothing is learned; its logits are gone when the next ones are made."""
    scores = ending.head(states).float()
    ending.finish(scores, learns=False)
    return _measured(scores, targets[:, None])[0]


def _tile_loss(states: torch.Tensor, targets: torch.Tensor, ending: Ending) -> torch.Tensor:
    return cross_entropy(ending.logits(states).float(), targets, reduction="sum")


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
    def forward(ctx: Any, states: torch.Tensor, targets: torch.Tensor, ending: Ending) -> torch.Tensor:
        head: Any = ending.head
        total = torch.zeros((), dtype=torch.float32, device=states.device)
        gradient = torch.empty_like(states)
        with torch.autocast(states.device.type, enabled=False):
            weight = head.weight.to(states.dtype)
            bias = None if head.bias is None else head.bias.to(states.dtype)
            for start in range(0, len(targets), TILE):
                tile, wanted = states[start : start + TILE], targets[start : start + TILE, None]
                scores = torch.nn.functional.linear(tile, weight, bias).float()
                bent = ending.finish(scores, learns=True)
                loss, slope = _measured(scores, wanted)
                total += loss
                # what each token is said with, less what was wanted
                slope.scatter_add_(1, wanted, torch.full_like(wanted, -1, dtype=slope.dtype))
                if bent is not None:
                    slope.mul_(bent)
                gradient[start : start + TILE] = slope.to(states.dtype) @ weight
                # or they would be there beside those of the next tile
                del scores, slope, bent
        if (factor := ending.times / ending.over) != 1.0:
            gradient.mul_(factor)
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0].to(gradient.dtype), None, None


def plain_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum of the cross entropy from all logits (batch, length, V); labels as in tiled_loss."""
    _drop_copies()
    flat = logits[:, :-1].float().reshape(-1, logits.shape[-1])
    return cross_entropy(flat, labels[:, 1:].reshape(-1), ignore_index=IGNORED, reduction="sum")


def _drop_copies() -> None:
    """Let go of the 16-bit copies of the adapter that autocast keeps for the forward pass.

    It is over, and the loss head needs the room: copies that recomputed layers made are held by nothing else.
    """
    torch.clear_autocast_cache()


def hidden_states(model: Any, **inputs: torch.Tensor) -> torch.Tensor:
    """Last hidden states (batch, length, width) of a causal model, without its head."""
    inner = getattr(model, model.base_model_prefix)
    return inner(**inputs, use_cache=False).last_hidden_state


def tiling_is_exact(model: Any, ids: torch.Tensor) -> bool:
    """Whether the ending of the hidden states gives this model's logits: checked by measuring."""
    ending = ending_of(model)
    if ending.head is None or not hasattr(model, model.base_model_prefix):
        return False
    training = model.training
    model.eval()
    # biases that learn are 32 bits wide beside weights of 16
    with torch.no_grad(), autocast(ids.device):
        whole = model(input_ids=ids, use_cache=False).logits.float()
        apart = ending.logits(hidden_states(model, input_ids=ids)).float()
    model.train(training)
    return whole.shape == apart.shape and torch.allclose(whole, apart, rtol=1e-3, atol=1e-3)
