#!/usr/bin/env python3
"""golden_modules.py - asks PyTorch for what modules with several inputs give; writes tests/golden/modules.safetensors.

For each CASE of tests/*_cases.def, "CLASS|CONSTRUCTOR|INPUTS|...": the outputs "0", "1", ..; "g0", "g1", ..: for each
tensor argument that is differentiable the gradient of sum_i sum(output_i * sin(1 + k + 10 i)), k counting elements;
"grad|NAME" the same for each parameter; "sgd|NAME" the state after three steps of SGD on it. Parameters are drawn as
in golden.py; all is computed in float64. Small changes are lost in large numbers, so the values are float32."""
import pathlib
import re
import sys
import warnings

import torch

import golden

CASE = re.compile(r'CASE\(\s*"([^"]*)",\s*"([^"]*)",\s*"([^"]*)"\s*\)')
STEPS, RATE = 3, 0.05


def cases():
    for path in sorted((golden.ROOT / "tests").glob("*_cases.def")):
        yield from CASE.findall(path.read_text())


def inputs_of(cls, text):
    """What PyTorch wants for the lists: a tuple of states, a packed sequence."""
    sample = golden.Sample(text, torch.float64)
    args = [tuple(a) if isinstance(a, list) else a for a in sample.args]
    named = {k: tuple(a) if isinstance(a, list) else a for k, a in sample.kwargs.items()}
    if isinstance(args[0], tuple):
        args[0] = torch.nn.utils.rnn.PackedSequence(*args[0])
    return sample, args, named


def outputs(result):
    if result is None:
        return []
    return [result] if isinstance(result, torch.Tensor) else [t for r in result for t in outputs(r)]


def projection(outs):
    return sum((o * torch.sin(1 + torch.arange(o.numel(), dtype=torch.float64).reshape(o.shape) + 10 * i)).sum()
               for i, o in enumerate(outs) if o.is_floating_point())


def values(cls, constructor, text):
    made = golden.Sample(constructor, torch.float64)
    module = golden.draw_parameters(getattr(torch.nn, cls)(*made.args, **made.kwargs))
    sample, args, named = inputs_of(cls, text)
    for t in sample.tensors:
        t.requires_grad_(t.is_floating_point())
    result = outputs(module(*args, **named))
    projection(result).backward()
    found = {str(k): golden.storable(o) for k, o in enumerate(result)}
    found.update({f"g{k}": t.grad.clone() for k, t in enumerate(sample.tensors) if t.grad is not None})
    found.update({f"grad|{k}": p.grad.clone() for k, p in module.named_parameters()})
    optim = torch.optim.SGD(module.parameters(), lr=RATE)
    for _ in range(STEPS):
        optim.zero_grad()
        projection(outputs(module(*args, **named))).backward()
        optim.step()
    found.update({f"sgd|{k}": v for k, v in module.state_dict().items()})
    keyed = {f"{cls}|{constructor}|{text}|{k}": v for k, v in found.items()}
    return {k: narrow(k, v) for k, v in keyed.items()}


def narrow(key, t):
    if t.is_floating_point() and not torch.isfinite(t).all():
        sys.exit(f"{key}: not finite; choose another case")
    return t.detach().float() if t.is_floating_point() else t


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    found = {}
    for case in cases():
        try:
            found.update(values(*case))
        except (RuntimeError, TypeError, AssertionError, ValueError) as e:
            sys.exit(f"{case}: {e}")
    golden.save(pathlib.Path(golden.ROOT / "tests" / "golden" / "modules.safetensors"), found)


if __name__ == "__main__":
    main()
