"""How fast plans are against each other: a transparent model made of published figures, not of measurements here.

Time per token = arithmetic * recomputation * what shrunk weights cost:

- arithmetic: the base is frozen, so that its matrices take 2 operations per parameter forward and 2 backward (no
  gradients of weights); the adapter takes 6; attention 6 * tokens * width per layer (causal, forward and backward).
- recomputation of every layer costs 21-29 % of the speed (published); the middle is taken, and the share of layers.
- NF4 unpacks each weight once per pass, however many tokens are in it: a tax by tokens per micro-batch, published
  at 1k, 4k and 8k tokens and drawn straight between them. Outside, a fixed time per pass goes on from the last
  point: tax = d / (d + tokens), with the d that the point implies.
- int8 multiplies slower than 16 bits, the more so the narrower the model: published for the forward pass of two
  models, drawn straight over the logarithm of the width. Its backward pass counts as 16-bit.

What is not in it: the card, its memory bandwidth, padding, the optimizer, the reading of data. So it compares plans
and never says tokens per second. The figures are the [speed] table of resources/tiers.toml.
"""

from itertools import pairwise
from math import log2

from core.architecture import Architecture
from core.plan import Method, TrainingPlan
from core.tiers import rules
from core.vram import adapter_parameters, checkpoint_every

Point = tuple[float, float]


def relative(architecture: Architecture, plan: TrainingPlan, before: tuple[Architecture, TrainingPlan]) -> float:
    """Tokens per second of `plan`, where those of `before` are 1."""
    return cost(*before) / cost(architecture, plan)


def cost(architecture: Architecture, plan: TrainingPlan) -> float:
    """Time per token of the longest sequence, in operations of a 16-bit base without recomputation."""
    return operations(architecture, plan) * recomputing(plan) * shrunk(architecture, plan)


def operations(architecture: Architecture, plan: TrainingPlan) -> float:
    """Floating point operations per token, forward and backward."""
    a = architecture
    experts = a.layers * 3 * a.active_experts * a.expert_intermediate * a.hidden
    frozen = a.quantizable + experts + a.vocabulary * a.hidden
    attention = 6 * plan.tokens * a.query * a.layers
    return 4 * frozen + 6 * adapter_parameters(a, plan) + attention


def recomputing(plan: TrainingPlan) -> float:
    """Factor on the time for layers that are computed twice: 1 for none of them."""
    every = checkpoint_every(plan)
    lost = rules()["speed"]["recomputation"]
    return 1 + lost / (1 - lost) / every if every else 1.0


def shrunk(architecture: Architecture, plan: TrainingPlan) -> float:
    """Factor on the time for a base that is not held in 16 bits."""
    if plan.method is Method.QLORA:
        return 1 / (1 - nf4_tax(plan.batch * plan.tokens))
    if plan.method is Method.LORA8:
        return 0.5 + 0.5 / _int8_speed(architecture.hidden)
    return 1.0


def nf4_tax(tokens: int) -> float:
    """The share of the speed that unpacking NF4 weights takes with `tokens` in a micro-batch."""
    points: list[Point] = rules()["speed"]["nf4_tax"]
    if points[0][0] < tokens < points[-1][0]:
        return _between(points, tokens)
    known, lost = points[0] if tokens <= points[0][0] else points[-1]
    fixed = known * lost / (1 - lost)
    return fixed / (fixed + tokens)


def _int8_speed(width: int) -> float:
    """Speed of an int8 forward pass against 16 bits."""
    points: list[Point] = rules()["speed"]["int8_forward"]
    within = min(max(width, points[0][0]), points[-1][0])
    return _between([(log2(known), speed) for known, speed in points], log2(within))


def _between(points: list[Point], where: float) -> float:
    """Straight lines through `points`, which are in order and enclose `where`."""
    for (left, low), (right, high) in pairwise(points):
        if where <= right:
            return low + (high - low) * (where - left) / (right - left)
    return points[-1][1]
