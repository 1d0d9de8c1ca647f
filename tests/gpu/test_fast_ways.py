"""The fast ways of a step on a real card: packed rows, fused LoRA and the loss head compute what the plain ways do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from core.engine.documents import row_by_row  # noqa: E402
from core.engine.fused import fuse  # noqa: E402
from core.engine.loss import plain_loss, tiled_loss  # noqa: E402
from core.engine.steps import tensors  # noqa: E402
from core.engine.train import train  # noqa: E402
from core.events import StepDone  # noqa: E402
from core.plan import Method  # noqa: E402
from core.runs import RunFolder  # noqa: E402
from tests.engine.conftest import Listener  # noqa: E402
from tests.engine.test_fast_ways import ROWS, adapted, assert_like, learned  # noqa: E402

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card")]


def card() -> Any:
    return torch.device("cuda", 0)


@pytest.mark.parametrize("method", list(Method))
def test_how_rows_lie_makes_no_difference(middle_run: Callable[..., RunFolder], method: Method) -> None:
    losses = []
    for packing, batch in ((True, 4), (False, 4), (False, 1)):
        run = middle_run(method=method, packing=packing, batch=batch, accumulation=48 // batch, dropout=0.0, steps=0,
                         epochs=3.0, validation_share=0.0)  # fmt: skip
        talk = Listener()
        train(run.path, talk, resume=False)
        losses.append([step.loss for step in talk.of(StepDone)])
    assert losses[1] == pytest.approx(losses[0], rel=0.02) and losses[2] == pytest.approx(losses[0], rel=0.02)


@pytest.mark.parametrize("method", [Method.LORA, Method.QLORA])
def test_fused_modules_learn_the_same(tiny_base: Path, method: Method) -> None:
    model, batch = adapted(tiny_base, method, card()), tensors([[row] for row in ROWS], pad=2)
    plain = learned(model, batch)
    assert fuse(model) == 14
    assert_like(learned(model, batch), plain, 0.01)


def test_packed_rows_learn_what_they_learn_alone(tiny_base: Path) -> None:
    model = adapted(tiny_base, Method.LORA, card())
    together, apart = tensors([ROWS], pad=2), tensors([[row] for row in ROWS], pad=2)
    assert_like(learned(model, together), learned(model, apart), 0.01)
    with row_by_row(together["position_ids"].to(card())) as is_apart:
        assert not is_apart


def test_the_loss_head_is_plain_cross_entropy_in_less_memory() -> None:
    torch.manual_seed(0)
    head = torch.nn.Linear(1024, 64_000, bias=False, device=card(), dtype=torch.bfloat16).requires_grad_(False)
    labels = torch.randint(0, 64_000, (2, 2048), device=card())
    peaks, found = [], []
    for loss in (lambda hidden: tiled_loss(hidden, labels, head), lambda hidden: plain_loss(head(hidden), labels)):
        hidden = torch.randn(
            2, 2048, 1024, device=card(), dtype=torch.bfloat16, generator=torch.Generator(card()).manual_seed(1)
        )
        hidden.requires_grad_()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        value = loss(hidden)
        value.backward()
        peaks.append(torch.cuda.max_memory_allocated() - before)
        found.append((value.item(), hidden.grad.float()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-3)
    assert (found[0][1] - found[1][1]).norm() <= 0.02 * found[1][1].norm()
    assert peaks[0] < 0.3 * peaks[1]
