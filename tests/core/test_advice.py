"""The documents' rules on rank, danger signals, amount of data and the size of an adapter."""

from dataclasses import replace

import pytest

from core.advice import adapter_parameters, budget, rank_for_goal, rules_about, signals, topics
from core.catalog import Architecture, spec_of
from core.plan import Method, TrainingPlan
from core.reasons import OURS, Reason, ReasonCode
from core.tiers import rules
from core.wording import reason_words, topic_words

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


EIGHT = spec_of("meta-llama/Llama-3.1-8B-Instruct").architecture


def test_what_fits_a_budget_fits_and_the_next_rank_does_not() -> None:
    rows = budget(EIGHT, 10_000_000)
    assert [row.targets for row in rows] == ["minimal", "standard", "recommended", "full"]
    for row in rows:
        plan = replace(PLAN, targets=row.targets, rank=row.rank)
        assert row.parameters == adapter_parameters(EIGHT, plan) <= 10_000_000
        most = replace(plan, rank=row.most_rank)
        assert row.most_parameters == adapter_parameters(EIGHT, most) <= 10_000_000
        assert adapter_parameters(EIGHT, replace(plan, rank=row.most_rank + 1)) > 10_000_000
        assert row.rank == max(row.ranks) <= row.most_rank
    # 13,631,488 parameters at rank 16
    assert (rows[2].rank, rows[2].most_rank) == (8, 11)


def test_a_budget_too_small_for_any_rank_has_no_rows() -> None:
    assert budget(EIGHT, 1000) == ()
    (least,) = budget(EIGHT, adapter_parameters(EIGHT, replace(PLAN, rank=1, targets="minimal")))
    assert (least.targets, least.rank, least.ranks) == ("minimal", 1, (1,))


def test_an_endless_budget_ends_at_the_highest_rank_that_a_plan_takes() -> None:
    assert {row.most_rank for row in budget(EIGHT, 10**15)} == {2048}


def test_there_are_rules_about_every_field_and_each_has_words_and_a_source() -> None:
    assert set(topics()) >= {
        "vram", "rank", "alpha", "targets", "dropout", "learning_rate", "epochs", "method", "data"
    }  # fmt: skip
    for topic in topics():
        assert topic_words(topic)
        assert rules_about(topic)
        for rule in rules_about(topic):
            words = reason_words(rule)
            assert words != rule.code.replace("_", " "), rule
            assert "{" not in words
            assert rule.source == OURS or set(rule.source.split(", ")) <= {"D0", "D1", "D2", "D3", "D4"}
    assert rules_about("nothing") == ()


@pytest.mark.parametrize(
    ("topic", "said", "source"),
    [
        ("vram", "65B model is 260 GB in 32 bits, and 32.5 GB", "D2"),
        ("vram", "40 GB for full fine-tuning, 20 GB with LoRA of rank 8, and 10 GB with QLoRA", "D0"),
        ("vram", "10–20 GB suggests a 7B model", "D3"),
        ("method", "10–20 times the cost", "D3"),
        ("rank", "Ranks of 8–64 are usual. Start at 8", "D0"),
        ("rank", "4 in shallow layers, 16 in deep ones", "D1"),
        ("rank", "64–128", "D1, D4"),
        ("alpha", "twice the rank", "D3, D4"),
        ("dropout", "Dropout 0 saves memory", OURS),
        ("learning_rate", "QLoRA: 5e-5 to 2e-4", "D4"),
        ("epochs", "3–10 epochs with early stopping", "D3"),
        ("rank", "below 10 million", "D4"),
    ],
)
def test_the_documents_word_is_there_with_its_source(topic: str, said: str, source: str) -> None:
    found = [rule.source for rule in rules_about(topic) if said in reason_words(rule)]
    assert found == [source]


def test_no_row_of_the_table_is_without_a_reader() -> None:
    rows = {(row["topic"], row["code"]) for row in rules()["document"]}
    assert rows <= {(topic, rule.code) for topic in topics() for rule in rules_about(topic)}
