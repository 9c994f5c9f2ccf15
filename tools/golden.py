#!/usr/bin/env python3
"""golden.py [BUILD] - asks PyTorch for what the tests compare with; writes tests/golden/*.safetensors.

A tool for developers: neither building nor testing needs it. Run it after ops or samples were added.

ops.safetensors        for each op and sample of the table, "OP|SAMPLE|...": outputs "0", "1", .., computed in
                       float64; "dtypes", the types of the outputs when the inputs are float64 (row 0) and
                       float32 (row 1); "g0", "g1", ..: for each tensor argument that is differentiable the
                       gradient of sum_i sum(output_i * sin(1 + k + 10 i)), k counting elements.
networks.safetensors   networks: first state, a batch, output, loss, gradients, the state after steps of
                       optimisers; the learning rates of schedules.
core.safetensors       type promotion and printing.
"""
import ctypes, json, os, pathlib, re, struct, sys

import numpy as np
import torch
import torch.nn.functional

ROOT = pathlib.Path(__file__).resolve().parent.parent
DTYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
          torch.float16, torch.bfloat16, torch.float32, torch.float64]  # in the order of cn_dtype
SAFETENSORS = {torch.bool: "BOOL", torch.uint8: "U8", torch.int64: "I64", torch.float32: "F32", torch.float64: "F64"}
LARGEST = 4096  # elements of one output: larger samples do not belong into the table

# ---- files --------------------------------------------------------------------------------------------------


def save(path, tensors):
    """A safetensors file: the length of a JSON header, the header, the data."""
    header, data, at = {}, [], 0
    for key, t in tensors.items():
        t = t.detach().contiguous()
        raw = t.numpy().tobytes()
        header[key] = {"dtype": SAFETENSORS[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + len(raw)]}
        data.append(raw)
        at += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
    print(f"{path.relative_to(ROOT)}: {len(tensors)} tensors, {path.stat().st_size / 1024:.0f} KiB")


# ---- samples: the same tensors as src/ops/sample.c makes -------------------------------------------------------


def philox(seed, stream, n):
    """The four numbers at positions 0 .. n-1, as an (n, 4) array."""
    low = np.uint64(0xFFFFFFFF)
    c = [np.arange(n, dtype=np.uint64), np.zeros(n, np.uint64), np.full(n, stream, np.uint64), np.zeros(n, np.uint64)]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(key[0]), b & low,
             (a >> np.uint64(32)) ^ c[3] ^ np.uint64(key[1]), a & low]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c, 1)


NAMES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64,
         "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool}
TENSOR = re.compile(r"(f64|f32|f16|bf16|i64|i32|i16|i8|u8|bool)?(\+)?(?:<(\d+))?\[([\d,]*)\]$")
WORDS = {"None": None, "True": True, "False": False, "inf": float("inf"), "nan": float("nan"),
         **{str(d)[6:]: d for d in DTYPES}}


class Sample:
    """One example call: positional and named arguments, and the tensors among them in order."""

    def __init__(self, text, real):
        self.real, self.tensors, self.args, self.kwargs = real, [], [], {}
        for piece in re.findall(r"[^\s{]*\{[^}]*\}|\S+", text):
            named = re.match(r"([A-Za-z_]\w*)=(.*)$", piece)
            value = self.value(named[2] if named else piece)
            if named:
                self.kwargs[named[1]] = value
            else:
                self.args.append(value)

    def value(self, text):
        if text.startswith("{"):
            return [None if t == "None" else self.value(t) for t in text[1:-1].split()]
        match = TENSOR.match(text)
        if match:
            return self.tensor(*match.groups())
        if text in WORDS:
            return WORDS[text]
        if text[0] in "(":
            return tuple(self.value(t) for t in text[1:-1].split(",") if t)
        if text[0] in "'\"":
            return text[1:-1]
        for number in int, float:
            try:
                return number(text)
            except ValueError:
                pass
        return text

    def tensor(self, dtype, positive, below, shape):
        dtype = NAMES[dtype] if dtype else self.real
        shape = [int(d) for d in shape.split(",") if d]
        r = philox(42, len(self.tensors), int(np.prod(shape)))
        if dtype == torch.bool:
            x = r[:, 0] & np.uint64(1)
        elif not dtype.is_floating_point:
            x = (r[:, 0] % np.uint64(below or 10)).astype(np.int64)
        else:
            x = 0.1 + 0.9 * r[:, 0].astype(np.float64) * 2.0**-32
            if not positive:
                x = np.where(r[:, 1] & np.uint64(1), x, -x)
        t = torch.tensor(x).reshape(shape).to(dtype)
        self.tensors.append(t)
        return t


