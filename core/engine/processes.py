"""Training on several processes: what they share after the micro-batches of a step."""

import torch


def sum_gradients(model: torch.nn.Module) -> None:
    """Add up the gradients of all processes, which hold shares of the whole step's mean loss.

    A process that saw no trained token takes part with zeros.
    """
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            torch.distributed.all_reduce(parameter.grad)
