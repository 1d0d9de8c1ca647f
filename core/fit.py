"""Constants of a card that formulae cannot know, fitted to what finished runs measured there."""

import json
import os
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

GIB = 1 << 30


@dataclass(frozen=True)
class Constants:
    """What a prediction adds for a card, and how far predictions were off there.

    `context_bytes` is the CUDA context, `allocator_bytes` the slack of torch's allocator and cuBLAS' workspace, `live`
    a factor on activations and logits. `band` is the share of the total that predictions may be off by (one side),
    `samples` how many measured runs it all comes from.
    """

    context_bytes: int = 450_000_000
    allocator_bytes: int = 460 << 20
    live: float = 1.0
    band: float = 0.08
    samples: int = 0

    @property
    def overhead_bytes(self) -> int:
        return self.context_bytes + self.allocator_bytes

    def band_bytes(self, total_bytes: int) -> int:
        """Half the width of the band around a prediction."""
        return round(self.band * total_bytes)


@dataclass(frozen=True)
class Sample:
    """A measured run, in bytes: what was predicted, and what torch's allocator and the driver saw at the peak.

    `fixed_bytes` are the predicted weights, adapter, gradients, optimizer and workspace, `live_bytes` the predicted
    activations and logits before any factor. `torch_bytes` is the allocator's peak (reserved), `outside_bytes` what
    the process took beside it; 0 where that is not known.
    """

    card: str
    fixed_bytes: int
    live_bytes: int
    torch_bytes: int
    outside_bytes: int = 0
    driver: str = ""
    torch: str = ""
    time: float = field(default_factory=time.time)


#: Before a run was measured on the card: 0.3-0.6 GiB each in practice, not fitted on a GPU yet.
UNFITTED = Constants()

#: However strange the samples are, the constants stay in here.
_LIVE = (0.8, 1.25)
_ALLOCATOR = (0, 3 * GIB // 2)
_CONTEXT = (100_000_000, 3 * GIB // 2)
_BAND = (0.02, 0.15)
#: The unfitted constants count as two runs with nothing and with 8 GB alive: one odd run cannot turn the line over.
_PRIOR = (0, 8_000_000_000)
#: With fewer samples the band stays that of no samples.
_FEWEST = 3
#: The newest samples of a card that count.
_MOST = 64


def fit(samples: Sequence[Sample]) -> Constants:
    """Fit a line to the measured peaks: torch_bytes - fixed_bytes = allocator + live * live_bytes, within bounds.

    The band is twice the median miss of the fitted totals. No samples give UNFITTED.
    """
    if not samples:
        return UNFITTED
    alive = [*_PRIOR, *(sample.live_bytes for sample in samples)]
    beyond = [*(UNFITTED.allocator_bytes + x for x in _PRIOR), *(s.torch_bytes - s.fixed_bytes for s in samples)]
    live = _within(statistics.linear_regression(alive, beyond).slope, _LIVE)
    slack = statistics.median(y - live * x for x, y in zip(alive[2:], beyond[2:], strict=True))
    seen = [sample.outside_bytes for sample in samples if sample.outside_bytes > 0]
    context = statistics.median(seen) if seen else UNFITTED.context_bytes
    found = Constants(
        context_bytes=round(_within(context, _CONTEXT)),
        allocator_bytes=round(_within(slack, _ALLOCATOR)),
        live=live,
        samples=len(samples),
    )
    if len(samples) < _FEWEST:
        return found
    misses = [abs(predicted(sample, found) / measured(sample, found) - 1) for sample in samples]
    return Constants(**asdict(found) | {"band": _within(2 * statistics.median(misses), _BAND)})


def predicted(sample: Sample, constants: Constants) -> float:
    """The total that `constants` predict for the sample's run. Bytes."""
    return sample.fixed_bytes + constants.live * sample.live_bytes + constants.overhead_bytes


def measured(sample: Sample, constants: Constants) -> float:
    """The total that was measured; where the part outside of torch is not known, the constants' context. Bytes."""
    return sample.torch_bytes + (sample.outside_bytes or constants.context_bytes)


def constants_of(card: str, file: Path) -> Constants:
    """The constants of a card (by NVML's name) from the samples in `file`; UNFITTED where there are none."""
    found = [sample for sample in _read(file) if sample.card == card]
    return fit(found[-_MOST:])


def remember(sample: Sample, file: Path) -> None:
    """Add a sample to `file`, a line of JSON each. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(asdict(sample)) + "\n")
        lines.flush()
        os.fsync(lines.fileno())


def _read(file: Path) -> Iterable[Sample]:
    """Every whole line of the file that is a sample; a power cut may have left half a line."""
    kinds = {f.name: str if f.name in ("card", "driver", "torch") else (int, float) for f in fields(Sample)}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        try:
            told = json.loads(line)
            if all(isinstance(told[name], kind) for name, kind in kinds.items()):
                yield Sample(**{name: told[name] for name in kinds})
        except (ValueError, KeyError, TypeError, RecursionError):
            continue


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])
