"""The dry run's seconds for models as large as they come, beside the formulae; and its bytes beside published ones.

Run: python -m tests.bench.dryrun [--published]. Imports are not counted; the first run in a process also pays for what
torch sets up.
"""

import json
import statistics
import sys
import warnings
from dataclasses import dataclass, replace
from typing import Any

from core.fit import UNFITTED
from core.modelconfig import architecture_of
from core.plan import Loss, Method, Optimizer, TrainingPlan
from core.vram import estimate
from tests.bench.families import FAMILIES

GIB = 2**30
PLAN = TrainingPlan(
    model="any", data=("rows.jsonl",), method=Method.QLORA, targets="full", batch=1, tokens=4096,
    optimizer=Optimizer.ADAMW8BIT,
)  # fmt: skip
#: QLoRA of rank 32 on all linear layers, 2 x 2,048 packed tokens under flash attention: one row without a mask.
QLORA = replace(PLAN, rank=32, dropout=0.0, checkpointing="full", packing=False)
_EIGHT = {"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "pad_token_id": 0}
_SHAPE = ("hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size")


@dataclass(frozen=True)
class Published:
    """A row that others measured."""

    name: str
    family: str
    shape: tuple[int, int, int, int]
    plan: TrainingPlan
    peak_bytes: float


ROWS = (
    Published("Ministral-8B, fused loss, 8-bit Adam", "mistral", (4096, 12288, 36, 131_072), QLORA, 8.76 * GIB),
    Published(
        "MiMo-7B, plain loss, 8-bit Adam", "qwen2", (4096, 11008, 36, 151_680), replace(QLORA, loss=Loss.PLAIN),
        17.2 * GIB,
    ),
    Published(
        "Devstral-24B, fused loss, AdamW", "mistral", (5120, 32768, 40, 131_072),
        replace(QLORA, optimizer=Optimizer.ADAMW), 21e9,
    ),
)  # fmt: skip


def facts_of(row: Published) -> dict[str, Any]:
    """The facts of a published row's model."""
    shape = dict(zip(_SHAPE, row.shape, strict=True))
    return _EIGHT | shape | {"model_type": row.family, "tie_word_embeddings": False, "sliding_window": None}


def published() -> None:
    """Print predicted beside published peaks; nothing was tuned to them."""
    from core.engine.dryrun import dry_run

    print(
        "Assumed: adapters as named in the column, gradients accumulate, no dropout; predictions are torch's own\n"
        "peak with the allocator's slack and without the CUDA context, as published peaks are.\n"
    )
    errors: dict[int, list[float]] = {2: [], 4: []}
    for row in ROWS:
        for adapter_bytes, name in ((2, "bf16"), (4, "fp32")):
            total = dry_run(facts_of(row), row.plan, adapter_bytes=adapter_bytes).estimate.total_bytes
            total -= UNFITTED.context_bytes
            errors[adapter_bytes].append(abs(total / row.peak_bytes - 1))
            told = f"{row.name:38} {name} adapters: published {row.peak_bytes / GIB:6.2f} GiB, predicted"
            print(f"{told} {total / GIB:6.2f} GiB {total / row.peak_bytes - 1:+.1%}", flush=True)
    for adapter_bytes, found in errors.items():
        print(f"{adapter_bytes} bytes: median {statistics.median(found):.1%}, worst {max(found):.1%}")
    print(
        "\ngemma-3-1b, bf16, 8,192 tokens; how it was trained is not stated. Assumed: every weight, since weights,\n"
        "gradients and both Adam states in bf16 make 7.45 of the 8.87 GiB; with full checkpointing. A fused kernel\n"
        "holds no tile of logits; ours of 512 tokens x 262,144 words takes 1.5 GiB."
    )
    for loss, peak in ((Loss.PLAIN, 30.33), (Loss.CHUNKED, 8.87)):
        found = _whole_model(FAMILIES["Gemma-3-1B"], replace(PLAN, tokens=8192, checkpointing="full", loss=loss)) / GIB
        print(f"  {loss.value:7} published {peak:6.2f} GiB, predicted {found:6.2f} GiB {found / peak - 1:+.1%}")
    plan = replace(PLAN, method=Method.LORA, tokens=8192, checkpointing="full", accumulation=1, dropout=0.0)
    for loss in Loss:
        found = dry_run(FAMILIES["Gemma-3-1B"], replace(plan, loss=loss), adapter_bytes=2).estimate.total_bytes
        print(f"  {loss.value:7} as LoRA in this program: {found / GIB:6.2f} GiB")


def _whole_model(facts: dict[str, Any], plan: TrainingPlan) -> float:
    """Bytes of one step that trains every weight in bf16 with AdamW, which this program does not offer."""
    import torch
    from transformers import AutoModelForCausalLM

    from core.engine.dryrun import config_from, count_step
    from core.engine.livepeak import LivePeak
    from core.engine.loading import recompute
    from core.engine.standins import like_a_card

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config_from(facts), dtype=torch.bfloat16)
        ids = torch.zeros((plan.batch, plan.tokens), dtype=torch.long)
    recompute(model, plan)
    model.get_base_model = lambda: model
    fed = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with like_a_card(padded=False), LivePeak([*fed.values(), *model.parameters(), *model.buffers()]) as meter:
        count_step(model, fed, ids, meter, tiled=plan.loss is Loss.CHUNKED)
    # weights and both states; gradients are among what lives
    standing = 3 * 2 * sum(p.numel() for p in model.parameters())
    live = max(moment.live for phase, moment in meter.worst.items() if phase != "evaluation")
    return standing + live + UNFITTED.allocator_bytes


def seconds() -> None:
    """Print a line of JSON for each model and plan."""
    from core.engine.dryrun import dry_run

    for name in ("Llama-3.1-8B", "Qwen3-30B-A3B", "Llama-3.3-70B"):
        facts = FAMILIES[name]
        for checkpointing, batch in (("none", 1), ("full", 1), ("2", 4)):
            plan = replace(PLAN, checkpointing=checkpointing, batch=batch)
            found = dry_run(facts, plan)
            quick = estimate(architecture_of(facts), plan)
            told = {
                "model": name, "checkpointing": checkpointing, "batch": batch, "seconds": round(found.seconds, 2),
                "total_bytes": found.estimate.total_bytes, "formulae": quick.total_bytes, "phases": found.phases,
                "formulae / dry run": round(quick.total_bytes / found.estimate.total_bytes, 3),
            }  # fmt: skip
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    published() if "--published" in sys.argv else seconds()
