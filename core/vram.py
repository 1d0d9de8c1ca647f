"""Memory of a plan, item by item; pure arithmetic, instant (formulae: see the README's memory section).

    total = weights + adapter + gradients + optimizer + activations + logits + workspace + overhead

`activations` and `logits` are what lives at the worst moment: everything the layers saved, plus the larger of
the loss head (at the turn from forward to backward) and one layer at work (in the backward pass). What saved
tensors cost per token was read off torch's saved-tensor hooks with the real modules (tests/core/test_vram.py
repeats that); nothing here was fitted on a card yet.
"""

from dataclasses import dataclass, fields
from math import ceil

from core.architecture import Architecture
from core.choices import Bias, ranks_of
from core.fit import UNFITTED, Constants
from core.plan import Loss, Method, Optimizer, TrainingPlan
from core.saved import Layer

#: Bytes per parameter of an NF4 base: 4 bits, an 8-bit scale per 64 of them, an fp32 scale per 256 scales.
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
#: Tokens in one tile of the chunked loss head (core.engine.loss.TILE).
TILE_TOKENS = 512
#: Per token of a tile and word of the vocabulary: logits, which turn into their gradient in fp32, and a 16-bit copy.
TILE_BYTES = 4 + 2
#: The same for all tokens at once, as core.engine.loss.plain_loss computes them for models that scale their logits:
#: log-probabilities and two gradients in fp32; 16-bit logits are gone by the time that the second gradient comes.
WHOLE_BYTES = 4 + 4 + 4
#: Plain cross entropy by choice: promised with what transformers' own loss takes, which keeps the 16-bit logits.
PLAIN_BYTES = WHOLE_BYTES + 2
#: Layers that are whole on a card where a base is shared out: one at work and the next one, each as it comes over the
#: wire and as it is used. Measured with 16 layers of 31 MB on processors: 3.9.
WHOLE_LAYERS = 4
#: Bytes a token and width that live while the last norm works in the backward pass.
_LAST_NORM = 24


@dataclass(frozen=True)
class Estimate:
    """Predicted peak of a training run in bytes, split into parts that add up to `total_bytes`."""

    weights: int
    adapter: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    workspace: int
    overhead: int

    @property
    def total_bytes(self) -> int:
        return (
            self.weights + self.adapter + self.gradients + self.optimizer
            + self.activations + self.logits + self.workspace + self.overhead
        )  # fmt: skip

    def items(self) -> dict[str, int]:
        """The parts by name, in the order they are drawn."""
        return {part.name: getattr(self, part.name) for part in fields(self)}


def estimate(
    architecture: Architecture,
    plan: TrainingPlan,
    *,
    adapter_bytes: int = 4,
    autocast: bool = True,
    packed: bool | None = None,
    constants: Constants = UNFITTED,
    shared: int = 1,
) -> Estimate:
    """Predict the peak of `plan` on a CUDA card.

    `adapter_bytes` per adapter parameter: 4 (fp32, as the engine does) or 2 (bf16). Under `autocast`, as the engine
    does, adapters take 16-bit inputs as they are; else fp32 adapters work on fp32 copies, as peft makes them. Every
    micro-batch counts as full: batch * tokens. `packed` sequences hold several rows, kept apart by a mask; None is as
    the plan says and the model can. `constants` are those of the card. Where several processes have `shared` out a
    16-bit base (FSDP) the peak is that of each card, without what their talk takes outside of torch.
    """
    packed = packs(architecture, plan) if packed is None else packed
    learned = adapter_parameters(architecture, plan)
    full = adapter_bytes == 4 and not autocast
    layer = Layer(architecture, plan, full=full, adapter_bytes=adapter_bytes, packed=packed)
    worst = _worst_moment(layer, learned * adapter_bytes)
    return Estimate(
        weights=weight_bytes(architecture, plan.method) if shared == 1 else shared_bytes(architecture, shared),
        adapter=learned * adapter_bytes,
        gradients=worst["gradients"],
        optimizer=learned * (2 if plan.optimizer is Optimizer.ADAMW8BIT else 2 * adapter_bytes),
        activations=round(constants.live * worst["activations"]),
        logits=round(constants.live * worst["logits"]),
        workspace=_dequantized(architecture, plan.method),
        overhead=constants.overhead_bytes,
    )


def packs(architecture: Architecture, plan: TrainingPlan) -> bool:
    """Whether rows share sequences: the plan says so, and the model keeps them apart."""
    return plan.packing and architecture.packs


def adapter_parameters(architecture: Architecture, plan: TrainingPlan) -> int:
    """How many numbers the adapter learns: the sum of rank * (in + out) over every adapted matrix (D0).

    DoRA learns a size for each output, and the plan may let biases learn. Names that the architecture does not have
    count nothing.
    """
    a, names = architecture, architecture.adapted(plan.target_modules)
    found = ranks_of(plan, a.layers)[1] * sum(sum(a.matrices[name]) for name in names)
    if plan.dora:
        found += a.layers * sum(a.matrices[name][1] for name in names)
    if plan.bias is not Bias.NONE and names:
        found += a.layers * (a.biases if plan.bias is Bias.ALL else sum(a.bias(name) for name in names))
    return found


