"""Model folders into memory: tokenizer, base held in 16, 8 or 4 bits, trained adapter on top."""

import json
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedModel
from transformers.models.falcon import modeling_falcon

from core.engine.adapters import biases
from core.engine.device import compute_dtype
from core.hub.folder import check_model_folder
from core.plan import Method, TrainingPlan
from core.problems import Code, Trouble


def load_tokenizer(folder: Path) -> Any:
    """Load the tokenizer of a model folder. Raises Trouble(MODEL_INCOMPLETE) when there is none."""
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise Trouble(Code.MODEL_INCOMPLETE, path=folder, missing="tokenizer", text=str(error)[:300]) from error


def load_base(folder: Path, method: Method, where: torch.device, dtype: torch.dtype | None = None) -> PreTrainedModel:
    """Load the base frozen, held as `method` says: 16 bits, int8 (bitsandbytes) or NF4 with double quantization.

    `dtype` is what is computed in, by default bf16 or fp16 as the device has it.
    Raises Trouble(MODEL_*) for folders that cannot be trusted or used.
    """
    check_model_folder(folder)
    if json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type") == "falcon":
        # its own kind of linear module computes the same, but transformers passes over it when it shrinks a base
        modeling_falcon.FalconLinear = torch.nn.Linear
    dtype = dtype or compute_dtype(where)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            quantization_config=_quantization(method, dtype),
            device_map={"": where},
            trust_remote_code=False,
            local_files_only=True,
            use_safetensors=True,
        )
    except (ValueError, KeyError) as error:
        raise Trouble(Code.MODEL_UNSUPPORTED, path=folder, text=str(error)[:300]) from error
    if method is not Method.LORA and not any(hasattr(module, "source_cls") for module in model.modules()):
        # better none than one of twice or four times the promised size
        raise Trouble(Code.MODEL_UNSUPPORTED, path=folder, text=f"{method} shrinks none of its modules")
    model.requires_grad_(False)
    return model


def keep_trainable(model: PreTrainedModel) -> None:
    """Stop bitsandbytes from repacking 4-bit weights on the processor during an evaluation.

    Its repacked layout (AVX-512 bf16) has no backward pass and is never undone: training after the first evaluation
    would go on with wrong gradients, with nothing but a warning (bitsandbytes 0.50, Linear4bit.forward).
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def recompute(base: PreTrainedModel, plan: TrainingPlan) -> None:
    """Switch on the plan's activation checkpointing: none, every layer, or every n layers."""
    if plan.checkpointing == "none":
        return
    # int8 with the non-reentrant kind keeps every linear's input: +6H + 2I bytes a token and layer
    reentrant = plan.method is Method.LORA8
    every = 1 if plan.checkpointing == "full" else int(plan.checkpointing)
    base.activation_checkpointing_enable({"use_reentrant": reentrant}, every_n_layers=every)
    base.enable_input_require_grads()


def attach_saved_adapter(model: PreTrainedModel, adapter: Path) -> PeftModel:
    """Put a trained adapter on the base, for answering."""
    own = {name: parameter.data.clone() for name, parameter in biases(model)}
    tuned = PeftModel.from_pretrained(model, str(adapter))
    if tuned.peft_config["default"].bias != "none":
        tuned.own_biases = own
    tuned.eval()
    return tuned


def _quantization(method: Method, dtype: torch.dtype) -> BitsAndBytesConfig | None:
    if method is Method.LORA8:
        return BitsAndBytesConfig(load_in_8bit=True)
    if method is Method.QLORA:
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    return None
