"""torch_sequences.py - the networks of chapters 9 to 11 as one writes them in PyTorch, for torch_peer.py.

Each function gives (network, inputs, loss of the outputs): the same sizes, batches and losses as `cenote bench` has.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F

WORDS, CHARACTERS, STEPS, CHARACTER_STEPS = 200, 28, 10, 35


class LanguageModel(nn.Module):
    def __init__(self, layer, hidden=256):
        super().__init__()
        self.rnn = layer(CHARACTERS, hidden)
        self.linear = nn.Linear(hidden, CHARACTERS)

    def forward(self, tokens):
        return self.linear(self.rnn(F.one_hot(tokens.T, CHARACTERS).float())[0])


def language_model(layer, batch):
    x, y = (torch.randint(0, CHARACTERS, (batch, CHARACTER_STEPS)) for _ in range(2))
    return LanguageModel(layer), (x,), lambda out: F.cross_entropy(out.flatten(0, 1), y.T.flatten())


class Seq2Seq(nn.Module):
    def __init__(self, size=32, layers=2, dropout=0.1):
        super().__init__()
        self.read, self.write = nn.Embedding(WORDS, size), nn.Embedding(WORDS, size)
        self.encoder = nn.GRU(size, size, layers, dropout=dropout)
        self.decoder = nn.GRU(2 * size, size, layers, dropout=dropout)
        self.dense = nn.Linear(size, WORDS)

    def forward(self, source, target, padding):
        state = self.encoder(self.read(source.T))[1]
        y = self.write(target.T)
        context = state[-1].expand(len(y), -1, -1)
        return self.dense(self.decoder(torch.cat((y, context), 2), state)[0]).transpose(0, 1)


class Block(nn.Module):
    def __init__(self, width, hidden, heads, dropout, cross):
        super().__init__()
        attention = lambda: nn.MultiheadAttention(width, heads, dropout, bias=False, batch_first=True)
        self.attention, self.cross = attention(), attention() if cross else None
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if cross else 2))
        self.ffn = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, future=None, padding=None, memory=None, memory_padding=None):
        seen = self.attention(x, x, x, attn_mask=future, key_padding_mask=padding, need_weights=False)[0]
        x = self.norms[0](x + self.dropout(seen))
        if self.cross:
            seen = self.cross(x, memory, memory, key_padding_mask=memory_padding, need_weights=False)[0]
            x = self.norms[1](x + self.dropout(seen))
        return self.norms[-1](x + self.dropout(self.ffn(x)))


class Transformer(nn.Module):
    def __init__(self, width=32, hidden=64, heads=4, layers=2, dropout=0.1):
        super().__init__()
        self.read, self.write = nn.Embedding(WORDS, width), nn.Embedding(WORDS, width)
        stack = lambda cross: nn.ModuleList(Block(width, hidden, heads, dropout, cross) for _ in range(layers))
        self.encoder, self.decoder, self.dense = stack(False), stack(True), nn.Linear(width, WORDS)
        self.dropout, self.scale = nn.Dropout(dropout), math.sqrt(width)
        angle = torch.arange(STEPS)[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
        self.register_buffer("places", torch.stack((angle.sin(), angle.cos()), 2).flatten(1))
        self.register_buffer("future", torch.ones(STEPS, STEPS, dtype=torch.bool).triu(1))

    def forward(self, source, target, padding):
        x, y = (self.dropout(table(tokens) * self.scale + self.places)
                for table, tokens in ((self.read, source), (self.write, target)))
        for block in self.encoder:
            x = block(x, padding=padding)
        for block in self.decoder:
            y = block(y, future=self.future, memory=x, memory_padding=padding)
        return self.dense(y)


def translator(make, batch):
    source, target, forced = (torch.randint(0, WORDS, (batch, STEPS)) for _ in range(3))
    padding, counts = (torch.arange(STEPS) >= torch.randint(2, STEPS + 1, (batch, 1)) for _ in range(2))

    def loss_of(scores):
        each = F.cross_entropy(scores.transpose(1, 2), target, reduction="none")
        return each.masked_fill(counts, 0).sum() / (~counts).sum()

    return make(), (source, forced, padding), loss_of


def make(name, batch):
    layers = {"rnnlm": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
    if name in layers:
        return language_model(layers[name], batch)
    return translator({"seq2seq": Seq2Seq, "transformer": Transformer}[name], batch)


# Name: (batch, optimiser); all gradients are clipped to a norm of 1.
NETWORKS = {
    "rnnlm": (32, "SGD"), "gru": (32, "SGD"), "lstm": (32, "SGD"), "seq2seq": (64, "Adam"), "transformer": (64, "Adam"),
}
