"""Fine-tune a model as SoloTune did, with PyTorch, transformers and peft alone. Usage: python {NAME} [MODEL]

MODEL is the folder or the id of the base model, by default the one named below. Beside this file lie

  {ROWS}    a training row a line: its text, its tokens (`ids`), and which of them are learned (`labels`, -100: not)
  {STEPS}   for every optimizer step the rows that it learns, as line numbers from 0

The loss of a step is the mean over all trained tokens of its rows. SoloTune lays rows into fewer sequences and computes
LoRA in fewer operations: that is faster and learns the same, so losses agree but for the rounding of 16 bits. With
dropout or noise they agree only on average, because random numbers are drawn in another order.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, get_scheduler, set_seed

# ruff: noqa
# {SETTINGS}

HERE = Path(__file__).resolve().parent
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
# bf16 where the card computes in it, fp16 with scaled gradients elsewhere
BF16 = DEVICE.type == "cpu" or torch.cuda.is_bf16_supported(including_emulation=False)
DTYPE = torch.bfloat16 if BF16 else torch.float16


def load_model(name):
    """The frozen base as the method holds it, with an untrained adapter: B is zero, so it starts as the base."""
    held = None
    if METHOD == "lora8":
        held = BitsAndBytesConfig(load_in_8bit=True)
    elif METHOD == "qlora":
        held = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=DTYPE
        )
    base = AutoModelForCausalLM.from_pretrained(
        name, dtype=DTYPE, quantization_config=held, device_map={"": DEVICE}, use_safetensors=True
    )
    base.requires_grad_(False)
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **LORA))
    if LORA["bias"] != "none":
        # 16 bits would round away most steps of a learning rate; norms want one format
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and ".lora_" not in name:
                parameter.data = parameter.data.float()
                owner = model.get_submodule(name.rpartition(".")[0])
                if getattr(owner, "weight", None) is not None and owner.weight.dim() == 1:
                    owner.weight.data = owner.weight.data.float()
    if START:
        start_from(model, HERE / START)
    if CHECKPOINT_EVERY:
        base.activation_checkpointing_enable({"use_reentrant": METHOD == "lora8"}, every_n_layers=CHECKPOINT_EVERY)
        base.enable_input_require_grads()
    if NOISE:
        base.get_input_embeddings().register_forward_hook(add_noise)
    return model


def start_from(model, file):
    """Give the adapter the start that was kept with the run; with PiSSA the frozen weight gives up that part."""
    from safetensors.torch import load_file

    kept = load_file(file)
    for name, layer in model.get_base_model().named_modules():
        if f"{name}.A" not in kept:
            continue
        a, b = (kept[f"{name}.{part}"].to(DEVICE, torch.float32) for part in "AB")
        layer.lora_A["default"].weight.data.copy_(a)
        layer.lora_B["default"].weight.data.copy_(b)
        if SUBTRACT_START:
            weight = layer.get_base_layer().weight
            part = layer.scaling["default"] * (b @ a)
            part = part.T if LORA["fan_in_fan_out"] else part
            weight.data = (weight.data.float() - part).to(weight.dtype)


def add_noise(module, _given, vectors):
    """NEFTune (arXiv 2310.05914): noise on the embeddings while training."""
    if not module.training:
        return vectors
    most = NOISE / (vectors.shape[1] * vectors.shape[2]) ** 0.5
    return vectors + torch.empty_like(vectors).uniform_(-most, most)


def make_optimizer(model):
    """AdamW; B may learn faster than A (LoRA+), biases and the sizes of DoRA are not pulled towards zero."""
    groups = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            exempt = name.endswith(".bias") or "lora_magnitude_vector" in name
            groups.setdefault((LORA_PLUS != 1.0 and ".lora_B." in name, exempt), []).append(parameter)
    learned = [
        {
            "params": parameters,
            "lr": LEARNING_RATE * (LORA_PLUS if faster else 1.0),
            "weight_decay": 0.0 if exempt else WEIGHT_DECAY,
        }
        for (faster, exempt), parameters in sorted(groups.items(), key=lambda item: item[0])
    ]
    if OPTIMIZER == "adamw8bit":
        from bitsandbytes.optim import AdamW

        return AdamW(learned, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8, optim_bits=8)
    return torch.optim.AdamW(learned, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8, fused=True)


def batches_of(rows):
    """The rows of a step as ids and labels (BATCH, longest), padded on the right: tokens look back only."""
    rows = sorted(rows, key=lambda row: len(row["ids"]), reverse=True)
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        shape = len(part), len(part[0]["ids"])
        ids, labels = torch.full(shape, PAD), torch.full(shape, -100)
        for at, row in enumerate(part):
            ids[at, : len(row["ids"])] = torch.tensor(row["ids"])
            labels[at, : len(row["labels"])] = torch.tensor(row["labels"])
        yield ids.to(DEVICE), labels.to(DEVICE)


def train(model, rows, steps):
    """Take every step and say its loss."""
    optimizer = make_optimizer(model)
    schedule = get_scheduler(SCHEDULE, optimizer, num_warmup_steps=WARMUP_STEPS, num_training_steps=len(steps))
    scaler = torch.amp.GradScaler(enabled=not BF16)
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.train()
    for step, places in enumerate(steps, 1):
        batches = list(batches_of([rows[place] for place in places]))
        tokens = sum(int((labels[:, 1:] != -100).sum()) for _ids, labels in batches)
        total = 0.0
        for ids, labels in batches:
            with torch.autocast(DEVICE.type, DTYPE):
                logits = model(input_ids=ids, use_cache=False).logits
            trained = labels[:, 1:] != -100
            loss = cross_entropy(logits[:, :-1][trained].float(), labels[:, 1:][trained], reduction="sum") / tokens
            scaler.scale(loss).backward()
            total += loss.item()
        scaler.unscale_(optimizer)
        norm = torch.nn.utils.clip_grad_norm_(learned, 1.0)
        scaler.step(optimizer)
        scaler.update()
        print(f"step {step} of {len(steps)}: loss {total:.6f}, gradient norm {norm:.4f}", flush=True)
        schedule.step()
        optimizer.zero_grad()


def main():
    rows = [json.loads(line) for line in (HERE / ROWS).read_text(encoding="utf-8").splitlines()]
    steps = json.loads((HERE / STEPS).read_text(encoding="utf-8"))
    set_seed(SEED)
    model = load_model(sys.argv[1] if len(sys.argv) > 1 else MODEL)
    train(model, rows, steps)
    model.save_pretrained(HERE / "adapter")


if __name__ == "__main__":
    main()
