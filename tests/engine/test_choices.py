"""The Advanced choices act in a real run: resumed exactly, noise in training only, rates and targets as asked."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, TrainingArguments

from core.catalog import config_of, models
from core.choices import Bias, Initialisation, Schedule, ranks_of
from core.engine.adapters import attach_new_adapter, layer_patterns, optimizer
from core.engine.dryrun import dry_run
from core.engine.liger import liger_settings
from core.engine.loading import load_base
from core.engine.loss import hidden_states
from core.engine.noise import noise, row_lengths
from core.engine.targets import find_targets
from core.engine.train import train
from core.events import StepDone
from core.jobs.talk import StopAsked
from core.modelconfig import architecture_of
from core.plan import TARGETS, Method, TrainingPlan
from core.problems import Trouble
from core.runs import RunFolder
from core.vram import adapter_parameters, estimate
from tests.bench.families import FAMILIES
from tests.engine.conftest import Listener

MakeRun = Callable[..., RunFolder]
CPU = torch.device("cpu")


def plan_of(**settings: Any) -> TrainingPlan:
    return TrainingPlan(model="any", data=("rows.jsonl",), **settings)


def test_a_run_with_choices_goes_on_exactly(make_run: MakeRun) -> None:
    """PiSSA's halves of the weights, LoRA+'s groups, the noise's chance and the schedule: all as if never stopped."""
    chosen: dict[str, Any] = {
        "initialisation": Initialisation.PISSA, "lora_plus": 4.0, "neftune": 5.0, "schedule": Schedule.LINEAR,
        "shallow_rank": 4, "rslora": True, "steps": 6, "learning_rate": 2e-3, "validation_share": 0.0,
    }  # fmt: skip
    whole = Listener()
    train(make_run(**chosen).path, whole, resume=False)
    run = make_run(**chosen)
    with pytest.raises(StopAsked):
        train(run.path, Listener(stop_when=lambda e: isinstance(e, StepDone) and e.step == 3), resume=False)
    second = Listener()
    train(run.path, second, resume=True)
    expected = {s.step: (s.loss, s.learning_rate) for s in whole.of(StepDone)}
    assert {s.step: (s.loss, s.learning_rate) for s in second.of(StepDone)} == {
        step: expected[step] for step in range(4, 7)
    }
    rates = [rate for _loss, rate in expected.values()]
    # the rate shown is A's; linear: steps of one size
    assert max(rates) <= 2e-3
    assert rates[2] - rates[3] == pytest.approx(rates[4] - rates[5])
    config = json.loads((run.adapter / "adapter_config.json").read_text())
    assert (config["r"], config["init_lora_weights"]) == (32, True)
    assert set(config["rank_pattern"].values()) == {8}


@pytest.mark.parametrize("positions", [None, torch.tensor([[0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7]])])
def test_noise_is_in_training_only_and_goes_away(tiny_base: Path, positions: torch.Tensor | None) -> None:
    base = load_base(tiny_base, Method.LORA, CPU, torch.float32)
    ids = torch.arange(3, 15)[None]
    given = {"input_ids": ids} | ({} if positions is None else {"position_ids": positions})
    seen: list[torch.Tensor] = []
    with noise(base, 5.0):
        watch = base.model.layers[0].register_forward_pre_hook(lambda _m, args: seen.append(args[0].detach()))
        for training in (True, False):
            base.train(training)
            hidden_states(base, **given)
        watch.remove()
    clean = base.get_input_embeddings()(ids)
    off = (seen[0] - clean).abs().amax(-1)[0]
    assert torch.equal(seen[1], clean)
    most = (
        5.0
        / (torch.full((12,), 12.0) if positions is None else row_lengths(positions)[0] * 64)
        .mul(64 if positions is None else 1)
        .sqrt()
    )
    assert (off <= most + 1e-6).all() and (off > 0.8 * most).all()
    assert not base.get_input_embeddings()._forward_hooks and not base.model._forward_pre_hooks
    assert torch.equal(base.train().get_input_embeddings()(ids), clean)


@pytest.mark.parametrize("optim", ["adamw_torch_fused", "adamw_bnb_8bit"])
def test_b_learns_faster_with_lora_plus(tiny_base: Path, tmp_path: Path, optim: str) -> None:
    plan = plan_of(lora_plus=16.0, learning_rate=1e-4, weight_decay=0.1, dora=True)
    model = attach_new_adapter(load_base(tiny_base, Method.LORA, CPU), plan)
    args = TrainingArguments(output_dir=str(tmp_path), optim=optim, learning_rate=1e-4, weight_decay=0.1, use_cpu=True)
    kind, settings = optimizer(model, plan, args)
    made = kind(**settings)
    kinds = ("lora_A", "lora_B", "lora_magnitude_vector")
    kind_of = {id(p): kind for name, p in model.named_parameters() for kind in kinds if kind in name}
    found = [
        ({kind_of[id(p)] for p in group["params"]}, group["lr"], group["weight_decay"]) for group in made.param_groups
    ]
    assert found == [({"lora_A"}, 1e-4, 0.1), ({"lora_magnitude_vector"}, 1e-4, 0.0), ({"lora_B"}, 16e-4, 0.1)]
    assert sum(len(group["params"]) for group in made.param_groups) == sum(p.requires_grad for p in model.parameters())


