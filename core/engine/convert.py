"""A GGUF file into a 16-bit safetensors folder with tokenizer, through transformers."""

from pathlib import Path
from struct import error as struct_error

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from core.problems import Code, Trouble


def convert_gguf(gguf: Path, folder: Path) -> None:
    """Write `gguf`, dequantized to bf16, as a model folder. Raises Trouble(MODEL_CORRUPT) for a broken file."""
    try:
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent,
            gguf_file=gguf.name,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
            local_files_only=True,
        )
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name, local_files_only=True)
    except (ValueError, KeyError, IndexError, struct_error) as error:
        raise Trouble(Code.MODEL_CORRUPT, path=gguf, text=str(error)[:300]) from error
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
