"""The tiled loss head against plain cross entropy: time and peak memory, side by side in one run, on the processor.

Run: python -m tests.bench.loss_head. One forward and backward of head and loss alone, vocabulary 49,152, in
processes of their own, in turn; ratios are tiled / plain.
"""

import json
import multiprocessing
import resource
import statistics
import time

TOKENS, WIDTH, VOCABULARY, TRAINED = 4096, 576, 49_152, 0.4


def measure(kind: str, answer: "multiprocessing.SimpleQueue[tuple[float, int]]") -> None:
    """Put (seconds, growth of the peak in bytes) for one forward and backward."""
    import torch

    from core.engine.encoding import IGNORED
    from core.engine.loss import plain_loss, tiled_loss

    torch.manual_seed(0)
    head = torch.nn.Linear(WIDTH, VOCABULARY, bias=False).to(torch.bfloat16).requires_grad_(False)
    hidden = torch.randn(1, TOKENS, WIDTH, dtype=torch.bfloat16, requires_grad=True)
    labels = torch.randint(0, VOCABULARY, (1, TOKENS))
    labels[:, : int(TOKENS * (1 - TRAINED))] = IGNORED
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    loss = tiled_loss(hidden, labels, head) if kind == "tiled" else plain_loss(head(hidden), labels)
    loss.backward()
    seconds = time.perf_counter() - started
    answer.put((seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024))


def main() -> None:
    """Print medians and ratios over five pairs."""
    context = multiprocessing.get_context("spawn")
    found: dict[str, list[tuple[float, int]]] = {"tiled": [], "plain": []}
    for _ in range(5):
        for kind, rows in found.items():
            answer = context.SimpleQueue()
            child = context.Process(target=measure, args=(kind, answer))
            child.start()
            rows.append(answer.get())
            child.join()
    median = {k: [statistics.median(column) for column in zip(*rows, strict=True)] for k, rows in found.items()}
    ratios = [a / b for a, b in zip(median["tiled"], median["plain"], strict=True)]
    print(
        json.dumps({"seconds, peak bytes": median, "ratio of seconds": ratios[0], "ratio of peak": ratios[1]}, indent=2)
    )


if __name__ == "__main__":
    main()
