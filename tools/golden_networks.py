#!/usr/bin/env python3
"""golden_networks.py - asks PyTorch and torchvision what the networks of models/ give; writes tests/golden/models.safetensors.

For each NETWORK of tests/models.def: NET|full, a hash of the keys and shapes of its state, and how many parameters it has.
With all widths divided as it says and parameters drawn as in golden.py: NET|keys; NET|output, NET|loss; and for each
tensor a pair of numbers, its product with a sine and its norm, of the gradients (NET|grad) and of what three steps of
SGD and of Adam changed in the state (NET|sgd, NET|adam); of the book's networks the loss before each of twenty steps of
SGD, with a batch of its own (NET|curve). All is computed in float64."""
import contextlib
import re
import sys
import warnings

import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

import book_networks
import golden
from book_networks import CLASSES

NETWORK = re.compile(r'^NETWORK\("([^"]*)", (\d+), (\d+), (\d+)\)', re.M)
STEPS, CURVE, HEADS = 3, 20, 0.3


def make(name, side, classes=CLASSES):
    if name.startswith("torchvision/"):
        name = name.split("/")[1]
        heads = {"aux_logits": True, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
        return getattr(torchvision.models, name)(num_classes=classes, **heads)
    return book_networks.make(name, side)


# ---- the same with fewer channels ------------------------------------------------------------------------------------


@contextlib.contextmanager
def shrunk(divisor):
    """Layers made within have fewer channels, but for those of pictures and classes."""
    def width(n):
        return n if n in (1, 3, CLASSES) else max(n // divisor, 1)
    def shrink(cls, counts):
        return type(cls.__name__, (cls,), {"__init__": lambda self, *args, **kwargs: cls.__init__(
            self, *(width(a) if i < counts else a for i, a in enumerate(args)),
            **{k: width(v) if k.startswith(("in_", "out_", "num_f")) else v for k, v in kwargs.items()})})
    layers = {"Conv2d": 2, "Linear": 2, "BatchNorm2d": 1, "BatchNorm1d": 1}
    full = {name: getattr(nn, name) for name in layers}
    for name, counts in layers.items():
        if divisor > 1:
            setattr(nn, name, shrink(full[name], counts))
    yield
    for name, cls in full.items():
        setattr(nn, name, cls)


def draw(net):
    scales = {id(m.weight) for m in net.modules() if getattr(m, "weight", None) is not None}
    with torch.no_grad():
        for k, p in enumerate(net.parameters()):
            if p.ndim > 1:
                p.copy_((golden.drawn(7, k, p.shape) * float(np.float32((6 / p[0].numel()) ** 0.5))).float())
            else:
                p.copy_((golden.drawn(7, k, p.shape) * 0.125 + (id(p) in scales)).float())
    for m in net.modules():
        if isinstance(m, nn.Dropout):
            m.p = 0.0
    return net.double()


# ---- what they give --------------------------------------------------------------------------------------------------


def hashed(net):
    """FNV-1a of all keys and shapes in order."""
    h = 0xCBF29CE484222325
    for key, value in net.state_dict().items():
        for byte in f"{key}{list(value.shape)}\n".replace(" ", "").encode():
            h = (h ^ byte) * 0x100000001B3 & (1 << 64) - 1
    return torch.tensor([h >> 32, h & 0xFFFFFFFF])


def digest(tensors):
    """Two numbers of each: what depends on all elements, and the norm."""
    pairs = []
    for t in tensors:
        t = t.detach().double().flatten()
        pairs.append((float((t * torch.sin(1 + torch.arange(t.numel(), dtype=torch.float64))).sum()), float(t.norm())))
    return torch.tensor(pairs, dtype=torch.float32)


def loss_of(outputs, y):
    main, *heads = outputs if isinstance(outputs, tuple) else (outputs,)
    return F.cross_entropy(main, y) + sum(HEADS * F.cross_entropy(h, y) for h in heads)


OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=1e-4, momentum=0.9, weight_decay=1e-3),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-5, eps=1e-3),
}


def full_width(name):
    side = {"lenet-bn": 28, "googlenet": 96, "densenet": 96}.get(name, 224)
    net = make(name, side, 1000 if "/" in name else CLASSES)
    return {f"{name}|full": torch.cat((hashed(net), torch.tensor([sum(p.numel() for p in net.parameters())])))}


def examples(net, step, batch, side):
    channels = next(p for p in net.parameters()).shape[1]
    x = golden.drawn(8, 2 * step, (batch, channels, side, side))
    return x, torch.tensor((golden.philox(8, 2 * step + 1, batch)[:, 0] % np.uint64(CLASSES)).astype(np.int64))


def curve(net, batch, side):
    optim, losses = torch.optim.SGD(net.parameters(), lr=3e-4), []
    for step in range(CURVE):
        x, y = examples(net, step, batch, side)
        optim.zero_grad()
        loss = loss_of(net(x), y)
        loss.backward()
        optim.step()
        losses.append(float(loss))
    return torch.tensor(losses)


def values(name, divisor, batch, side):
    """With fewer channels."""
    def fresh():
        with shrunk(divisor):
            return draw(make(name, side))
    net = fresh()
    x, y = examples(net, 0, batch, side)
    outputs = net(x)
    loss = loss_of(outputs, y)
    loss.backward()
    main = outputs[0] if isinstance(outputs, tuple) else outputs
    found = {"keys": hashed(net), "output": main.detach().float(), "loss": loss.detach().float().reshape(1),
             "grad": digest(p.grad for p in net.parameters())}
    for which, optimiser in OPTIMISERS.items():
        net = fresh()
        before = {k: v.clone() for k, v in net.state_dict().items()}
        optim = optimiser(net.parameters())
        for _ in range(STEPS):
            optim.zero_grad()
            loss_of(net(x), y).backward()
            optim.step()
        found[which] = digest(v.double() - before[k].double() for k, v in net.state_dict().items())
    # The losses of ResNet-50 in float and in double are 3 % apart in PyTorch, too.
    if "/" not in name and name != "resnet50":
        found["curve"] = curve(fresh(), batch, side)
    return {f"{name}|{k}": v for k, v in found.items()}


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    found = {}
    for name, *numbers in NETWORK.findall((golden.ROOT / "tests" / "models.def").read_text()):
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        found.update(full_width(name))
        if int(numbers[1]):
            found.update(values(name, *map(int, numbers)))
    golden.save(golden.ROOT / "tests" / "golden" / "models.safetensors", found)


if __name__ == "__main__":
    main()
