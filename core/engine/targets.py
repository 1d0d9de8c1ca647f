"""Which linear modules of a model get an adapter, found by where they lie and what they do, in every architecture.

Every module has one or more roles in the names of a Llama: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj,
down_proj; or "beside" (attention has more of them: gates) or "mixer" (what does attention's work without attention:
state spaces, convolutions). Routers, indexers and whatever lies outside the decoder's layers have none.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from core.plan import TARGETS, TrainingPlan
from core.problems import Code, Trouble

_QKV = frozenset({"q_proj", "k_proj", "v_proj"})
_GATE_UP = frozenset({"gate_proj", "up_proj"})
_ROLES = frozenset(TARGETS["full"])
#: What presets take beside Llama's modules.
_MORE = {"recommended": {"beside", "mixer"}, "full": {"beside", "mixer"}}

_MIXER = re.compile(r"mamba|ssm|mixer|conv|linear_att|recurrent|temporal|delta|lightning|kda|time_mix")
_MLP = re.compile(r"mlp|ffn|feed_?forward|expert|moe")
_ATTENTION = re.compile(r"attn|attention")
_NEVER = re.compile(r"router|indexer|(^|\.)(gate|wg|shared_expert_gate)$|per_layer|altup|laurel|rotary")
_OUTPUT = re.compile(
    r"^(o|out|c|output)_proj|^(o|wo|out|proj|dense|output)$|^o_[ab]|^(linear|attn)_out|attention_output"
)
_DOWN = re.compile(r"down|dense_4h_to_h|fc2|fc_out|^w2$|^wo$|^(c|out)_proj|output|proj_out|linear_out")
_FUSED = re.compile(r"qkv|query_key_value|c_attn|att_proj|^in_proj")
_LETTERS = (
    (re.compile(r"kv"), frozenset({"k_proj", "v_proj"})),
    (re.compile(r"^(w|linear_)?q(uery)?(_|$)"), frozenset({"q_proj"})),
    (re.compile(r"^(w|linear_)?k(ey)?(_|$)"), frozenset({"k_proj"})),
    (re.compile(r"^(w|linear_)?v(alue)?(_|$)"), frozenset({"v_proj"})),
)


@dataclass(frozen=True)
class Targets:
    """The modules that get an adapter: `names` as peft matches them (ends of paths, no more than are meant),
    `paths` of all of them; `transposed` where weights lie as (in, out) (GPT-2).
    """

    names: tuple[str, ...]
    paths: tuple[str, ...]
    transposed: bool


def find_targets(base: PreTrainedModel, plan: TrainingPlan) -> Targets:
    """The modules of `base` that the plan's targets mean: a preset by roles, a list by names, or by Llama's names.

    Raises Trouble(PLAN_INVALID) when there are none.
    """
    linear = linear_modules(base)
    roles = roles_of(base, linear)
    if plan.targets in TARGETS:
        chosen = _preset(plan.targets, roles)
    else:
        chosen = [path for name in plan.target_modules for path in _named(name, roles)]
    if not chosen:
        raise Trouble(
            Code.PLAN_INVALID, reason=f"targets: none of {', '.join(plan.target_modules)} exists in this model"
        )
    paths = tuple(path for path in linear if path in set(chosen))
    transposed = all(isinstance(linear[path], Conv1D) for path in paths)
    return Targets(_endings(set(paths), [name for name, _ in base.named_modules()]), paths, transposed)


def linear_modules(base: PreTrainedModel) -> dict[str, nn.Module]:
    """Path → linear module inside the decoder's layers, whatever it is held in."""
    stem = f"{layers_path(base)}."
    return {
        name: module
        for name, module in base.named_modules()
        if name.startswith(stem) and isinstance(module, nn.Linear | Conv1D)
    }


def layers_path(base: PreTrainedModel) -> str:
    """The path of the list of the decoder's layers: the one that holds most linear modules."""
    decoder = base.get_decoder() or base
    prefix = next((name for name, module in base.named_modules() if module is decoder), "")
    lists = {
        ".".join(filter(None, (prefix, name))): sum(isinstance(part, nn.Linear | Conv1D) for part in module.modules())
        for name, module in decoder.named_modules()
        if isinstance(module, nn.ModuleList)
    }
    # the outermost of those that hold as many
    return max(lists, key=lambda path: (lists[path], -len(path)), default=prefix)