def weight_bytes(architecture: Architecture, method: Method) -> int:
    """Bytes of the frozen base: 16-bit; int8 with an fp32 scale per row; or NF4 with double quantization.

    Embeddings, norms, head and fused experts keep 16 bits (bitsandbytes shrinks linear modules only).
    """
    shrunk = architecture.quantizable
    rest = 2 * (architecture.parameters - shrunk)
    if method is Method.LORA:
        return rest + 2 * shrunk
    if method is Method.LORA8:
        rows = architecture.layers * sum(high for _wide, high in architecture.matrices.values())
        return rest + shrunk + 4 * rows
    return rest + ceil(NF4_BYTES * shrunk)


def shared_bytes(architecture: Architecture, processes: int) -> int:
    """Bytes that a card holds of a 16-bit base which `processes` share out (core.engine.sharing), at the worst moment.

    Embeddings, head and last norm are on every card, and a few layers are whole for as long as they work.
    """
    a = architecture
    beside = a.vocabulary * a.hidden * (1 if a.tied else 2) + a.hidden
    inside = a.parameters - beside
    return 2 * (beside + ceil(inside / processes) + min(WHOLE_LAYERS, a.layers) * ceil(inside / a.layers))


def layer_bytes(
    architecture: Architecture,
    plan: TrainingPlan,
    *,
    adapter_bytes: int = 4,
    autocast: bool = True,
    packed: bool | None = None,
) -> int:
    """Bytes that the average layer saves for the backward pass of a full micro-batch, when it is not recomputed."""
    full = adapter_bytes == 4 and not autocast
    packed = packs(architecture, plan) if packed is None else packed
    return Layer(architecture, plan, full=full, adapter_bytes=adapter_bytes, packed=packed).saved()


def checkpoint_every(plan: TrainingPlan) -> int:
    """Every how many layers one is recomputed: 0 for none, 1 for full."""
    if plan.checkpointing == "none":
        return 0
    return 1 if plan.checkpointing == "full" else max(1, int(plan.checkpointing))


def _worst_moment(layer: Layer, gradients: int) -> dict[str, int]:
    """What gradients, activations and the loss head hold at the worst moment of a step.

    That is the turn from forward to backward, with the loss head on top of everything saved; or the last norm or layer
    at work in the backward pass; or a recomputed layer, when those behind it are gone already; or, for large adapters
    on short rows, the end, with every gradient there. Gradients that accumulate over micro-batches always are.
    A recomputed layer keeps its input alone; transformers takes layer 0 and every n-th after it.
    """
    a, every = layer.architecture, checkpoint_every(layer.plan)
    saved, work, hidden = layer.saved(), layer.at_work(), a.hidden * layer.tokens
    recomputed = ceil(a.layers / every) if every else 0
    inputs, others = 2 * hidden * recomputed, a.layers - recomputed
    # embeddings learn nothing: without recomputation the first layer has no gradient to pass on
    kept = inputs + others * saved + (0 if every else -layer.first_layer_spares()) + layer.masks
    standing = gradients if layer.plan.accumulation > 1 else 0
    moments = [
        # autocast keeps its copies of the whole adapter until the forward pass is over
        (standing, kept + 2 * hidden + recomputed * layer.copies, 0),
        (standing, kept + 6 * hidden, _loss_head(a, layer.plan)),
        (standing, kept + _LAST_NORM * hidden, 0),
        (gradients, 0, 0),
    ]
    behind = 0
    if every:
        behind = a.layers - 1 - (recomputed - 1) * every
        moments.append((max(standing, gradients * behind // a.layers), kept + (1 - behind) * saved + work, 0))
    if not every or behind:
        moments.append((standing, kept + work, 0))
    return dict(zip(("gradients", "activations", "logits"), max(moments, key=sum), strict=True))


def _loss_head(architecture: Architecture, plan: TrainingPlan) -> int:
    """What head and cross entropy hold on top of the last norm; every token counts as trained."""
    tokens = plan.batch * plan.tokens
    if plan.loss is Loss.PLAIN:
        return (PLAIN_BYTES + 2 * architecture.capped_logits) * architecture.vocabulary * tokens
    # what is trained of the hidden states, its gradient, and that of a tile beside
    hidden = architecture.hidden * (4 * tokens + 2 * min(tokens, TILE_TOKENS))
    # the slope of a curve is there beside what it bent
    each = TILE_BYTES + 4 * architecture.capped_logits
    return hidden + each * architecture.vocabulary * min(tokens, TILE_TOKENS)


def _dequantized(architecture: Architecture, method: Method) -> int:
    """bitsandbytes unpacks one whole weight per matmul: 2 bytes for each parameter of the largest."""
    if method is Method.LORA:
        return 0
    return 2 * max(wide * high for wide, high in architecture.matrices.values())
