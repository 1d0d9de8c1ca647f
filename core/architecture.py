"""Architecture: the facts of a decoder that memory depends on, and the parameters that follow from them."""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Architecture:
    """The facts of a Llama-type decoder that memory depends on; counts, not bytes.

    `attention_bias` is the bias of q, k and v, `output_bias` that of o. With `experts` > 0 every layer's MLP
    is a mixture: `expert_intermediate` is the width of one expert, `active_experts` how many see a token,
    `shared_intermediate` the width of the expert that sees all of them (0 = none).
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
        """Input and output width of each linear module of one layer, by its Llama name.

        Experts are not among them: transformers 5 fuses them into 3-D parameters, which are no linear
        modules.
        """
        hidden, dense = self.hidden, self.shared_intermediate if self.experts else self.intermediate
        attention = {
            "q_proj": (hidden, self.query),
            "k_proj": (hidden, self.key),
            "v_proj": (hidden, self.key),
            "o_proj": (self.query, hidden),
        }
        if not dense:
            return attention
        return attention | {
            "gate_proj": (hidden, dense),
            "up_proj": (hidden, dense),
            "down_proj": (dense, hidden),
        }

    @property
    def quantizable(self) -> int:
        """Parameters that 8-bit and 4-bit bases shrink: every linear module of the layers, not the head."""
        return self.layers * sum(wide * high for wide, high in self.matrices.values())

    @property
    def parameters(self) -> int:
        """Every parameter, tied embeddings once. Exact for Llama, Mistral, Qwen2, Qwen3, Mixtral."""
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        norms = 2 * self.hidden + (2 * self.head_dim if self.qk_norm else 0)
        layer = norms + self._biases() + self.experts * (3 * self.expert_intermediate + 1) * self.hidden
        return embeddings + self.quantizable + self.layers * layer + self.hidden

    def _biases(self) -> int:
        attention = self.attention_bias * (self.query + 2 * self.key) + self.output_bias * self.hidden
        return attention + self.mlp_bias * (2 * self.intermediate + self.hidden)
