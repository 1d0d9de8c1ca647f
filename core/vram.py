"""Memory of a plan, item by item; pure arithmetic, instant (formulae: see the README's memory section).

    total = weights + adapter + gradients + optimizer + activations + logits + workspace + overhead

`activations` and `logits` are what lives at the worst moment: everything the layers saved, plus the larger of
the loss head (at the turn from forward to backward) and one layer at work (in the backward pass). What saved
tensors cost per token was read off torch's saved-tensor hooks with the real modules (tests/core/test_vram.py
repeats that); nothing here was fitted on a card yet.
"""

from dataclasses import dataclass, fields
from math import ceil

from core.catalog import Architecture
from core.plan import Loss, Method, Optimizer, TrainingPlan

#: Bytes per parameter of an NF4 base: 4 bits, an 8-bit scale per 64 of them, an fp32 scale per 256 scales.
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
#: Tokens in one tile of the chunked loss head (core.engine.loss.TILE).
TILE_TOKENS = 1024
#: Per token of a tile and word of the vocabulary: log-probabilities and two gradients, all fp32. Live storage
#: of core.engine.loss.tiled_loss, forward and backward, counted on a CPU: 12.1.
TILE_BYTES = 4 + 4 + 4
#: The same for plain cross entropy over all tokens at once, whose 16-bit logits stay as well (domain notes).
PLAIN_BYTES = 2 + TILE_BYTES
#: Slack of the allocator and cuBLAS workspace: 0.3-0.6 GiB in practice. Not fitted on a GPU yet.
ALLOCATOR_BYTES = 460 << 20
#: CUDA context, 0.3-0.6 GB by card and driver. Not fitted on a GPU yet.
CONTEXT_BYTES = 450_000_000
#: What each module reads; modules with the same input can share one saved copy of it.
_INPUT = {
    "q_proj": "attention", "k_proj": "attention", "v_proj": "attention", "o_proj": "attention output",
    "gate_proj": "mlp", "up_proj": "mlp", "down_proj": "mlp product",
}  # fmt: skip
#: A layer at work in the backward pass holds this much of what it saves beyond it: its gradients.
_AT_WORK = 0.5


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
    architecture: Architecture, plan: TrainingPlan, *, adapter_bytes: int = 4, autocast: bool = False
) -> Estimate:
    """Predict the peak of `plan` on a CUDA card.

    `adapter_bytes` per adapter parameter: 4 (fp32) or 2 (bf16). fp32 adapters work on fp32 copies of their
    inputs, as peft makes them, or on 16-bit copies under `autocast`. Every micro-batch counts as full: batch
    * tokens.
    """
    learned = adapter_parameters(architecture, plan)
    head = _loss_head(architecture, plan)
    layer = layer_bytes(architecture, plan, adapter_bytes=adapter_bytes, autocast=autocast)
    copies = 2 * learned if autocast and adapter_bytes == 4 else 0
    return Estimate(
        weights=weight_bytes(architecture, plan.method),
        adapter=learned * adapter_bytes,
        gradients=learned * adapter_bytes,
        optimizer=learned * (2 if plan.optimizer is Optimizer.ADAMW8BIT else 2 * adapter_bytes),
        activations=_live_bytes(architecture, plan, layer, head) - head,
        logits=head,
        workspace=_dequantized(architecture, plan.method) + copies,
        overhead=ALLOCATOR_BYTES + CONTEXT_BYTES,
    )


def adapter_parameters(architecture: Architecture, plan: TrainingPlan) -> int:
    """How many numbers the adapter learns: the sum of rank * (in + out) over every adapted matrix (D0).

    Names that the architecture does not have count nothing.
    """
    widths = (architecture.matrices.get(name) for name in set(plan.target_modules))
    return plan.rank * architecture.layers * sum(sum(pair) for pair in widths if pair)


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


def layer_bytes(
    architecture: Architecture, plan: TrainingPlan, *, adapter_bytes: int = 4, autocast: bool = False
) -> int:
    """Bytes that one layer saves for the backward pass of a full micro-batch, when it is not recomputed.

    With bf16 adapters on all modules this is 12H + 4Q + 4K + 8I + 14r + 4·heads a token, + 14H + I for
    dropout.
    """
    token = _base_bytes(architecture, plan) + _adapter_bytes(architecture, plan, adapter_bytes, autocast)
    return plan.batch * plan.tokens * token + 2 * _padding_pairs(plan)


