"""What a checkpoint takes on the disk is what core.disk says before the start."""

from collections.abc import Callable

import pytest

from core import disk
from core.catalog import spec_of
from core.engine.train import train
from core.files import tree_bytes
from core.plan import Optimizer
from core.runs import RunFolder
from tests.engine.conftest import Listener


@pytest.mark.parametrize("optimizer", list(Optimizer))
def test_a_checkpoint_is_as_large_as_predicted(make_run: Callable[..., RunFolder], optimizer: Optimizer) -> None:
    # a rank at which the adapter outweighs what comes with it
    run = make_run(rank=256, optimizer=optimizer, save_every=1, steps=1)
    train(run.path, Listener(), resume=False)
    folder, plan = run.checkpoint(), run.plan()
    assert folder is not None
    assert 0.9 < tree_bytes(folder) / disk.checkpoint_bytes(spec_of(plan.model).architecture, plan) <= 1
