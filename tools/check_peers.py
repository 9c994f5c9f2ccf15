#!/usr/bin/env python3
"""check_peers.py [BUILD] - files and states go between Cenote and PyTorch, safetensors and NumPy unchanged.

A check for developers; what it needs is not needed for anything else. $TORCH_PYTHON may name the python that has the
packages; without PyTorch it says SKIP, without the package safetensors it skips the parts that need that. The last
line is `N passed, N failed`."""
import ctypes
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
if os.environ.get("TORCH_PYTHON") and not os.environ.get("PEERS_STARTED"):
    os.execve(os.environ["TORCH_PYTHON"], [os.environ["TORCH_PYTHON"], *sys.argv], dict(os.environ, PEERS_STARTED="1"))
if not all(importlib.util.find_spec(name) for name in ("torch", "numpy")):
    print("SKIP: this python has no PyTorch or no NumPy\n0 passed, 0 failed")
    sys.exit(0)

import numpy as np  # noqa: E402
import torch  # noqa: E402

try:
    import safetensors
    import safetensors.torch
except ImportError:
    safetensors = None

# The first form of weights_only knows no floats.
SAFELY = {} if torch.__version__.startswith("1.") else {"weights_only": True}
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build").resolve()

# ---- values, and when they are the same -------------------------------------------------------------------------


def tensors():
    """Of every type; without dimensions, without elements, of odd layouts; numbers that show every bit."""
    ramp = torch.arange(24.0)
    found = {
        "matrix": ramp.reshape(4, 6), "scalar": torch.tensor(2.5, dtype=torch.float64), "empty": torch.zeros(0, 3),
        "turned": ramp.reshape(4, 6).t(), "spread": torch.ones(1).expand(3), "every.second": ramp[::2],
        "odd": torch.tensor([float("nan"), float("inf"), -0.0, 1e-45]), "flags": torch.tensor([True, False, True]),
        "half": torch.tensor([1.5, 65504, 6e-8, float("inf")]).half(),
        "brain": torch.tensor([1.5, 3e38, float("-inf")]).bfloat16(),
    }
    for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
        limits = torch.iinfo(dtype)
        found[str(dtype)[6:]] = torch.tensor([limits.min, 7, limits.max], dtype=dtype)
    return found


def checkpoint():
    """As training programs save it: dictionaries in lists in dictionaries, and an optimiser."""
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten())
    optim = torch.optim.AdamW(net.parameters(), lr=0.01, amsgrad=True)
    net(torch.randn(3, 1, 5, 5)).square().sum().backward()
    optim.step()
    return {"net": net.state_dict(), "optim": optim.state_dict(), "epoch": 3, "best": 0.75, "name": "größe",
            "history": [1.0, 0.5, {"lr": [0.1, 0.01]}], "nothing": None, "done": True, "big": 1 << 40}


def same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape and bits(a) == bits(b)
    if isinstance(a, dict):
        # Dictionaries of Cenote have keys of text.
        return isinstance(b, dict) and [str(k) for k in a] == [str(k) for k in b] and all(
            same(x, y) for x, y in zip(a.values(), b.values()))
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def bits(t):
    return bytes(t.detach().contiguous().flatten().view(torch.uint8).tolist()) if t.numel() else b""


# ---- Cenote: its program, and its library by name ---------------------------------------------------------------


