#!/usr/bin/env python3
"""torch_peer.py MODEL [--threads N] [--seconds S] - the training step of `cenote bench MODEL`, by PyTorch.

Prints one line of JSON with the same keys. The step is zero_grad, forward, loss, backward, the book's clipping of
gradients and update on one fixed batch in memory; the time is the median of whole steps after a warm-up. compare.py
starts it with the environment in which PyTorch is fastest.
"""
import argparse
import functools
import json
import pathlib
import resource
import statistics
import sys
import time

WARM_UP, PRODUCT = 5, 1024


# Chapters 6 and 7, which the golden values know, too: shape of an example and batch.
CONVOLUTIONAL = {
    "alexnet": ((1, 224, 224), 128), "vgg11": ((1, 224, 224), 128), "vgg11-quarter": ((1, 224, 224), 128),
    "nin": ((1, 224, 224), 128), "googlenet": ((1, 96, 96), 128), "lenet-bn": ((1, 28, 28), 256),
    "resnet18": ((1, 96, 96), 256), "densenet": ((1, 96, 96), 256),
}
SEQUENCES = ["rnnlm", "gru", "lstm", "seq2seq", "transformer"]
NAMES = ["linreg", "softmax", "mlp", "lenet", *CONVOLUTIONAL, *SEQUENCES]


def book_network(name, side):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
    import book_networks
    return book_networks.make(name, side)


def networks(nn):
    """Network, input of one example, batch, loss: as in models/."""
    classes, numbers = nn.CrossEntropyLoss(), nn.MSELoss()
    return {
        "linreg": (lambda: nn.Linear(2, 1), (2,), 10, numbers),
        "softmax": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), (1, 28, 28), 256, classes),
        "mlp": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)),
                (1, 28, 28), 256, classes),
        "lenet": (lambda: nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
            (1, 28, 28), 256, classes),
        **{name: (functools.partial(book_network, name, shape[1]), shape, batch, classes)
           for name, (shape, batch) in CONVOLUTIONAL.items()},
    }


def multiply_adds(torch, net, inputs):
    """Of one forward pass, counted where the work is: linear, convolution and recurrent layers."""
    total = 0

    def count(module, taken, output):
        nonlocal total
        if isinstance(module, torch.nn.RNNBase):
            steps = taken[0].shape[0] * taken[0].shape[1]
            total += steps * sum(w.numel() for n, w in module.named_parameters() if n.startswith("weight"))
        else:
            total += output.numel() * module.weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in net.modules()
             if isinstance(m, (torch.nn.Linear, torch.nn.Conv2d, torch.nn.RNNBase))]
    with torch.no_grad():
        net(*inputs)
    for hook in hooks:
        hook.remove()
    return total


def peak_flops(torch):
    """The speed of a large matrix product: what `cenote bench` measures its share against."""
    a, best = torch.ones(PRODUCT, PRODUCT), float("inf")
    for _ in range(6):
        start = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - start)
    return 2 * PRODUCT**3 / best


def times_of(step, seconds):
    for _ in range(WARM_UP):
        step()
    times, start = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    return times


def task(torch, args):
    """What a step needs: network, inputs, loss of the output, optimiser, largest norm of the gradient, batch."""
    if args.model in SEQUENCES:
        import torch_sequences
        batch, kind = torch_sequences.NETWORKS[args.model]
        batch = args.batch or batch
        net, inputs, loss_of = torch_sequences.make(args.model, batch)
        return net, inputs, loss_of, getattr(torch.optim, kind)(net.parameters(), lr=0.01), 1, batch
    make, shape, batch, loss = networks(torch.nn)[args.model]
    batch = args.batch or batch
    net, x = make(), torch.randn(batch, *shape)
    y = torch.randn(batch, 1) if args.model == "linreg" else torch.randint(0, 10, (batch,))
    if args.channels_last and x.dim() == 4:
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    return net, (x,), lambda out: loss(out, y), torch.optim.SGD(net.parameters(), lr=0.01), 0, batch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=NAMES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--batch", type=int, help="examples per step, instead of the book's")
    parser.add_argument("--channels-last", action="store_true", help="images and kernels with the channels last")
    args = parser.parse_args()

    import torch
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    net, inputs, loss_of, optimiser, clip, batch = task(torch, args)

    def step():
        optimiser.zero_grad(set_to_none=True)
        loss_of(net(*inputs)).backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimiser.step()

    times = times_of(step, args.seconds)
    median = statistics.median(times)
    peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    flops = 3 * 2 * multiply_adds(torch, net, inputs)  # a backward pass costs twice the forward
    json.dump({"model": args.model, "batch": batch, "threads": args.threads, "step_ms_median": median * 1e3,
               "step_ms_min": min(times) * 1e3, "examples_per_s": batch / median, "steps": len(times),
               "peak_rss_mb": peak_rss, "peak_share": flops / median / peak_flops(torch),
               "version": torch.__version__}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
