"""The doctor's self-test on a real card: every trial is right there, and the build has code for it."""

import pytest

torch = pytest.importorskip("torch")

from core.doctor import Readings, judge  # noqa: E402
from core.doctor.judge_card import RIGHT  # noqa: E402
from core.doctor.read import read_cards  # noqa: E402
from core.engine.selftest import self_test  # noqa: E402
from core.findings import Check, Probed  # noqa: E402

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card")]


def test_every_trial_is_right_on_the_card() -> None:
    told = list[Probed]()
    self_test([check.value for check in Check], told.append)
    trials = [one for one in told if one.outcome != "begun" and one.name in RIGHT]
    assert {one.outcome for one in trials} == {"done"}, trials
    assert all(one.device == torch.cuda.get_device_name(0) for one in trials[:1])
    for one in trials:
        for what, most in RIGHT[one.name].items():
            # right, with room to spare on both sides of the limit
            assert one.facts[what] * 1.3 < most, one
    ended = tuple(one for one in told if one.outcome != "begun")
    [build] = judge(Readings(cards=read_cards(), probes=ended), [Check.TORCH])
    assert build.code == "torch_good", build
