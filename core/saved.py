"""What one layer keeps for the backward pass of a micro-batch, and what it holds on top while it is at work.

Read off torch's saved-tensor hooks (tests/core/test_vram_torch.py repeats that) and off the dry run's worst moments.
Everything is counted per token and multiplied by the tokens of a full micro-batch.
"""

from dataclasses import dataclass

from core.architecture import Architecture
from core.choices import ranks_of
from core.plan import Method, TrainingPlan

#: What each module reads; modules with the same input can share one saved copy of it.
_INPUT = {
    "qkv_proj": "attention", "q_proj": "attention", "k_proj": "attention", "v_proj": "attention",
    "o_proj": "attention output", "gate_up_proj": "mlp", "gate_proj": "mlp", "up_proj": "mlp",
    "down_proj": "mlp product",
}  # fmt: skip

#: Bytes a pair of tokens and head that attention without a kernel holds beyond what it saves; with sinks, less: there
#: no fp32 copy is made.
_EAGER_WORK = {False: 6, True: 4}


@dataclass(frozen=True)
class Layer:
    """One layer under a plan. `full`: fp32 adapters work on fp32 copies of their inputs, without autocast; `packed`:
    sequences hold several rows each, kept apart by a mask.
    """

    architecture: Architecture
    plan: TrainingPlan
    full: bool
    adapter_bytes: int
    packed: bool

    @property
    def tokens(self) -> int:
        return self.plan.batch * self.plan.tokens

    @property
    def fused(self) -> bool:
        """Whether adapted modules are one operation (core.engine.fused); 8-bit bases and DoRA are left to peft."""
        return not self.full and self.plan.method is not Method.LORA8 and not self.plan.dora

    @property
    def pairs(self) -> int:
        """Pairs of tokens that can see each other's places."""
        return self.plan.batch * self.plan.tokens**2

    @property
    def windows(self) -> int:
        """How many layers have a mask of their own, because they look back less far than sequences are long."""
        a = self.architecture
        return a.windowed if a.window and (self.packed or a.eager or self.plan.tokens >= a.window) else 0

    @property
    def masks(self) -> int:
        """Bytes of the masks that all layers share: 2 a pair, once for layers with a window and once for others.

        What no document cuts is the same for the whole batch (core.engine.masks).
        """
        a = self.architecture
        others = (self.packed or a.eager) and self.windows < a.layers
        pairs = self.pairs if self.packed or a.eager else self.plan.tokens**2
        return 2 * pairs * (bool(self.windows) + others)

    @property
    def copies(self) -> int:
        """Bytes of the 16-bit copies of the layer's adapter that autocast keeps where peft computes the adapter."""
        a = self.architecture
        numbers = ranks_of(self.plan, a.layers)[1] * sum(sum(a.matrices[name]) for name in self.targets)
        return 2 * numbers // a.layers if self.adapter_bytes == 4 and not self.full and not self.fused else 0

    @property
    def targets(self) -> tuple[str, ...]:
        return self.architecture.adapted(self.plan.target_modules)

    def saved(self) -> int:
        """Bytes that the average layer saves when it is not recomputed.

        With adapters on all modules of a Llama under autocast this is 12H + 4Q + 4K + 8I + 14r + 4·heads + 8 a token,
        + 5H + Q + I for dropout's masks; where peft computes the adapter, + its copies.
        """
        a = self.architecture
        share = 1.0 if self.packed else self.windows / a.layers
        plain, masked = (self._base(m) + self._adapters(m) for m in (False, True))
        token = plain + share * (masked - plain)
        pairs = a.heads * a.pair_bytes * self.pairs if a.eager else 0
        return round(self.tokens * token + pairs + self.copies + self._sizes())

    def at_work(self) -> int:
        """Bytes that a layer holds beyond what it saves, at its worst moment: forward again, or backward."""
        a, targets = self.architecture, self.targets
        hidden, width = a.hidden, self._mlp_width()
        own, mask = self._own()
        down = "down_proj" in targets
        int8 = self.plan.method is Method.LORA8
        freed = (own + mask if own else 2 * (not int8)) * width if down and not a.experts else 0
        behind = a.norm_bytes * hidden if a.post_norm else 0
        if a.experts:
            # their outputs weighted and put together again; and, like any MLP, gate and up once the product has gone
            active = a.active_experts
            moments = [(6 * active + 6) * hidden, (a.mlp_bytes + 2) // 2 * width + (4 * active + 4) * hidden]
        else:
            moments = [6 * width + 2 * hidden * (2 if int8 else 1) - behind - freed]
        if down:
            product = (0 if int8 or not own else 2) + (4 if self.full and mask else 0)
            moments.append(product * width + (14 if self.full else 10) * hidden)
        if "up_proj" in targets:
            moments.append((8 if self.full else 4) * width - freed + (6 if self.fused else 12) * hidden)
        if "gate_up_proj" in targets and not self.fused:
            beside = 12 + 4 * mask if self.full else 4 + (own + 2 * down) * (not int8)
            moments.append((14 if self.full else 6) * width - freed + beside * hidden - behind)
        if a.post_norm:
            # the norm behind the MLP goes backward first, in fp32
            moments.append(22 * hidden)
        if a.eager:
            # attention forward again: nothing of the MLP is there yet, but pairs in several formats are
            gone = 2 * a.norm_bytes * hidden if a.norms > 2 else 0
            gone += a.mlp_bytes * width + (2 * hidden + 24) * a.active_experts + self._mlp_copies()
            moments.append(_EAGER_WORK[a.sinks] * a.heads * self.plan.tokens - gone)
        return self.tokens * max(moments) + self._measuring()

    def first_layer_spares(self) -> int:
        """Bytes that the first layer saves less when nothing before it learns: a norm's input, dropout's masks."""
        a = self.architecture
        masks = sum(a.matrices[name][0] for name in self.targets if _INPUT[name] == "attention")
        return self.tokens * (a.norm_bytes * a.hidden + self._own()[1] * masks)

    def _base(self, masked: bool) -> int:
        """fp32 norm inputs and a statistic each, queries, keys, values, attention's output, three MLP tensors.

        A mask makes attention repeat keys and values for every head.
        """
        a = self.architecture
        norms = a.norms * (a.norm_bytes * a.hidden + 4)
        if a.qk_norm:
            norms += a.norm_bytes * (a.query + a.key) + (8 if a.wide_qk_norm else 4 * (a.heads + a.kv_heads))
        keys = a.query if (masked or a.eager) and a.kv_heads > 1 else a.key
        attention = 2 * a.query + 4 * keys + (0 if a.eager else 2 * a.query + 4 * a.heads)
        if a.fused_qkv and keys == a.key:
            # values are a part of what the module put out, which stays whole
            attention += 2 * (a.query + a.key)
        mixture = (2 * a.hidden + 24) * a.active_experts + 6 * a.experts
        return norms + attention + a.mlp_bytes * self._mlp_width() + mixture + 2 * a.hidden * a.residual_dropout

    def _mlp_width(self) -> int:
        """Width of all MLP tensors that one token passes: dense, or its active experts and the shared one."""
        a = self.architecture
        return a.active_experts * a.expert_intermediate + a.shared_intermediate if a.experts else a.intermediate

    def _own(self) -> tuple[int, int]:
        """Bytes a number of the copy that a module keeps of its input for itself, and of dropout's mask."""
        own = 4 if self.full else 2 if self.plan.dropout and not self.fused else 0
        return own, 1 if self.plan.dropout else 0

    def _mlp_copies(self) -> int:
        """What the adapters of the MLP keep of their inputs for themselves."""
        names = [name for name in self.targets if _INPUT[name].startswith("mlp")]
        return sum(self._own()) * sum(self.architecture.matrices[name][0] for name in names)

    def _adapters(self, masked: bool) -> float:
        """Saved inputs of the adapted modules and of 8-bit matmuls, and the adapters' inner values.

        Adapters share one 16-bit input per group of modules; with dropout or on fp32 copies they keep one each.
        """
        a, targets = self.architecture, self.targets
        own, mask = self._own()
        inner = ranks_of(self.plan, a.layers)[1] / a.layers * len(targets) * (4 if self.full else 2)
        private = sum((own + mask) * a.matrices[name][0] for name in targets)
        int8 = self.plan.method is Method.LORA8
        sharing = list(a.matrices) if int8 else [] if own else list(targets)
        return inner + private + 2 * self._shared(sharing, masked)

    def _sizes(self) -> int:
        """What DoRA saves on top: outputs of base and adapter, and on a 16-bit base an input of its own for every
        module, or under dropout the weights once more.
        """
        if not self.plan.dora:
            return 0
        shapes = [self.architecture.matrices[name] for name in self.targets]
        saved = self.tokens * sum(4 * high for _wide, high in shapes)
        if self.plan.method is Method.QLORA:
            return saved
        if self.plan.dropout:
            return saved + sum(2 * wide * high for wide, high in shapes)
        own = sum(wide for wide, _high in shapes) - self._shared(list(self.targets), masked=False)
        return saved + 2 * self.tokens * own

    def _measuring(self) -> int:
        """What DoRA holds while it measures a weight: the weight twice, the change, and a unit matrix to make it of."""
        shapes = [self.architecture.matrices[name] for name in self.targets] if self.plan.dora else []
        return max((4 * wide * wide + 12 * wide * high for wide, high in shapes), default=0)

    def _shared(self, names: list[str], masked: bool) -> int:
        """Width of the distinct inputs of the named modules.

        That of o is the attention's output, which the kernel saved, unless it had to be copied.
        """
        a = self.architecture
        inputs = {_INPUT[name]: a.matrices[name][0] for name in names}
        if not (a.eager or (a.copied_heads and not masked)):
            inputs.pop("attention output", None)
        if a.parallel and "attention" in inputs:
            inputs.pop("mlp", None)
        return sum(inputs.values())
