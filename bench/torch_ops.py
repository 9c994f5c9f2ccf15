#!/usr/bin/env python3
"""torch_ops.py [--threads N] [--seconds S] - by PyTorch the calls that `cenote bench ops --json` timed.

Reads its lines on standard input and prints one for each: {"case", "ms_median", "ms_min"}. The text of a call and what
its mode means are explained in app/bench.h. compare.py starts this with the environment in which PyTorch is fastest.
"""
import argparse
import ast
import json
import statistics
import sys
import time

import torch

WARM_UP, MOST_STEPS = 3, 200000


def tensors_of(text, train):
    """[2,3], <9>[4] or [2]+[3]."""
    parts = []
    for part in text.split("+"):
        below, _, shape = part.rpartition("[")
        shape = [int(n) for n in shape.rstrip("]").split(",")]
        if below:
            parts.append(torch.randint(0, int(below.strip("<>")), shape))
        else:
            parts.append(torch.randn(shape, requires_grad=train))
    return parts[0] if len(parts) == 1 else parts


def value_of(text, train):
    return tensors_of(text, train) if text[0] in "[<" else ast.literal_eval(text)


def function_of(name):
    f = torch
    if name == "contiguous":
        return torch.Tensor.contiguous
    for part in name.split("."):
        f = getattr(f, part)
    return f


def calls_of(text, train):
    """[(function, positional arguments, named arguments)]"""
    calls = []
    for call in text.split(" | "):
        name, *words = call.split(" ")
        named = dict(w.split("=", 1) for w in words if "=" in w)
        calls.append((function_of(name), [value_of(w, train) for w in words if "=" not in w],
                      {k: value_of(v, train) for k, v in named.items()}))
    return calls


def leaves_of(calls):
    flat = [x for _, args, _ in calls for a in args for x in (a if isinstance(a, list) else [a])]
    return [x for x in flat if isinstance(x, torch.Tensor) and x.requires_grad]


def forward_of(calls):
    def forward():
        y = None
        for i, (f, args, named) in enumerate(calls):
            y = f(*args, **named) if i == 0 else f(y, *args, **named)
        return y if isinstance(y, torch.Tensor) else y[0]
    return forward


def train_step(text):
    calls = calls_of(text, True)
    forward, leaves = forward_of(calls), leaves_of(calls)
    cotangent = torch.randn_like(forward())

    def step():
        forward().backward(cotangent)
        for leaf in leaves:
            leaf.grad = None
    return step


def forward_step(text):
    forward = forward_of(calls_of(text, False))

    def step():
        with torch.no_grad():
            forward()
    return step


def optimiser_step(text):
    name, *options, size = text.split(" ")
    parameter = tensors_of(size, True)
    parameter.grad = torch.randn_like(parameter)
    return getattr(torch.optim, name)([parameter], **{k: float(v) for k, v in (o.split("=") for o in options)}).step


def times_of(step, seconds):
    for _ in range(WARM_UP):
        step()
    times, start = [], time.perf_counter()
    while len(times) < 3 or (len(times) < MOST_STEPS and time.perf_counter() - start < seconds):
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.3)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    steps = {"forward": forward_step, "train": train_step, "step": optimiser_step}
    for line in sys.stdin:
        case = json.loads(line)
        if "call" not in case:
            continue
        times = times_of(steps[case["mode"]](case["call"]), args.seconds)
        print(json.dumps({"case": case["case"], "ms_median": statistics.median(times) * 1e3,
                          "ms_min": min(times) * 1e3}), flush=True)


if __name__ == "__main__":
    main()