#: One model of each family of the catalogue, and families that people bring: names, shapes and places differ.
BROUGHT = [
    "gpt2", "falcon", "gpt_neox", "phi", "phi3", "glm", "deepseek_v2", "deepseek_v3", "mamba2", "jamba", "qwen3_next",
    "nemotron_h", "opt", "mpt", "falcon_h1", "recurrent_gemma", "qwen2_moe", "gemma3", "minimax",
]  # fmt: skip


def on_meta(facts: dict[str, Any]) -> Any:
    config = AutoConfig.for_model(facts["model_type"], **{k: v for k, v in facts.items() if k != "model_type"})
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)


def test_presets_find_the_modules_of_every_family() -> None:
    """None is empty, each holds the one before, and peft adapts what was meant and nothing else."""
    catalogued = {config_of(spec)["model_type"]: config_of(spec) for spec in models()}
    for facts in [*catalogued.values(), *({"model_type": name} for name in BROUGHT)]:
        base = on_meta(facts)
        found = [set(find_targets(base, plan_of(targets=preset)).paths) for preset in TARGETS]
        family = facts["model_type"]
        assert found[0] and found[0] <= found[1] <= found[2] <= found[3], family
        # mamba has nothing but its mixers, minimax and mixtures with fused experts nothing behind attention
        assert found[0] < found[2] or family == "mamba2", family
        experts = any("expert" in name for name, _ in base.named_parameters()) or family == "mamba2"
        assert found[2] < found[3] or experts, family
        assert not any(part in path for path in found[3] for part in ("router", "lm_head", "vision", "mlp.gate."))
        wanted = find_targets(base, plan_of(targets="full"))
        adapted = {
            name
            for name, _module in base.named_modules()
            if any(f".{name}".endswith(f".{end}") for end in wanted.names)
        }
        assert adapted == set(wanted.paths), family


def test_names_mean_modules_or_what_does_their_work() -> None:
    base = on_meta({"model_type": "gpt2", "n_layer": 2})
    assert find_targets(base, plan_of(targets="mlp.c_proj")).names == ("mlp.c_proj",)
    assert find_targets(base, plan_of(targets="v_proj")).names == ("c_attn",)
    assert find_targets(base, plan_of(targets="down_proj,o_proj")).names == ("c_proj",)
    with pytest.raises(Trouble):
        find_targets(base, plan_of(targets="lm_head"))


@pytest.mark.parametrize(
    "settings",
    [
        {"shallow_rank": 3, "targets": "full"},
        {"dora": True, "shallow_rank": 4},
        {"bias": Bias.ALL, "targets": "minimal"},
        {"bias": Bias.LORA_ONLY, "targets": "full", "dora": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("family", ["qwen2", "gpt_oss", "phi3", "glm4"])
def test_what_learns_is_counted_as_peft_makes_it(settings: dict[str, Any], family: str) -> None:
    facts = next(f for f in FAMILIES.values() if f["model_type"] == family) | {"num_hidden_layers": 3}
    facts |= {"layer_types": facts["layer_types"][:3]} if "layer_types" in facts else {}
    plan = plan_of(rank=8, **settings)
    with torch.device("meta"):
        base = on_meta(facts).requires_grad_(False)
        model = attach_new_adapter(base, plan)
    counted = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert adapter_parameters(architecture_of(facts), plan) == counted


@pytest.mark.parametrize("settings", [{"dropout": 0.05}, {"method": Method.QLORA, "dropout": 0.0}], ids=str)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_memory_of_dora_is_promised(settings: dict[str, Any]) -> None:
    """Outputs, inputs and weights that it keeps on top: never less than the modules themselves need."""
    facts = FAMILIES["Llama-3.2-1B"] | {"num_hidden_layers": 6}
    plan = plan_of(targets="full", tokens=1024, batch=2, dora=True, **settings)
    found = dry_run(facts, plan).estimate.activations
    assert 0.98 * found < estimate(architecture_of(facts), plan).activations < 1.2 * found


def test_shallow_layers_get_the_small_rank(tiny_base: Path) -> None:
    plan = plan_of(rank=16, alpha=32, shallow_rank=4)
    model = attach_new_adapter(load_base(tiny_base, Method.LORA, CPU), plan)
    first, last = (model.get_base_model().model.layers[i].self_attn.q_proj for i in (0, 1))
    assert (first.r["default"], last.r["default"]) == (4, 16) and ranks_of(plan, 2) == (1, 20)
    # the strength is the same everywhere
    assert first.scaling["default"] == last.scaling["default"] == 2.0
    assert layer_patterns(model.get_base_model(), plan_of(rank=16, shallow_rank=4, rslora=True))[1] == {}


def test_faster_kernels_are_used_where_they_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    families, card = frozenset({"llama"}), torch.device("cuda")
    assert liger_settings("llama", CPU, families) == {}
    monkeypatch.setattr("core.engine.liger._there", lambda name: name != "triton")
    assert liger_settings("llama", card, families) == {}
    monkeypatch.setattr("core.engine.liger._there", lambda _name: True)
    assert liger_settings("lfm2", card, families) == {}
    config = liger_settings("llama", card, families)["liger_kernel_config"]
    assert config["rms_norm"] and not (config["cross_entropy"] or config["fused_linear_cross_entropy"])