def cenote(*args):
    done = subprocess.run([BUILD / "cenote", *map(str, args)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def converted(source, target):
    cenote("convert", source, target)
    return target


class Value(ctypes.Structure):
    class Is(ctypes.Union):
        _fields_ = [("i", ctypes.c_int64), ("f", ctypes.c_double), ("p", ctypes.c_void_p)]

    _fields_ = [("kind", ctypes.c_int32), ("n", ctypes.c_int32), ("u", Is)]


class Arg(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", Value)]


class Library:
    """cn_ffi_*: calls that fail raise; the first result that a call gives back is returned."""

    TENSOR = 5

    def __init__(self):
        self.c = ctypes.CDLL(str(BUILD / "libcenote.so"))
        self.c.cn_ffi_last_error.restype = ctypes.c_char_p

    def call(self, name, *args):
        if getattr(self.c, "cn_ffi_" + name)(*args) < 0:
            raise RuntimeError(self.c.cn_ffi_last_error().decode())

    def get(self, name, *args):
        out = ctypes.c_void_p()
        self.call(name, *args, ctypes.byref(out))
        return out

    def args(self, positional, named=()):
        made = [(None, v) for v in positional] + list(dict(named).items())
        array = (Arg * len(made))()
        for slot, (name, value) in zip(array, made):
            slot.name = name and name.encode()
            if isinstance(value, bool):
                slot.value.kind, slot.value.u.i = 1, value
            elif isinstance(value, int):
                slot.value.kind, slot.value.u.i = 2, value
            elif isinstance(value, float):
                slot.value.kind, slot.value.u.f = 3, value
            else:
                slot.value.kind, slot.value.u.p = self.TENSOR, value.value
        return array, len(made)

    def tensor(self, x):
        x = np.ascontiguousarray(x, np.float32)
        shape = (ctypes.c_int64 * x.ndim)(*x.shape)
        return self.get("tensor_new", 8, x.ndim, shape, None, x.ctypes.data_as(ctypes.c_void_p),
                        ctypes.c_size_t(x.nbytes))

    def read(self, t, shape):
        x = np.empty(shape, np.float32)
        self.call("tensor_read", t, x.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(x.nbytes))
        return torch.from_numpy(x)

    def module(self, cls, *positional, **named):
        return self.get("module_new", cls.encode(), *self.args(positional, named))

    def forward(self, module, x, shape):
        outs, n = (Value * 8)(), ctypes.c_int(8)
        array, count = self.args([self.tensor(x)])
        self.call("module_forward", module, array, count, outs, ctypes.byref(n))
        return self.read(ctypes.c_void_p(outs[0].u.p), shape)


# ---- checks ------------------------------------------------------------------------------------------------------


def theirs_come_through(folder):
    """PyTorch writes, Cenote reads and writes, each package reads again."""
    for name, value in ("tensors", tensors()), ("checkpoint", checkpoint()):
        for form, options in ("zip", {}), ("legacy", {"_use_new_zipfile_serialization": False}):
            source = folder / f"{name}-{form}.pt"
            torch.save(value, source, **options)
            yield f"{name}, {form}.pt to .pt", same(value, read(converted(source, folder / "again.pt")))


def arrays_come_through(folder):
    """NumPy has no bfloat16."""
    value = {k: t for k, t in tensors().items() if t.dtype != torch.bfloat16}
    torch.save(value, folder / "arrays.pt")
    arrays = np.load(converted(folder / "arrays.pt", folder / "again.npz"))
    for key, t in value.items():
        yield f"{key} to .npz", same(t, torch.from_numpy(np.array(arrays[key])))
    np.savez(folder / "theirs.npz", **{k: t.numpy() for k, t in value.items()})
    back = read(converted(folder / "theirs.npz", folder / "again.pt"))
    yield ".npz to .pt", all(same(t, back[k]) for k, t in value.items())


def safetensors_come_through(folder):
    value = {k: t.contiguous() for k, t in tensors().items()}
    for source in (folder / "theirs.pt", folder / "theirs.safetensors"):
        if source.suffix == ".pt":
            torch.save(value, source)
        else:
            safetensors.torch.save_file(value, source, metadata={"format": "pt", "note": "größe"})
        ours = converted(source, folder / "ours.safetensors")
        back = safetensors.torch.load_file(ours)
        yield f"{source.suffix} to .safetensors", all(same(t, back[k]) for k, t in value.items()) and set(back) == set(value)
    with safetensors.safe_open(folder / "ours.safetensors", "pt") as f:
        yield "metadata", f.metadata() == {"format": "pt", "note": "größe"}
    back = read(converted(folder / "theirs.safetensors", folder / "again.pt"))
    yield ".safetensors to .pt", all(same(t, back[k]) for k, t in value.items())


def inspection_tells(folder):
    source = folder / "tensors-zip.pt"
    told = {e["key"]: e for e in json.loads(cenote("inspect", "--json", source))["entries"]}
    for key, t in tensors().items():
        yield f"inspect {key}", told[key]["dtype"] == str(t.dtype)[6:] and told[key]["shape"] == list(t.shape)


NETS = [
    ("Linear", (5, 3), {}, (2, 5)),
    ("Conv2d", (2, 4, 3), {"groups": 2, "padding": 1}, (2, 2, 5, 5)),
    ("BatchNorm2d", (3,), {}, (2, 3, 4, 4)),
    ("LSTM", (3, 4), {"num_layers": 2, "bidirectional": True}, (5, 2, 3)),
    ("TransformerEncoderLayer", (4, 2, 6, 0.0), {}, (3, 2, 4)),
]


def models_move(folder):
    """In both directions, by every format: the same keys, the same numbers, the same outputs."""
    library = Library()
    suffixes = [".pt", ".npz"] + ([".safetensors"] if safetensors else [])
    for cls, args, options, shape in NETS:
        net, x = getattr(torch.nn, cls)(*args, **options).eval(), torch.randn(shape)
        with torch.no_grad():
            y = net(x)
        y = y[0] if isinstance(y, tuple) else y
        for suffix in suffixes:
            module, path = library.module(cls, *args, **options), folder / f"net{suffix}"
            library.call("module_train", module, 0)
            write(net.state_dict(), path)
            library.call("module_load_state", module, library.get("load", os.fsencode(path)), 1)
            got = library.forward(module, x.numpy(), tuple(y.shape))
            yield f"{cls}: theirs in Cenote, {suffix}", torch.allclose(got, y, atol=1e-5)
            library.call("save", os.fsencode(path), library.get("module_state", module))
            back = read(path)
            net.load_state_dict(back)
            yield f"{cls}: Cenote's in theirs, {suffix}", set(back) == set(net.state_dict()) and all(
                same(t, back[k]) for k, t in net.state_dict().items())


def write(state, path):
    if path.suffix == ".pt":
        torch.save(state, path)
    elif path.suffix == ".npz":
        np.savez(path, **{k: t.numpy() for k, t in state.items()})
    else:
        safetensors.torch.save_file(state, path)


def read(path):
    if path.suffix == ".pt":
        return torch.load(path, **SAFELY)
    if path.suffix == ".npz":
        return {k: torch.from_numpy(np.array(v)) for k, v in np.load(path).items()}
    return safetensors.torch.load_file(path)


OPTIMISERS = [
    ("SGD", {"lr": 0.1, "momentum": 0.9}), ("Adam", {"lr": 0.01, "amsgrad": True}), ("AdamW", {"lr": 0.01}),
    ("Adamax", {}), ("RAdam", {}), ("Adagrad", {}), ("Adadelta", {}), ("ASGD", {"t0": 2.0}), ("Rprop", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
]


def optimisers_move(folder):
    """Three steps there, the state in a file, three steps here; and back."""
    library = Library()
    for cls, options in OPTIMISERS:
        w = torch.nn.Parameter(torch.linspace(-1, 1, 6))
        theirs, path = getattr(torch.optim, cls)([w], **options), folder / "optim.pt"
        gradients = torch.cos(torch.arange(54.0)).reshape(9, 6)
        theirs_steps(theirs, w, gradients[:3])
        torch.save({"w": w.detach(), "optim": theirs.state_dict()}, path)
        v, ours = ours_after(library, cls, options, library.get("load", os.fsencode(path)), gradients[3:6])
        theirs_steps(theirs, w, gradients[3:6])
        yield f"{cls}: its state in Cenote", torch.allclose(library.read(v, (6,)), w.detach(), atol=1e-6)
        library.call("save", os.fsencode(path), library.get("optim_state", ours))
        other = getattr(torch.optim, cls)([w], **options)
        other.load_state_dict(numbered(read(path)))
        before = w.detach().clone()
        theirs_steps(theirs, w, gradients[6:])
        expected = w.detach().clone()
        w.data.copy_(before)
        theirs_steps(other, w, gradients[6:])
        yield f"{cls}: Cenote's state in it", torch.allclose(w.detach(), expected, atol=1e-6)


def theirs_steps(optim, w, gradients):
    for g in gradients:
        w.grad = g.clone()
        optim.step()


def ours_after(library, cls, options, file, gradients):
    entries = {}
    for i in range(library.c.cn_ffi_dict_count(file)):
        value = Value()
        library.call("dict_get", file, i, ctypes.byref(value))
        entries["w" if i == 0 else "optim"] = ctypes.c_void_p(value.u.p)
    w = entries["w"]
    library.call("tensor_requires_grad", w, 1)
    array, n = library.args([], options)
    optim = library.get("optim_new", cls.encode(), (ctypes.c_void_p * 1)(w), (ctypes.c_int * 1)(0), 1, None, None, 1,
                        array, n)
    library.call("optim_load_state", optim, entries["optim"])
    for g in gradients:
        library.call("optim_zero_grad", optim)
        outs, cotangents = (ctypes.c_void_p * 1)(w), (ctypes.c_void_p * 1)(library.tensor(g.numpy()))
        library.call("backward", outs, cotangents, 1)
        library.call("optim_step", optim)
    return w, optim


def numbered(state):
    """PyTorch looks parameters up by number; Cenote's dictionaries have keys of text."""
    return {**state, "state": {int(k): v for k, v in state["state"].items()}}


def main():
    passed = failed = 0
    parts = [theirs_come_through, arrays_come_through, inspection_tells, models_move, optimisers_move]
    if safetensors:
        parts.append(safetensors_come_through)
    else:
        print("SKIP: this python has no safetensors")
    with tempfile.TemporaryDirectory() as folder:
        for part in parts:
            try:
                for name, ok in part(pathlib.Path(folder)):
                    passed, failed = passed + bool(ok), failed + (not ok)
                    print("" if ok else f"FAIL  {name}\n", end="")
            except (RuntimeError, OSError, KeyError, ValueError) as e:
                failed += 1
                print(f"FAIL  {part.__name__}: {e}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
