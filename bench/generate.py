#!/usr/bin/env python3
"""generate.py [BUILD] [--threads N,N..] [--models M,M..] [--tokens N] [--rounds R] - text written by Cenote beside
PyTorch.

Both sides have the same network with the same random weights, draw N characters one by one, in turns, and remember
what they computed for those before: the states of a recurrent layer, the keys and values of a GPT. Starting up is
left out. First both write 40 characters, always the likeliest one: whether they are the same is in the table.
PyTorch is found, and given its best settings, as compare.py does it.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import compare

MODELS = "rnnlm,gru,lstm,gpt"
CHARACTERS = "abcdefghijklmnopqrstuvwxyz "
CHECKED = 40


# ---- PyTorch's side, a process of its own --------------------------------------------------------

def torch_networks():
    """By name: (network, a function from ids and state to scores and state)."""
    import torch
    from torch import nn
    from torch.nn import functional as F
    from torch_sequences import LanguageModel

    class Block(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads, self.ln1, self.ln2 = heads, nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.ffn = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x, past):
            batch, steps, width = x.shape
            q, k, v = self.qkv(self.ln1(x)).view(batch, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            if past is not None:
                k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
            scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
            if steps > 1:
                scores = scores + torch.full((steps, k.shape[2]), float("-inf")).triu(k.shape[2] - steps + 1)
            x = x + self.proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, steps, width))
            return x + self.ffn(self.ln2(x)), (k, v)

    class GPT(nn.Module):
        def __init__(self, width=128, heads=4, layers=2, context=128):
            super().__init__()
            self.context, self.layers = context, layers
            self.embedding = nn.Embedding(len(CHARACTERS) + 1, width)
            self.positions = nn.Embedding(context, width)
            for i in range(layers):
                self.add_module(f"block{i}", Block(width, heads))
            self.ln, self.dense = nn.LayerNorm(width), nn.Linear(width, len(CHARACTERS) + 1)

        def forward(self, ids, state):
            text, past = state if state else (ids[:, :0], None)
            text = torch.cat((text, ids), 1)
            if text.shape[1] > self.context:  # read anew, with half of what there was before
                ids = text = text[:, -(self.context // 2):]
                past = None
            first = text.shape[1] - ids.shape[1]
            x = self.embedding(ids) + self.positions(torch.arange(first, text.shape[1]))
            kept = []
            for i in range(self.layers):
                x, both = getattr(self, f"block{i}")(x, past[i] if past else None)
                kept.append(both)
            return self.dense(self.ln(x[:, -1:])), (text, kept)

    def recurrent(layer):
        net = LanguageModel(layer)

        def step(ids, state):
            y, state = net.rnn(F.one_hot(ids.T, net.linear.out_features).float(), state)
            return net.linear(y), state
        return net, step

    gpt = GPT()
    return {"rnnlm": recurrent(nn.RNN), "gru": recurrent(nn.GRU), "lstm": recurrent(nn.LSTM), "gpt": (gpt, gpt)}


def serve(model, folder, threads):
    """Saves the network's weights; then writes as many characters as each line of standard input says, by chance, or
    the likeliest ones where it is negative, and prints (seconds, text) of each."""
    import torch
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    net, step = torch_networks()[model]
    net.eval()
    torch.save(net.state_dict(), f"{folder}/weights.pt")
    print(json.dumps(torch.__version__), flush=True)
    for line in sys.stdin:
        length, ids, state, text = int(line), torch.tensor([[1]]), None, ""
        start = time.perf_counter()
        with torch.inference_mode():
            for _ in range(abs(length)):
                scores, state = step(ids, state)
                scores = scores[0, -1, 1:]
                place = torch.multinomial(scores.softmax(0), 1) if length > 0 else scores.argmax()[None]
                ids = place[None] + 1
                text += CHARACTERS[int(place)]
        print(json.dumps([time.perf_counter() - start, text]), flush=True)


# ---- the comparison ------------------------------------------------------------------------------

class Peer:
    def __init__(self, python, model, folder, threads):
        self.process = subprocess.Popen(
            [python, os.path.abspath(__file__), "--serve", model, folder, str(threads)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=compare.peer_environment(threads))
        self.version = json.loads(self.process.stdout.readline())

    def write(self, length):
        print(length, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def cenote(build, model, folder, threads, length, *more):
    command = [f"{build}/cenote", "generate", "--model", model, "--weights", f"{folder}/weights.pt", "--vocab",
               f"{folder}/vocab.txt", "--length", str(length), "--threads", str(threads), "--json", *more]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr.strip())
    return time.perf_counter() - start, json.loads(done.stdout)["text"]


def compared(args, python, model, threads):
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "vocab.txt").write_text("<unk>\n" + "\n".join(CHARACTERS) + "\n")
        peer = Peer(python, model, folder, threads)
        same = cenote(args.build, model, folder, threads, CHECKED, "--temperature", "0")[1] == peer.write(-CHECKED)[1]
        for _ in range(args.rounds):
            theirs.append(args.tokens / 10 / peer.write(args.tokens // 10)[0])
            start_up = cenote(args.build, model, folder, threads, 1)[0]
            ours.append((args.tokens - 1) / (cenote(args.build, model, folder, threads, args.tokens)[0] - start_up))
        peer.close()
    a, b = statistics.median(ours), statistics.median(theirs)
    return f"| {model} | {threads} | {a:,.0f} | {b:,.0f} | {a / b:.1f}x | {'yes' if same else 'no'} |", peer.version


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default="build")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--models", default=MODELS)
    parser.add_argument("--tokens", type=int, default=20000, help="PyTorch writes a tenth of them")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    python = compare.find_torch() or sys.exit("no python here can import torch: set TORCH_PYTHON")
    print("| model | threads | Cenote characters/s | PyTorch characters/s | Cenote / PyTorch | same text |")
    print("|---|---:|---:|---:|---:|---|")
    version = ""
    for model in args.models.split(","):
        for threads in args.threads.split(","):
            line, version = compared(args, python, model, int(threads))
            print(line, flush=True)
    print(f"\nPyTorch {version}; medians of {args.rounds} rounds.")


if __name__ == "__main__":
    serve(sys.argv[2], sys.argv[3], int(sys.argv[4])) if sys.argv[1:2] == ["--serve"] else main()
