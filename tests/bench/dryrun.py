"""Seconds and bytes of the dry run, for models as large as they come, beside the formulae of core.vram.

Run: python -m tests.bench.dryrun. Imports are not counted; the first run in a process also pays for what torch sets up.
"""

import json
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

from core.catalog import spec_from_config
from core.plan import Method, Optimizer, TrainingPlan
from core.vram import estimate

LLAMA_8B = {
    "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "vocab_size": 128_256,
}  # fmt: skip
LLAMA_70B = {
    "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80, "num_attention_heads": 64,
    "num_key_value_heads": 8, "vocab_size": 128_256,
}  # fmt: skip
PLAN = TrainingPlan(
    model="any", data=("rows.jsonl",), method=Method.QLORA, targets="full", batch=1, tokens=4096,
    optimizer=Optimizer.ADAMW8BIT,
)  # fmt: skip


def main() -> None:
    """Print a line of JSON for each model and plan."""
    warnings.simplefilter("ignore")
    from transformers import AutoConfig

    from core.engine.dryrun import dry_run

    for name, facts in (("8B", LLAMA_8B), ("70B", LLAMA_70B)):
        with tempfile.TemporaryDirectory() as folder:
            AutoConfig.for_model("llama", **facts).save_pretrained(folder)
            config = Path(folder) / "config.json"
            for checkpointing, batch in (("none", 1), ("full", 1), ("2", 4)):
                plan = replace(PLAN, checkpointing=checkpointing, batch=batch)
                found = dry_run(config, plan)
                quick = estimate(spec_from_config(config).architecture, plan)
                told = {
                    "model": name, "checkpointing": checkpointing, "batch": batch, "seconds": round(found.seconds, 2),
                    "total_bytes": found.estimate.total_bytes, "formulae": quick.total_bytes, "phases": found.phases,
                    "formulae / dry run": round(quick.total_bytes / found.estimate.total_bytes, 3),
                }  # fmt: skip
                print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