def roles_of(base: PreTrainedModel, linear: dict[str, nn.Module]) -> dict[str, frozenset[str]]:
    """Path → roles of each linear module of the decoder's layers; none where an adapter has no business."""
    layers, hidden = layers_path(base), getattr(base.config.get_text_config(), "hidden_size", 0)
    found = {}
    for path, module in linear.items():
        block, _, leaf = path.removesuffix(".linear").rpartition(".")
        inside = path.removeprefix(f"{layers}.").removesuffix(".linear").partition(".")[2].lower()
        kind = "" if _NEVER.search(inside) else _kind(inside)
        if kind == "mlp":
            beside = (
                [other for other in linear if other.rpartition(".")[0] == block] if _widths(module)[0] == hidden else []
            )
            found[path] = _mlp(leaf.lower(), path, {other: linear[other] for other in beside}, hidden)
        elif kind == "mixer":
            found[path] = _mixer(base.get_submodule(block), leaf.lower())
        else:
            found[path] = _attention(leaf.lower()) if kind else frozenset()
    return found


def _preset(preset: str, roles: dict[str, frozenset[str]]) -> list[str]:
    wanted = {*TARGETS[preset], *_MORE.get(preset, ())}
    if not any(found & _QKV for found in roles.values()):
        # no attention at all: its work is done by mixers
        wanted.add("mixer")
    return [path for path, found in roles.items() if found & wanted]


def _named(name: str, roles: dict[str, frozenset[str]]) -> list[str]:
    """The modules of this name; without any, those that do what Llama's module of this name does."""
    literal = [path for path in roles if f".{path}".endswith(f".{name}")]
    return literal or [path for path, found in roles.items() if name in _ROLES & found]


def _kind(inside: str) -> str:
    """What a module belongs to, by the innermost name that tells; a bare name tells by itself."""
    leaf = inside.rpartition(".")[2].lower()
    for name in reversed(inside.lower().split(".")[:-1]):
        if _MIXER.search(name):
            return "mixer"
        if _MLP.search(name):
            return "mlp"
        if _ATTENTION.search(name):
            return "attention"
    if re.match(r"fc|dense_|gate|up_|down_|w[123]$", leaf):
        return "mlp"
    return "attention" if _FUSED.search(leaf) or any(letter.search(leaf) for letter, _ in _LETTERS) else ""


def _attention(leaf: str) -> frozenset[str]:
    if _FUSED.search(leaf):
        return _QKV
    for letter, roles in _LETTERS:
        if letter.search(leaf):
            return roles
    return frozenset({"o_proj"}) if _OUTPUT.search(leaf) else frozenset({"beside"})


def _mixer(block: nn.Module, leaf: str) -> frozenset[str]:
    if leaf in TARGETS["recommended"]:
        return frozenset({leaf})
    if leaf in ("up_proj", "down_proj", "gate_proj"):
        # families that call every part of a layer a mixer
        return frozenset({leaf})
    if hasattr(block, "A_log") and hasattr(block, "D") and not leaf.startswith("in_proj"):
        # the kernels of state spaces take these weights past the module: an adapter would not be heard
        return frozenset()
    return frozenset({"mixer"})


def _mlp(leaf: str, path: str, beside: dict[str, nn.Module], hidden: int) -> frozenset[str]:
    """`beside`: the linear modules of the same block, for one that reads the hidden states; else none."""
    if not beside or (_widths(beside[path])[1] == hidden and _DOWN.search(leaf)):
        return frozenset({"down_proj"})
    alike = [other for other in beside if _widths(beside[other]) == _widths(beside[path])]
    alike = [
        other for other in alike if _widths(beside[other])[1] != hidden or not _DOWN.search(other.rpartition(".")[2])
    ]
    if len(alike) < 2:
        return _GATE_UP
    gates = any("gate" in other.rpartition(".")[2] for other in alike)
    gate = "gate" in leaf if gates else path == alike[0]
    return frozenset({"gate_proj" if gate else "up_proj"})


def _widths(module: nn.Module) -> tuple[int, int]:
    """Input and output width."""
    if isinstance(module, Conv1D):
        return module.nx, module.nf
    return int(module.in_features), int(module.out_features)  # type: ignore[arg-type]


def _endings(paths: Collection[str], every: Collection[str]) -> tuple[str, ...]:
    """The shortest ends of `paths` that no other module's path has."""
    holders: dict[str, int] = {}
    for one in every:
        for end in _ends(one):
            holders[end] = holders.get(end, 0) + 1
    own: dict[str, int] = {}
    for path in paths:
        for end in _ends(path):
            own[end] = own.get(end, 0) + 1
    return tuple(sorted({next(end for end in _ends(path) if own[end] == holders[end]) for path in paths}))


def _ends(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[-length:]) for length in range(1, len(parts) + 1)]
