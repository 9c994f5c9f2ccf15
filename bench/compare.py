#!/usr/bin/env python3
"""compare.py [BUILD] [--threads N,N..] [--models M,M.. [--batch B] [--channels-last] | --ops C,C..] [--rounds R]
[--seconds S] - Cenote beside PyTorch.

Runs `BUILD/cenote bench MODEL` and torch_peer.py in turn, so that both see the same machine at the same time, and
prints a Markdown table of the medians over the rounds. With --ops it is single ops, `BUILD/cenote bench ops C` and
torch_ops.py: the cases whose names begin with one of the words, "all" for each. PyTorch is taken from
$TORCH_PYTHON, /usr/bin/python3 or this python, the first that can import torch; without one, only Cenote's columns
are filled.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODELS = "linreg,softmax,mlp,lenet"


def find_torch():
    for python in (os.environ.get("TORCH_PYTHON"), "/usr/bin/python3", sys.executable):
        if python and subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0:
            return python
    return None


def peer_environment(threads):
    """The settings in which PyTorch is fastest; they must be there before it is loaded."""
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
               MKL_NUM_THREADS=str(threads),
               MALLOC_TOP_PAD_="268435456", MALLOC_TRIM_THRESHOLD_="536870912", MALLOC_MMAP_THRESHOLD_="536870912")
    try:
        flags = next(line for line in open("/proc/cpuinfo") if line.startswith("flags")).split()
    except (OSError, StopIteration):
        flags = []
    if "avx512bw" in flags:  # OpenBLAS goes by model number, and takes new processors for old ones
        env["OPENBLAS_CORETYPE"] = "SkylakeX"
    elif "avx2" in flags:
        env["OPENBLAS_CORETYPE"] = "Haswell"
    openmp = pathlib.Path("/usr/lib/x86_64-linux-gnu/openblas-openmp")
    if openmp.is_dir():  # one pool of threads instead of two
        env["LD_LIBRARY_PATH"] = f"{openmp}:{env.get('LD_LIBRARY_PATH', '')}".rstrip(":")
    return env


def run_lines(command, env=None, text_in=None):
    """The JSON objects that a command prints; none, with a word on stderr, when it fails."""
    done = subprocess.run(command, env=env, input=text_in, capture_output=True, text=True)
    try:
        if done.returncode == 0:
            return [json.loads(line) for line in done.stdout.strip().splitlines()]
    except ValueError:
        pass
    print(f"{' '.join(map(str, command))}: {(done.stderr.strip() or 'no result').splitlines()[-1]}", file=sys.stderr)
    return []


def run(command, env=None):
    lines = run_lines(command, env)
    return lines[-1] if lines else None


def median(results, key):
    values = [r[key] for r in results if r]
    return statistics.median(values) if values else None


def text(value, form):
    return "-" if value is None else form.format(value)


def row(model, threads, ours, theirs):
    a, b = median(ours, "step_ms_median"), median(theirs, "step_ms_median")
    share = [text(median(r, "peak_share"), "{:.0%}") for r in (ours, theirs)]
    rss = [text(median(r, "peak_rss_mb"), "{:.0f}") for r in (ours, theirs)]
    return (f"| {model} | {threads} | {text(a, '{:.3f}')} | {text(b, '{:.3f}')} | "
            f"{text(b / a if a and b else None, '{:.2f}x')} | {share[0]} / {share[1]} | {rss[0]} / {rss[1]} |")


def compare_models(args, cenote, python):
    print("| model | threads | Cenote ms | PyTorch ms | PyTorch / Cenote | share of peak | peak RSS MB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    complete = True
    for model in args.models.split(","):
        for threads in args.threads.split(","):
            ours, theirs = [], []
            options = [model, "--threads", threads, "--seconds", str(args.seconds)]
            options += ["--batch", str(args.batch)] if args.batch else []
            for _ in range(args.rounds):
                ours.append(run([cenote, "bench", *options, "--json"]))
                if python:
                    theirs.append(run([python, HERE / "torch_peer.py", *options,
                                       *["--channels-last"] * args.channels_last], peer_environment(threads)))
            print(row(model, threads, ours, theirs), flush=True)
            complete &= None not in ours + theirs
    return complete


def op_row(name, threads, ours, theirs):
    """The share is that of the speed of memory or of a large product."""
    key = next((k for k in ("gbyte_per_s", "gflop_per_s") if ours and k in ours[0]), None)
    a, b = median(ours, "ms_median"), median(theirs, "ms_median")
    least = [min((r["ms_min"] for r in side), default=None) for side in (ours, theirs)]
    rate = text(median(ours, key), "{:.1f} " + ("GF/s" if key == "gflop_per_s" else "GB/s")) if key else "-"
    share = text(median(ours, "share"), "{:.0%}") if key else "-"
    ratios = [text(y / x if x and y else None, "{:.2f}x") for x, y in ((a, b), least)]
    return (f"| {name} | {threads} | {text(a, '{:.4f}')} | {text(b, '{:.4f}')} | {ratios[0]} | {ratios[1]} | "
            f"{rate} | {share} |")


def of_case(rounds, name):
    return [r for lines in rounds for r in lines if r["case"] == name]


def compare_ops(args, cenote, python):
    """Groups of cases in turn, so that the two sides of a case are measured within seconds."""
    words = [] if args.ops == "all" else args.ops.split(",")
    print("| op | threads | Cenote ms | PyTorch ms | PyTorch / Cenote | of the shortest | rate | share of peak |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    listing = subprocess.run([cenote, "bench", "ops", *words, "--list"], capture_output=True, text=True)
    complete = listing.returncode == 0
    for name in listing.stdout.split():
        for threads in args.threads.split(","):
            options, ours, theirs = ["--threads", threads, "--seconds", str(args.seconds)], [], []
            for _ in range(args.rounds):
                lines = [r for r in run_lines([cenote, "bench", "ops", name, *options, "--json"]) if r["case"] == name]
                ours.append(lines)
                if python:
                    theirs.append(run_lines([python, HERE / "torch_ops.py", *options], peer_environment(threads),
                                            "\n".join(map(json.dumps, lines))))
            print(op_row(name, threads, of_case(ours, name), of_case(theirs, name)), flush=True)
            complete &= [] not in ours + theirs
    return complete


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default=str(HERE.parent / "build"))
    parser.add_argument("--threads", default=",".join(sorted({"1", str(os.cpu_count() or 1)}, key=int)))
    parser.add_argument("--models", default=MODELS)
    parser.add_argument("--batch", type=int, help="examples per step, instead of the book's")
    parser.add_argument("--ops", help="single ops instead")
    parser.add_argument("--channels-last", action="store_true", help="PyTorch's images in that layout")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1, help="of each measurement")
    args = parser.parse_args()
    cenote, python = pathlib.Path(args.build) / "cenote", find_torch()
    if not python:
        print("no python here can import torch: only Cenote is measured (set TORCH_PYTHON)", file=sys.stderr)
    complete = (compare_ops if args.ops else compare_models)(args, cenote, python)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