def checkpoint_every(plan: TrainingPlan) -> int:
    """Every how many layers one is recomputed: 0 for none, 1 for full."""
    if plan.checkpointing == "none":
        return 0
    return 1 if plan.checkpointing == "full" else max(1, int(plan.checkpointing))


def _live_bytes(architecture: Architecture, plan: TrainingPlan, layer: int, head: int) -> int:
    """What the pass holds at its worst moment: saved tensors, and the loss head or one layer at work on top.

    A recomputed layer keeps its input alone, 2 bytes per token and width; transformers takes layer 0 and
    every n-th after it. Recomputing never costs more than keeping everything.
    """
    layers, every = architecture.layers, checkpoint_every(plan)
    kept = layers * layer + max(head, int(_AT_WORK * layer))
    if every:
        recomputed = ceil(layers / every)
        inputs = 2 * architecture.hidden * plan.batch * plan.tokens * recomputed
        kept = min(kept, inputs + (layers - recomputed) * layer + max(head, int((1 + _AT_WORK) * layer)))
    return kept + _padding_pairs(plan)


def _base_bytes(a: Architecture, plan: TrainingPlan) -> int:
    """Two fp32 norm inputs, queries, keys, values, attention output and statistics, three MLP tensors; norms
    on q, k.

    A padding mask makes attention repeat keys and values for every head; rows of one batch are padded alike.
    """
    keys = a.query if plan.batch > 1 else a.key
    norms = 8 * a.hidden + (4 * (a.query + a.key) if a.qk_norm else 0)
    return norms + 4 * a.query + 4 * keys + 4 * a.heads + 6 * _mlp_width(a) + 4 * a.hidden * a.active_experts


def _mlp_width(a: Architecture) -> int:
    """Width of all MLP tensors that one token passes: dense, or its active experts and the shared one."""
    return a.active_experts * a.expert_intermediate + a.shared_intermediate if a.experts else a.intermediate


def _adapter_bytes(a: Architecture, plan: TrainingPlan, adapter_bytes: int, autocast: bool) -> int:
    """Saved inputs of the adapted modules and of 8-bit matmuls, and the adapters' inner values.

    bf16 adapters share one 16-bit input per group of modules; dropout and fp32 adapters keep one each.
    """
    targets = [name for name in a.matrices if name in plan.target_modules]
    full = adapter_bytes == 4 and not autocast
    own = 4 if full else 2 if adapter_bytes == 4 or plan.dropout else 0
    mask = 1 if plan.dropout else 0
    inner = plan.rank * len(targets) * (4 if full else 2)
    private = sum((own + mask) * a.matrices[name][0] for name in targets)
    sharing = list(a.matrices) if plan.method is Method.LORA8 else [] if own else targets
    return inner + private + 2 * _shared_inputs(a, sharing)


def _shared_inputs(a: Architecture, names: list[str]) -> int:
    """Width of the distinct inputs of the named modules; that of o is the attention output, saved anyway."""
    inputs = {_INPUT[name]: a.matrices[name][0] for name in names}
    return sum(width for group, width in inputs.items() if group != "attention output")


def _padding_pairs(plan: TrainingPlan) -> int:
    """Token pairs in the padding mask of a batch: a byte each, and 2 more in every layer that uses it."""
    return plan.batch * plan.tokens**2 if plan.batch > 1 else 0


def _loss_head(architecture: Architecture, plan: TrainingPlan) -> int:
    """Peak of last norm, head and cross entropy; every token counts as trained."""
    tokens = plan.batch * plan.tokens
    around = 8 * architecture.hidden * tokens
    if plan.loss is Loss.PLAIN:
        return around + PLAIN_BYTES * architecture.vocabulary * tokens
    return around + TILE_BYTES * architecture.vocabulary * min(tokens, TILE_TOKENS)


def _dequantized(architecture: Architecture, method: Method) -> int:
    """bitsandbytes unpacks one whole weight per matmul: 2 bytes for each parameter of the largest."""
    if method is Method.LORA:
        return 0
    return 2 * max(wide * high for wide, high in architecture.matrices.values())
