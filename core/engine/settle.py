"""After training on 4 bits: a few steps on the 16-bit weights that the adapter is merged into, where they fit.

A QLoRA adapter also learns to make up for what 4 bits lost. On the 16-bit base there is nothing to make up for: the
adapter is off by that much, most of all with small models (measured on the starter model: 7 of 10 held-out questions
before, 9 after). A fifth as many steps at a quarter of the rate settle it.
"""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import torch
from peft import PeftModel

from core.engine.device import autocast, device
from core.engine.encoding import Encoded
from core.engine.fused import fuse
from core.engine.loading import load_base, recompute
from core.engine.loss import ending_of, hidden_states, plain_loss, tiled_loss, tiling_is_exact
from core.engine.masks import shared_masks
from core.engine.steps import Batch, Layout, fed, trained_tokens
from core.events import Noted, Stage, StageName
from core.files import tree_bytes
from core.jobs.talk import Talk
from core.plan import Method, TrainingPlan

#: Steps and learning rate of settling, as shares of the run's.
STEPS = 0.2
RATE = 0.25
#: Free memory it takes, in sizes of the 16-bit weights: the weights, and room to work.
ROOM = 3.0


def settles(plan: TrainingPlan, folder: Path) -> bool:
    """Whether the plan's adapter should settle, and the 16-bit base fits beside its activations."""
    if plan.method is not Method.QLORA:
        return False
    gc.collect()
    where = device()
    if where.type == "cuda":
        torch.cuda.empty_cache()
    free = torch.cuda.mem_get_info(where)[0] if where.type == "cuda" else psutil.virtual_memory().available
    return free > ROOM * tree_bytes(folder)


def settle(
    plan: TrainingPlan, folder: Path, adapter: Path, rows: list[Encoded], layout: Layout, steps: int, talk: Talk
) -> PeftModel:
    """Return the adapter on the 16-bit base after a fifth of `steps` more; stops early when asked to."""
    base = load_base(folder, Method.LORA, device())
    model = PeftModel.from_pretrained(base, str(adapter), is_trainable=True)
    fuse(model)
    recompute(base, plan)
    tiled = tiling_is_exact(base, torch.from_numpy(rows[0].ids[:16].astype("int64"))[None].to(model.device))
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=plan.learning_rate * RATE, weight_decay=plan.weight_decay)
    total = max(4, round(steps * STEPS))
    model.train()
    taken = 0
    for done, batches in enumerate(_steps(plan, rows, layout, total)):
        talk.emit(Stage(stage=StageName.SETTLING, done=done, total=total, unit="steps"))
        if talk.stop_requested:
            break
        tokens = trained_tokens(batches)
        for batch in batches:
            (_loss(base, batch, tiled=tiled) / max(tokens, 1)).backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        taken += 1
    talk.emit(Noted(code="settled", facts={"steps": taken}))
    return model


def _loss(base: Any, batch: Batch, *, tiled: bool) -> torch.Tensor:
    moved = {name: tensor.to(next(base.parameters()).device) for name, tensor in batch.items()}
    labels = moved.pop("labels")
    with autocast(labels.device), shared_masks():
        if tiled:
            return tiled_loss(hidden_states(base, **moved), labels, ending_of(base))
        return plain_loss(base(**moved, use_cache=False).logits, labels)


def _steps(plan: TrainingPlan, rows: list[Encoded], layout: Layout, steps: int) -> Iterator[list[Batch]]:
    """Micro-batches of each step, rows in a seeded order that starts over when it ends."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(plan.seed)).tolist()
    place = 0
    for _ in range(steps):
        chosen = [rows[order[(place + i) % len(order)]] for i in range(min(plan.effective_batch, len(order)))]
        place += len(chosen)
        yield layout(fed(chosen))["micro_batches"]
