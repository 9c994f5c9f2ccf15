#!/usr/bin/env python3
"""golden_seq2seq.py - asks PyTorch what seq2seq (D2L 10.7) gives; writes tests/golden/seq2seq.safetensors.

Of the network with a one-way and with a bidirectional encoder: WAY|output, WAY|loss, WAY|grad|KEY for each parameter, and
WAY|adam|KEY, the parameters after three steps of Adam. All is computed in float64."""
import torch
from torch import nn
from torch.nn import functional as F

import golden

VOCABULARY, EMBEDDING, HIDDEN, LAYERS, BATCH, STEPS, BOS = 11, 6, 8, 2, 4, 7, 2


class Encoder(nn.Module):
    def __init__(self, both):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
        self.rnn = nn.GRU(EMBEDDING, HIDDEN, LAYERS, bidirectional=both)
        if both:
            self.merge = nn.Linear(2 * HIDDEN, HIDDEN)

    def forward(self, x):
        _, state = self.rnn(self.embedding(x.T))
        if hasattr(self, "merge"):
            state = torch.tanh(self.merge(torch.cat((state[0::2], state[1::2]), dim=2)))
        return state


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
        self.rnn = nn.GRU(EMBEDDING + HIDDEN, HIDDEN, LAYERS)
        self.dense = nn.Linear(HIDDEN, VOCABULARY)

    def forward(self, x, state):
        x = self.embedding(x.T)
        context = state[-1].repeat(x.shape[0], 1, 1)
        output, _ = self.rnn(torch.cat((x, context), dim=2), state)
        return self.dense(output).transpose(0, 1)


class Seq2Seq(nn.Module):
    def __init__(self, both):
        super().__init__()
        self.encoder, self.decoder = Encoder(both), Decoder()

    def forward(self, x, y):
        forced = torch.cat((torch.full((len(y), 1), BOS), y[:, :-1]), dim=1)
        return self.decoder(forced, self.encoder(x))


def ids(stream):
    return torch.tensor((golden.philox(8, stream, BATCH * STEPS)[:, 0] % VOCABULARY).astype("int64")).reshape(BATCH, STEPS)


def fresh(both):
    """Drawn by shape alone: tables of embeddings as other matrices."""
    net = Seq2Seq(both)
    with torch.no_grad():
        for k, p in enumerate(net.parameters()):
            p.copy_(golden.drawn(7, k, p.shape) * 0.5)
    return net.double()


def loss_of(net, x, y, lengths):
    each = F.cross_entropy(net(x, y).transpose(1, 2), y, reduction="none")
    mask = torch.arange(STEPS)[None] < lengths[:, None]
    return (each * mask).mean(dim=1).sum()


def values(way, both):
    x, y, lengths = ids(0), ids(1), torch.tensor([7, 3, 1, 5])
    net = fresh(both)
    loss = loss_of(net, x, y, lengths)
    loss.backward()
    found = {"output": net(x, y).detach(), "loss": loss.detach().reshape(1)}
    found.update({f"grad|{k}": p.grad for k, p in net.named_parameters()})
    net = fresh(both)
    optim = torch.optim.Adam(net.parameters(), lr=0.005)
    for _ in range(3):
        optim.zero_grad()
        loss_of(net, x, y, lengths).backward()
        optim.step()
    found.update({f"adam|{k}": p.detach() for k, p in net.named_parameters()})
    return {f"{way}|{k}": v.float().contiguous() for k, v in found.items()}


if __name__ == "__main__":
    golden.save(golden.ROOT / "tests" / "golden" / "seq2seq.safetensors", {**values("one", False), **values("both", True)})
