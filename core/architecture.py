"""Architecture: the facts of a decoder that memory depends on, and the parameters that follow from them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

#: The name under which a family without the first holds it together with others (core.engine.targets finds the same).
_FUSED = {
    "q_proj": "qkv_proj", "k_proj": "qkv_proj", "v_proj": "qkv_proj",
    "gate_proj": "gate_up_proj", "up_proj": "gate_up_proj",
}  # fmt: skip


@dataclass(frozen=True)
class Architecture:
    """The facts of a decoder that memory depends on; counts, not bytes, where nothing else is said.

    `attention_bias` is the bias of q, k and v, `output_bias` that of o. With `experts` > 0 every layer's MLP
    is a mixture: `expert_intermediate` is the width of one expert, `active_experts` how many see a token,
    `shared_intermediate` the width of the expert that sees all of them (0 = none).

    `norms` of a layer are as wide as the hidden state and keep `norm_bytes` a number; `wide_qk_norm`: those of
    queries and keys have a weight for every head. `post_norm`: one stands behind the MLP. `parallel`: attention and
    MLP read one norm. `fused_qkv`, `fused_mlp`: one module for q, k and v, for gate and up. `copied_heads`: queries
    lie head by head, so attention's output is copied. `eager`: attention has no kernel and keeps `pair_bytes` for
    each pair of tokens and head. `mlp_bytes` is what an MLP keeps for each number of its width (Llama: gate, its
    activation, up; 2 bytes each). `windowed` layers look back `window` tokens only. `capped_logits`: the head's
    output is bent by a curve, whose slope the backward pass needs.

    `packs`: positions that begin again keep rows apart that share a sequence; state spaces, linear attention and
    convolutions do not look at positions, nor do a few families' masks.

    Where `known` is False (hybrid or unknown layers) all that follows from these facts is a rough guess, and the dry
    run decides.
    """

    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    experts: int = 0
    attention_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False
    qk_norm: bool = False
    expert_intermediate: int = 0
    active_experts: int = 0
    shared_intermediate: int = 0
    norms: int = 2
    norm_bytes: int = 4
    post_norm: bool = False
    wide_qk_norm: bool = False
    parallel: bool = False
    fused_qkv: bool = False
    fused_mlp: bool = False
    copied_heads: bool = False
    eager: bool = False
    pair_bytes: int = 6
    mlp_bytes: int = 6
    window: int = 0
    windowed: int = 0
    capped_logits: bool = False
    residual_dropout: bool = False
    expert_bias: bool = False
    sinks: bool = False
    packs: bool = True
    known: bool = True

    @property
    def query(self) -> int:
        """Width of the queries, heads * head_dim."""
        return self.heads * self.head_dim

    @property
    def key(self) -> int:
        """Width of the keys and of the values, kv_heads * head_dim."""
        return self.kv_heads * self.head_dim

    @cached_property
    def matrices(self) -> dict[str, tuple[int, int]]:
        """Input and output width of each linear module of one layer, by its name.

        Experts are not among them: transformers 5 fuses them into 3-D parameters, which are no linear
        modules.
        """
        hidden, dense = self.hidden, self.shared_intermediate if self.experts else self.intermediate
        found = {"qkv_proj": (hidden, self.query + 2 * self.key)} if self.fused_qkv else {
            "q_proj": (hidden, self.query), "k_proj": (hidden, self.key), "v_proj": (hidden, self.key),
        }  # fmt: skip
        found["o_proj"] = (self.query, hidden)
        if dense and self.fused_mlp:
            found["gate_up_proj"] = (hidden, 2 * dense)
        elif dense:
            found |= {"gate_proj": (hidden, dense), "up_proj": (hidden, dense)}
        if dense:
            found["down_proj"] = (dense, hidden)
        return found

    def adapted(self, names: Iterable[str]) -> tuple[str, ...]:
        """The modules that get an adapter when `names` are asked for; names that are not there count nothing."""
        asked = set(names)
        found = {name if name in self.matrices else _FUSED.get(name, "") for name in asked}
        return tuple(name for name in self.matrices if name in found)

    def bias(self, name: str) -> int:
        """Numbers of the bias that a linear module of `matrices` has."""
        has = self.output_bias if name == "o_proj" else self.mlp_bias
        if name in ("qkv_proj", "q_proj", "k_proj", "v_proj"):
            has = self.attention_bias
        return has * self.matrices[name][1]

    @property
    def biases(self) -> int:
        """Numbers of all biases of one layer that are parameters of their own: linear modules' and routers'."""
        return sum(self.bias(name) for name in self.matrices) + self.expert_bias * self.experts

    @cached_property
    def quantizable(self) -> int:
        """Parameters that 8-bit and 4-bit bases shrink: every linear module of the layers, not the head."""
        return self.layers * sum(wide * high for wide, high in self.matrices.values())

    @cached_property
    def parameters(self) -> int:
        """Every parameter, tied embeddings once. Exact for `known` families."""
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        layer = self.norms * self.hidden + self._qk_norms() + self._biases() + self._experts()
        return embeddings + self.quantizable + self.layers * layer + self.hidden

    def _qk_norms(self) -> int:
        if not self.qk_norm:
            return 0
        return self.query + self.key if self.wide_qk_norm else 2 * self.head_dim

    def _experts(self) -> int:
        """Fused experts and their router."""
        one = 3 * self.expert_intermediate * self.hidden + self.hidden
        biases = 2 * self.expert_intermediate + self.hidden + 1 if self.expert_bias else 0
        return self.experts * (one + biases)

    def _biases(self) -> int:
        attention = self.attention_bias * (self.query + 2 * self.key) + self.output_bias * self.hidden
        return attention + self.mlp_bias * (2 * self.intermediate + self.hidden) + self.sinks * self.heads
