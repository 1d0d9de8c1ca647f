"""The combinations that tests/bench/card.py measures, the most telling first; every shape is a real model's."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.architecture import Architecture
from core.catalog import config_of, spec_of
from core.modelconfig import architecture_of
from core.plan import Loss, Method, Optimizer, TrainingPlan

Q05, Q15, Q7, Q32 = (f"Qwen/Qwen2.5-{size}-Instruct" for size in ("0.5B", "1.5B", "7B", "32B"))
Q4, Q8, Q14 = "Qwen/Qwen3-4B-Instruct-2507", "Qwen/Qwen3-8B", "Qwen/Qwen3-14B"
L1, L3, L8 = (f"meta-llama/Llama-{size}-Instruct" for size in ("3.2-1B", "3.2-3B", "3.1-8B"))
L70 = "meta-llama/Llama-3.3-70B-Instruct"
GEMMA, MISTRAL = "google/gemma-3-1b-it", "mistralai/Mistral-Small-24B-Instruct-2501"
LORA, LORA8, QLORA = Method.LORA, Method.LORA8, Method.QLORA

#: Shapes for `--pretend`: on a processor nothing real is small enough.
TINY: dict[str, dict[str, Any]] = {
    "tiny/llama": {
        "model_type": "llama", "hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 512, "tie_word_embeddings": False,
    },
    "tiny/qwen3": {
        "model_type": "qwen3", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "vocab_size": 768,
        "tie_word_embeddings": True,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Combination:
    """A model and a plan to measure. Rows are of `tokens` tokens, all trained.

    The rows of one batch differ by a token or two, so that there is a padding mask as with real rows; `even` ones do
    not. `reentrant` says which kind of recomputation is switched on instead of the product's choice. `folder`: the
    weights are written to a folder first and loaded as the product loads them, instead of made on the card.
    """

    model: str
    method: Method
    batch: int = 1
    tokens: int = 1024
    checkpointing: str = "none"
    rank: int = 16
    targets: str = "full"
    optimizer: Optimizer = Optimizer.ADAMW
    loss: Loss = Loss.CHUNKED
    dropout: float = 0.0
    accumulation: int = 2
    even: bool = False
    reentrant: bool | None = None
    folder: bool = False

    @property
    def counts(self) -> bool:
        """Whether the product would run this and the prediction speaks of it, so that errors count."""
        return self.reentrant is None and not self.even

    @property
    def key(self) -> str:
        """What it is, in a line; no two combinations share it."""
        words = [
            self.model, self.method, f"{self.batch}x{self.tokens}", f"recompute-{self.checkpointing}",
            f"r{self.rank}-{self.targets}", self.optimizer, self.loss, f"acc{self.accumulation}",
        ]  # fmt: skip
        words += [f"dropout{self.dropout}"] * (self.dropout > 0) + ["even"] * self.even + ["folder"] * self.folder
        words += [f"reentrant-{str(self.reentrant).lower()}"] * (self.reentrant is not None)
        return " ".join(str(word) for word in words)

    def plan(self, steps: int = 0) -> TrainingPlan:
        """The plan that is measured; its data are made up."""
        return TrainingPlan(
            model=self.model, data=("made-up.jsonl",), method=self.method, batch=self.batch, tokens=self.tokens,
            checkpointing=self.checkpointing, rank=self.rank, alpha=2 * self.rank, targets=self.targets,
            optimizer=self.optimizer, loss=self.loss, dropout=self.dropout, accumulation=self.accumulation,
            steps=steps, packing=False,
        )  # fmt: skip


def facts_of(model: str) -> dict[str, Any]:
    """The facts of the model's config.json."""
    return dict(TINY[model]) if model in TINY else dict(config_of(spec_of(model)))


def shape_of(model: str) -> Architecture:
    """The architecture as the product's arithmetic sees it."""
    return architecture_of(TINY[model]) if model in TINY else spec_of(model).architecture


def _each(methods: Iterable[Method], model: str, **more: Any) -> list[Combination]:
    return [Combination(model, method, **more) for method in methods]


