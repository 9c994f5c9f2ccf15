#!/usr/bin/env python3
"""golden_transformer.py - asks PyTorch what the Transformer of models/transformer.c gives; writes
tests/golden/transformer.safetensors: state|KEY, the parameters; source, lengths, target; memory, what the encoder makes
of the source; scores and loss; grad|KEY, the gradients of the loss. All is computed in float64."""
import math

import torch
from torch import nn
from torch.nn import functional as F

import golden

SOURCES, TARGETS, WIDTH, HIDDEN, HEADS, LAYERS = 11, 13, 8, 12, 2, 2
BATCH, SOURCE_STEPS, TARGET_STEPS = 3, 7, 5


class AddNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln = nn.LayerNorm(WIDTH)

    def forward(self, x, y):
        return self.ln(x + y)


class Block(nn.Module):
    def __init__(self, cross):
        super().__init__()
        attention = lambda: nn.MultiheadAttention(WIDTH, HEADS, bias=False, batch_first=True)
        self.attention, self.addnorm1 = attention(), AddNorm()
        if cross:
            self.cross, self.addnorm2 = attention(), AddNorm()
        self.ffn = nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, WIDTH))
        self.addnorm3 = AddNorm()

    def forward(self, x, future=None, padding=None, memory=None, hidden=None):
        x = self.addnorm1(x, self.attention(x, x, x, attn_mask=future, key_padding_mask=padding)[0])
        if memory is not None:
            x = self.addnorm2(x, self.cross(x, memory, memory, key_padding_mask=hidden)[0])
        return self.addnorm3(x, self.ffn(x))


class Half(nn.Module):
    """An encoder, or with `tokens` to score a decoder."""
    def __init__(self, vocabulary, scores):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, WIDTH)
        for i in range(LAYERS):
            setattr(self, f"block{i}", Block(scores))
        if scores:
            self.dense = nn.Linear(WIDTH, vocabulary)

    def forward(self, tokens, **masks):
        place = torch.arange(tokens.shape[1], dtype=torch.float64)[:, None]
        angle = place / 10000 ** (torch.arange(0, WIDTH, 2, dtype=torch.float64) / WIDTH)
        x = self.embedding(tokens) * math.sqrt(WIDTH) + torch.stack((angle.sin(), angle.cos()), 2).flatten(1)
        for i in range(LAYERS):
            x = getattr(self, f"block{i}")(x, **masks)
        return self.dense(x) if hasattr(self, "dense") else x


def main():
    net = nn.ModuleDict({"encoder": Half(SOURCES, False), "decoder": Half(TARGETS, True)}).double()
    with torch.no_grad():
        for k, p in enumerate(net.parameters()):
            p.copy_((golden.drawn(11, k, p.shape) * (1 if p.ndim > 1 else 0.5)).float() + (p.ndim == 1))
    tokens = lambda count, steps, by: torch.arange(BATCH * steps).mul(by).remainder(count).reshape(BATCH, steps)
    source, target = tokens(SOURCES, SOURCE_STEPS, 4), tokens(TARGETS, TARGET_STEPS, 5)
    lengths = torch.tensor([3, SOURCE_STEPS, 1])
    padding = torch.arange(SOURCE_STEPS) >= lengths[:, None]
    future = torch.ones(TARGET_STEPS, TARGET_STEPS, dtype=torch.bool).triu(1)
    memory = net["encoder"](source, padding=padding)
    scores = net["decoder"](target, future=future, memory=memory, hidden=padding)
    loss = F.cross_entropy(scores[:, :-1].flatten(0, 1), target[:, 1:].flatten())
    loss.backward()
    golden.save(golden.ROOT / "tests" / "golden" / "transformer.safetensors", {
        "source": source, "lengths": lengths, "target": target, "memory": memory.detach().float(),
        "scores": scores.detach().float(), "loss": loss.detach().float().reshape(1),
        **{f"state|{k}": p.detach().float() for k, p in net.named_parameters()},
        **{f"grad|{k}": p.grad.float() for k, p in net.named_parameters()}})


if __name__ == "__main__":
    main()
