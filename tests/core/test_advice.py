"""The documents' rules on rank, danger signals, amount of data and the size of an adapter."""

from dataclasses import replace

import pytest

from core.advice import adapter_parameters, rank_for_goal, signals
from core.catalog import Architecture, spec_of
from core.plan import Method, TrainingPlan
from core.reasons import Reason, ReasonCode

PLAN = TrainingPlan(model="any", data=("rows.jsonl",))


def codes(plan: TrainingPlan, rows: int | None = None) -> list[str]:
    return [reason.code for reason in signals(plan, rows)]


def test_the_default_plan_has_no_danger_in_it() -> None:
    assert signals(PLAN) == ()


@pytest.mark.parametrize(("goal", "rank"), [("simple", 8), ("medium", 16), ("complex", 32)])
def test_rank_follows_the_task(goal: str, rank: int) -> None:
    assert rank_for_goal(goal) == rank


def test_an_unknown_task_is_an_error() -> None:
    with pytest.raises(ValueError, match="heroic"):
        rank_for_goal("heroic")


@pytest.mark.parametrize(
    ("rank", "dropout", "warned"), [(257, 0.21, True), (256, 0.5, False), (512, 0.2, False), (8, 0.5, False)]
)
def test_high_rank_with_high_dropout_is_over_regularised(rank: int, dropout: float, warned: bool) -> None:
    plan = replace(PLAN, rank=rank, alpha=2 * rank, dropout=dropout)
    assert (ReasonCode.DANGER_OVER_REGULARISED in codes(plan)) is warned


@pytest.mark.parametrize(("alpha", "warned"), [(15, True), (16, False), (32, False)])
def test_alpha_below_rank_wastes_capacity(alpha: int, warned: bool) -> None:
    assert (ReasonCode.DANGER_ALPHA_BELOW_RANK in codes(replace(PLAN, alpha=alpha))) is warned


@pytest.mark.parametrize(
    ("targets", "rank", "warned"),
    [
        ("full", 7, True),
        ("full", 8, False),
        ("recommended", 4, False),
        ("down_proj,up_proj,gate_proj,o_proj,v_proj,k_proj,q_proj", 4, True),
    ],
)
def test_a_small_rank_on_all_modules_is_thin(targets: str, rank: int, warned: bool) -> None:
    assert (ReasonCode.DANGER_SPREAD_THIN in codes(replace(PLAN, targets=targets, rank=rank))) is warned


@pytest.mark.parametrize(
    ("method", "rate", "warned"),
    [
        (Method.QLORA, 6e-4, True),
        (Method.QLORA, 5e-4, False),
        (Method.LORA, 1e-3, False),
        (Method.LORA8, 1e-3, False),
    ],
)
def test_a_large_learning_rate_is_unstable_with_qlora(method: Method, rate: float, warned: bool) -> None:
    plan = replace(PLAN, method=method, learning_rate=rate)
    assert (ReasonCode.DANGER_LEARNING_RATE in codes(plan)) is warned


def test_all_dangers_are_told_at_once_with_their_source() -> None:
    plan = replace(PLAN, method=Method.QLORA, learning_rate=1e-3, rank=300, alpha=100, dropout=0.3, targets="full")
    found = signals(plan)
    assert [reason.code for reason in found] == [
        ReasonCode.DANGER_OVER_REGULARISED,
        ReasonCode.DANGER_ALPHA_BELOW_RANK,
        ReasonCode.DANGER_LEARNING_RATE,
    ]
    assert {reason.source for reason in found} == {"D4"}
    assert all(reason.warns for reason in found)
    assert found[0].facts == {"rank": 300, "dropout": 0.3, "rank_limit": 256, "dropout_limit": 0.2}


@pytest.mark.parametrize(
    ("rows", "code", "source"),
    [
        (0, ReasonCode.ROWS_FEW, "D3"),
        (9_999, ReasonCode.ROWS_FEW, "D3"),
        (10_000, ReasonCode.ROWS_CLEAR_GAIN, "D3"),
        (100_000, ReasonCode.ROWS_CLEAR_GAIN, "D3"),
        (100_001, ReasonCode.ROWS_BEYOND, "D0"),
    ],
)
def test_the_amount_of_data_is_judged_not_warned_of(rows: int, code: ReasonCode, source: str) -> None:
    (reason,) = signals(PLAN, rows)
    assert (reason.code, reason.source, reason.facts["rows"]) == (code, source, rows)
    assert not reason.warns


def test_an_explanation_is_no_warning() -> None:
    assert not Reason(ReasonCode.FITS).warns


def test_adapter_parameters_of_a_known_model() -> None:
    """Llama 3.1 8B, r16 on q, k, v, o: 13,631,488 trainable parameters, as peft prints for it."""
    llama = spec_of("meta-llama/Llama-3.1-8B-Instruct").architecture
    assert adapter_parameters(llama, PLAN) == 13_631_488
    assert adapter_parameters(llama, replace(PLAN, targets="full")) == 41_943_040


def test_adapter_parameters_grow_with_rank_and_ignore_strangers() -> None:
    tiny = Architecture(64, 128, 2, 4, 2, 16, 259, True)
    one = adapter_parameters(tiny, replace(PLAN, rank=1, targets="q_proj"))
    assert one == 2 * (64 + 64)
    assert adapter_parameters(tiny, replace(PLAN, rank=10, targets="q_proj,q_proj,nobody")) == 10 * one
    assert adapter_parameters(tiny, replace(PLAN, targets="nobody")) == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("targets", ["minimal", "recommended", "full"])
def test_adapter_parameters_are_those_peft_makes(targets: str) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    plan = replace(PLAN, targets=targets, rank=6)
    config = LlamaConfig(
        hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, head_dim=24, vocab_size=300,
    )  # fmt: skip
    with torch.device("meta"):
        model = get_peft_model(
            LlamaForCausalLM(config),
            LoraConfig(r=6, target_modules=list(plan.target_modules)),
            low_cpu_mem_usage=True,
        )
    learned = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert adapter_parameters(Architecture(64, 128, 3, 4, 2, 24, 300, False), plan) == learned