_8BIT = Optimizer.ADAMW8BIT
#: First what decides (all methods, all kinds of recomputation, 0.5B to 32B), then speed, then the rest.
GRID: tuple[Combination, ...] = (
    Combination(L8, LORA8, tokens=4096, checkpointing="full"),
    Combination(L8, QLORA, tokens=4096, checkpointing="full"),
    Combination(L8, LORA, tokens=4096, checkpointing="full"),
    Combination(L8, LORA8, tokens=4096, checkpointing="full", reentrant=False),
    Combination(Q15, LORA, batch=2),
    Combination(Q4, QLORA, batch=4, tokens=1024),
    Combination(Q05, LORA8, batch=8, tokens=512),
    Combination(Q14, QLORA, tokens=2048, checkpointing="full", rank=32, optimizer=_8BIT),
    Combination(L3, LORA, batch=2, tokens=2048, checkpointing="4", targets="recommended", dropout=0.05),
    Combination(Q7, LORA8, tokens=2048, checkpointing="4", rank=64),
    Combination(Q32, QLORA, tokens=2048, checkpointing="full"),
    Combination(Q05, LORA, batch=8, tokens=1024, loss=Loss.PLAIN),
    Combination(Q15, QLORA, batch=2, folder=True),
    Combination(Q15, LORA8, batch=2, folder=True),
    Combination(Q15, LORA8, batch=2),
    Combination(Q15, QLORA, batch=2),
    Combination(Q7, QLORA, batch=4, tokens=2048, checkpointing="full", dropout=0.05),
    Combination(L1, LORA, tokens=8192, checkpointing="full", rank=8, targets="minimal"),
    Combination(Q8, LORA8, batch=2, tokens=1024, checkpointing="full", optimizer=_8BIT),
    Combination(Q8, LORA, tokens=2048, rank=128),
    Combination(GEMMA, QLORA, batch=2, tokens=2048, loss=Loss.PLAIN, checkpointing="full"),
    # speed: recomputation none, every 4th layer, full (above), one shape and method each
    Combination(L8, LORA, tokens=4096),
    Combination(L8, LORA, tokens=4096, checkpointing="4"),
    Combination(L8, QLORA, tokens=4096),
    Combination(L8, QLORA, tokens=4096, checkpointing="4"),
    # speed: what unpacking costs with 1k and 8k tokens in a micro-batch (4k above)
    *_each((LORA, LORA8, QLORA), L8, tokens=1024, checkpointing="full"),
    *_each((LORA, LORA8, QLORA), L8, tokens=8192, checkpointing="full"),
    # speed and memory: the head
    Combination(L8, LORA, tokens=4096, checkpointing="full", loss=Loss.PLAIN),
    Combination(Q7, QLORA, tokens=4096, checkpointing="full", loss=Loss.PLAIN),
    Combination(Q7, QLORA, tokens=4096, checkpointing="full"),
    # the largest that fit
    Combination(L70, QLORA, tokens=1024, checkpointing="full", optimizer=_8BIT),
    Combination(Q14, LORA, batch=2, tokens=2048, checkpointing="full"),
    Combination(MISTRAL, LORA8, tokens=4096, checkpointing="full"),
    Combination(Q32, LORA, tokens=1024, checkpointing="full", targets="recommended"),
    Combination(Q32, LORA8, tokens=2048, checkpointing="full", rank=8),
    # what a padding mask costs, and one row per step
    Combination(Q7, QLORA, batch=4, tokens=2048, checkpointing="full", dropout=0.05, even=True),
    Combination(Q15, LORA, batch=2, even=True),
    Combination(Q15, LORA, batch=2, accumulation=1),
    Combination(Q4, LORA8, batch=4, tokens=512, checkpointing="2", dropout=0.05),
    Combination(Q05, QLORA, batch=8, tokens=512, rank=256),
)

#: For `--pretend`: each method once, through the same code.
PRETENDED: tuple[Combination, ...] = (
    Combination("tiny/llama", LORA, batch=2, tokens=64),
    Combination("tiny/qwen3", LORA8, tokens=96, checkpointing="full"),
    Combination("tiny/llama", QLORA, tokens=96, checkpointing="2", loss=Loss.PLAIN),
)
