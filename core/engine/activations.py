"""What the modules with an adapter read while rows pass: the strongest directions of it (EVA, arXiv 2410.07170)."""

from collections.abc import Iterator
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from peft.utils.incremental_pca import IncrementalPCA

from core.engine.adapters import Start, lora_layers
from core.engine.device import autocast
from core.engine.encoding import IGNORED, Encoded
from core.engine.loss import hidden_states
from core.engine.steps import fed, tensors
from core.plan import TrainingPlan
from core.problems import Code, Trouble

#: Directions that turn less than this between two batches (cosine) have been found; as peft's EvaConfig.tau.
_SAME = 0.99
#: Batches that are looked at in the end, found or not.
_MOST = 64


def strongest_inputs(model: PeftModel, plan: TrainingPlan, rows: list[Encoded]) -> Iterator[tuple[str, Start]]:
    """A: the strongest directions of what each module reads at trained tokens; B: zero, so the base is as it was.

    Modules that read the same share the work. Raises Trouble(PLAN_INVALID) when the rows have too few trained tokens.
    """
    layers = dict(lora_layers(model))
    needed = max(layer.r["default"] for layer in layers.values())
    watch = _Watch(layers)
    model.eval()
    base = model.get_base_model()
    with torch.no_grad(), model.disable_adapter(), watch:
        for number, batch in enumerate(_batches(rows, plan.batch, needed)):
            labels = batch.pop("labels").to(model.device)
            watch.trained = labels != IGNORED
            with autocast(model.device):
                hidden_states(base, **{name: each.to(model.device) for name, each in batch.items()})
            if watch.settled() or number + 1 == _MOST:
                break
    model.train()
    for name, layer in layers.items():
        weight = layer.lora_A["default"].weight
        found = watch.directions(name)
        if found is None:
            raise Trouble(
                Code.PLAN_INVALID, reason=f"initialisation: eva needs {needed} trained tokens in {plan.batch} rows"
            )
        a = weight.data.float().clone()
        a[: len(found)] = found[: len(a)]
        yield name, (a, torch.zeros_like(layer.lora_B["default"].weight.data, dtype=torch.float32))


def _batches(rows: list[Encoded], size: int, needed: int) -> Iterator[dict[str, torch.Tensor]]:
    """Padded batches of `size` rows, or of as many as have `needed` trained tokens."""
    together: list[dict[str, Any]] = []
    trained = 0
    for row in fed(rows):
        together.append(row)
        trained += int((row["labels"] != IGNORED).sum())
        if len(together) >= size and trained >= needed:
            yield tensors([[each] for each in together], 0)
            together, trained = [], 0


class _Watch:
    """Follows the inputs of modules while it is open; `trained` says which tokens of the next batch count."""

    def __init__(self, layers: dict[str, LoraLayer]) -> None:
        self._layers = layers
        self._found: dict[str, IncrementalPCA] = {}
        self._same_as: dict[str, str] = {}
        self._done: set[str] = set()
        self._last: tuple[str, torch.Tensor] | None = None
        self.trained = torch.zeros(0, dtype=torch.bool)

    def __enter__(self) -> None:
        self._hooks = [
            layer.register_forward_pre_hook(lambda _m, given, name=name: self._see(name, given[0]))
            for name, layer in self._layers.items()
        ]

    def __exit__(self, *_: object) -> None:
        self._last = None
        for hook in self._hooks:
            hook.remove()

    def _see(self, name: str, read: torch.Tensor) -> None:
        # queries, keys and values are asked one after the other with the very same tensor
        if self._last is not None and self._last[1] is read:
            self._same_as[name] = self._last[0]
            return
        self._last = (name, read)
        if name in self._done:
            return
        rank = min(max(layer.r["default"] for layer in self._layers.values()), read.shape[-1])
        pca = self._found.setdefault(name, IncrementalPCA(rank, copy=True, lowrank=True, lowrank_seed=42))
        before = pca.components_.clone() if hasattr(pca, "components_") else None
        pca.partial_fit(read[self.trained].float())
        if before is not None and torch.cosine_similarity(before, pca.components_).min() >= _SAME:
            self._done.add(name)

    def settled(self) -> bool:
        """Whether every direction has been found."""
        return len(self._done) == len(self._found)

    def directions(self, name: str) -> torch.Tensor | None:
        """(rank, width), strongest first; None when nothing was seen."""
        pca = self._found.get(self._same_as.get(name, name))
        return None if pca is None else pca.components_