# ---- ops -------------------------------------------------------------------------------------------------------

# Ops whose PyTorch spelling is not torch.NAME, torch.nn.functional.NAME or a method of Tensor.
SPELLED = {
    "rdiv": torch.Tensor.__rdiv__, "rpow": torch.Tensor.__rpow__, "rmatmul": lambda a, b: b @ a,
    "rmod": lambda a, b: torch.remainder(b, a), "trunc_divide": lambda a, b: torch.div(a, b, rounding_mode="trunc"),
    "cast": lambda x, dtype: x.to(dtype), "mT": lambda x: x.mT,
}


def spelled(name):
    """The PyTorch function of that name; None: there is none."""
    if name in SPELLED:
        return SPELLED[name]
    for where in torch, torch.Tensor:
        at = where
        for part in name.split("."):
            at = getattr(at, part, None)
        if callable(at):
            return at
    at = getattr(torch.nn.functional, name, None)
    return at if callable(at) else None


def outputs(result):
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, (tuple, list)):
        return [t for r in result for t in outputs(r)]
    return [torch.tensor(result)]


def run(function, text, real, gradients):
    """The sample's outputs and, where PyTorch has them, the gradients of their projection."""
    torch.manual_seed(0)
    sample = Sample(text, real)
    floats = [t for t in sample.tensors if t.is_floating_point()]
    for t in floats:
        t.requires_grad_(gradients)
    outs = outputs(function(*sample.args, **sample.kwargs))
    total = sum((o * torch.sin(1 + torch.arange(o.numel(), dtype=torch.float64).reshape(o.shape) + 10 * i)).sum()
                for i, o in enumerate(outs) if o.is_floating_point())
    if not gradients or not floats or not isinstance(total, torch.Tensor) or not total.requires_grad:
        return outs, []
    grads = torch.autograd.grad(total, floats, allow_unused=True)
    return outs, list(grads)


def storable(t):
    t = t.detach()
    return t if t.dtype in (torch.bool, torch.float64) else t.to(torch.float64 if t.is_floating_point() else torch.int64)


def ops(library):
    found, missing, failed = {}, [], []
    for i in range(library.cn_ffi_op_count()):
        name = library.cn_ffi_op_name(i).decode()
        function = spelled(name)
        if not function:
            missing.append(name)
            continue
        for text in library.cn_ffi_op_samples(name.encode()).decode().split("|"):
            text = text.strip()
            try:
                outs, grads = run(function, text, torch.float64, True)
                narrow, _ = run(function, text, torch.float32, False)
            except (RuntimeError, TypeError, IndexError, ValueError, NotImplementedError) as e:
                failed.append(f"{name}({text}): {str(e).splitlines()[0]}")
                continue
            if any(o.numel() > LARGEST for o in outs):
                failed.append(f"{name}({text}): more than {LARGEST} elements")
                continue
            key = f"{name}|{text}|"
            found[key + "dtypes"] = torch.tensor([[DTYPES.index(o.dtype) for o in outs] for outs in (outs, narrow)],
                                                 dtype=torch.uint8)
            found.update({f"{key}{k}": storable(o) for k, o in enumerate(outs)})
            found.update({f"{key}g{k}": storable(g) for k, g in enumerate(grads) if g is not None})
    print(f"{len(missing)} ops without a PyTorch equivalent: {' '.join(missing)}")
    print(f"{len(failed)} samples that PyTorch does not run:", *failed, sep="\n  ")
    return found


def load_library(build):
    library = ctypes.CDLL(str(build / "libcenote.so"))
    for name in "cn_ffi_op_name", "cn_ffi_op_samples":
        getattr(library, name).restype = ctypes.c_char_p
    return library


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build")
    folder = ROOT / "tests" / "golden"
    folder.mkdir(exist_ok=True)
    save(folder / "ops.safetensors", ops(load_library(build)))


if __name__ == "__main__":
    main()
