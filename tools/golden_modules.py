#!/usr/bin/env python3
"""golden_modules.py - asks PyTorch for what every class of modules gives; writes tests/golden/modules.safetensors.

For each CASE of tests/*_cases.def, "CLASS|CONSTRUCTOR|INPUTS|...": the outputs "0", "1", ..; "g0", "g1", ..: for each
tensor argument that is differentiable the gradient of sum_i sum(output_i * sin(1 + k + 10 i)), k counting elements;
"grad|NAME" the same for each parameter; "sgd|NAME" parameters and buffers after three steps of SGD on it; "eval|0",
"eval|1", ..: the outputs that then come without training, if they depend on that state or on the mode. Parameters are
drawn as in golden.py, those of lazy modules after one run; all is computed in float64. Small changes are lost in large
numbers, so the values are float32."""
import pathlib
import re
import sys
import warnings

import torch

import golden

CASE = re.compile(r'CASE\(\s*"([^"]*)",\s*"([^"]*)",\s*"([^"]*)"\s*\)')
MODULE = re.compile(r"(?<![\w])([A-Z]\w*)\(([^()]*)\)")
STEPS, RATE = 3, 0.05
F = torch.nn.functional


def cases():
    for path in sorted((golden.ROOT / "tests").glob("*_cases.def")):
        yield from CASE.findall(path.read_text())


# ---- classes that are newer than the PyTorch asked here, or have no gradient in it, by what they stand for ---------


def pad_class(dims, mode):
    class Pad(torch.nn.Module):
        def __init__(self, padding):
            super().__init__()
            self.padding = (padding,) * (2 * dims) if isinstance(padding, int) else padding

        def forward(self, x):
            return F.pad(x, self.padding, mode)

    return Pad


class RMSNorm(torch.nn.Module):
    def __init__(self, normalized_shape, eps=None, elementwise_affine=True):
        super().__init__()
        self.shape = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.eps = eps
        if elementwise_affine:
            self.weight = torch.nn.Parameter(torch.ones(self.shape))

    def forward(self, x):
        return golden.rms_norm(x, self.shape, getattr(self, "weight", None), self.eps)


class LPPool3d(torch.nn.Module):
    def __init__(self, norm_type, kernel_size):
        super().__init__()
        self.options = norm_type, kernel_size

    def forward(self, x):
        return golden.SPELLED["nn.functional.lp_pool3d"](x, *self.options)


# The gradient of PyTorch's own class is not the derivative of its result: its window lies askew.
class CrossMapLRN2d(torch.nn.LocalResponseNorm):
    pass


class ChannelShuffle(torch.nn.ChannelShuffle):
    def forward(self, x):
        return x.unflatten(1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)


class LayerNorm(torch.nn.LayerNorm):
    def __init__(self, *args, bias=True, **named):
        super().__init__(*args, **named)
        if not bias:
            self.bias = None


NEWER = {f"CircularPad{d}d": pad_class(d, "circular") for d in (1, 2, 3)} | {
    "ZeroPad1d": pad_class(1, "constant"), "ZeroPad3d": pad_class(3, "constant"),
    "RMSNorm": RMSNorm, "LPPool3d": LPPool3d, "ChannelShuffle": ChannelShuffle, "CrossMapLRN2d": CrossMapLRN2d,
    "LayerNorm": LayerNorm}


# ---- cases ---------------------------------------------------------------------------------------------------------


def inner(text):
    """"Linear(3 4) 2" as "None 2", and the modules that stand there."""
    return MODULE.sub("None", text), [made(*found) for found in MODULE.findall(text)]


def made(cls, constructor):
    """An argument that is a module replaces a None."""
    text, modules = inner(constructor)
    words, named = text.split(), golden.Sample(text, torch.float64)
    places = [k for k, word in enumerate(words) if word.endswith("None")] if modules else []
    for place, module in zip(places, modules):
        if "=" in words[place]:
            named.kwargs[words[place].split("=")[0]] = module
        else:
            named.args[place] = module
    return (NEWER.get(cls) or getattr(torch.nn, cls))(*named.args, **named.kwargs)


def inputs_of(cls, text):
    """What PyTorch wants for the lists: a tuple of states, a packed sequence."""
    sample = golden.Sample(text, torch.float64)
    args = [tuple(a) if isinstance(a, list) else a for a in sample.args]
    named = {k: tuple(a) if isinstance(a, list) else a for k, a in sample.kwargs.items()}
    if isinstance(args[0], tuple):
        args[0] = torch.nn.utils.rnn.PackedSequence(*args[0])
    if "Unpool" in cls and len(set(args[1].flatten().tolist())) < args[1].numel():
        sys.exit(f"{cls}({text}): a place is drawn twice; choose another case")
    return sample, args, named


def outputs(result):
    if result is None:
        return []
    return [result] if isinstance(result, torch.Tensor) else [t for r in result for t in outputs(r)]


def projection(outs):
    return sum((o * torch.sin(1 + torch.arange(o.numel(), dtype=torch.float64).reshape(o.shape) + 10 * i)).sum()
               for i, o in enumerate(outs) if o.is_floating_point())


def train(module, args, named):
    """Three steps, of those that have something to train; buffers change in any case."""
    parameters = list(module.parameters())
    optim = torch.optim.SGD(parameters, lr=RATE) if parameters else None
    for _ in range(STEPS):
        module.zero_grad()
        loss = projection(outputs(module(*args, **named)))
        if optim:
            loss.backward()
            optim.step()


def values(cls, constructor, text):
    sample, args, named = inputs_of(cls, text)
    module = made(cls, constructor)
    if cls.startswith("Lazy"):
        module(*args, **named)
    module = golden.draw_parameters(module)
    for t in sample.tensors:
        t.requires_grad_(t.is_floating_point())
    result = outputs(module(*args, **named))
    projection(result).backward()
    found = {str(k): golden.storable(o) for k, o in enumerate(result)}
    found.update({f"g{k}": t.grad.clone() for k, t in enumerate(sample.tensors) if t.grad is not None})
    found.update({f"grad|{k}": p.grad.clone() for k, p in module.named_parameters()})
    train(module, args, named)
    found.update({f"sgd|{k}": v.clone() for k, v in module.state_dict().items()})
    if list(module.state_dict()) or "Dropout" in cls:
        after = outputs(module.eval()(*args, **named))
        found.update({f"eval|{k}": golden.storable(o) for k, o in enumerate(after)})
    keyed = {f"{cls}|{constructor}|{text}|{k}": v for k, v in found.items()}
    return {k: narrow(k, v) for k, v in keyed.items()}


def narrow(key, t):
    if t.is_floating_point() and not torch.isfinite(t).all():
        sys.exit(f"{key}: not finite; choose another case")
    return t.detach().float() if t.is_floating_point() else t


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    found = {}
    for case in cases():
        try:
            found.update(values(*case))
        except (RuntimeError, TypeError, AssertionError, ValueError, AttributeError) as e:
            sys.exit(f"{case}: {e}")
    golden.save(pathlib.Path(golden.ROOT / "tests" / "golden" / "modules.safetensors"), found)


if __name__ == "__main__":
    main()
