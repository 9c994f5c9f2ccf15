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
import ctypes
import json
import pathlib
import re
import struct
import sys
import warnings

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
            x = (r[:, 0] & np.uint64(1)).astype(np.int64)
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

def indices(index):
    return tuple(slice(None) if i is None else i for i in index)


def index_put(x, index, values, accumulate=False):
    """With None in the index, too: PyTorch has that only as x[index] = values, which cannot accumulate."""
    places = torch.arange(x.numel()).reshape(x.shape)[indices(index)]
    values = torch.as_tensor(values, dtype=x.dtype).broadcast_to(places.shape)
    return x.flatten().index_put((places.flatten(),), values.flatten(), accumulate).reshape(x.shape)


UNDEFINED = {"empty", "empty_like", "new_empty"}  # elements that nobody set

# Ops whose PyTorch spelling is not torch.NAME, torch.nn.functional.NAME or a method of Tensor.
SPELLED = {
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "broadcast_tensors": lambda tensors: torch.broadcast_tensors(*tensors),
    "index": lambda x, index: x[indices(index)],
    "index_put": index_put,
    "slice_scatter": lambda x, src, dim=0, start=None, end=None, step=1:
        torch.slice_scatter(x, src, dim, start, end, step),
    "tensordot": lambda a, b, *dims, **named: torch.tensordot(a, b, **{"dims": dims or 2, **named}),
}


def spelled(name):
    """The PyTorch function of that name; None: there is none."""
    if name in SPELLED:
        return SPELLED[name]
    for at in torch, torch.Tensor:
        for part in name.split("."):
            at = getattr(at, part, None)
        if callable(at):
            return at
    return None


def outputs(result):
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, (tuple, list)):
        return [t for r in result for t in outputs(r)]
    return [torch.tensor(result)]


class Op:
    def __init__(self, library, name):
        self.name, self.function = name, spelled(name)
        schema = library.cn_ffi_op_schema(name.encode()).decode()
        inside = schema[schema.index("(") + 1:schema.rindex(") ->")]
        self.names = [re.split(r"[ =]", a.strip())[1] for a in re.split(r",(?![^(]*\))", inside) if a.strip() != "*"]
        self.samples = [t.strip() for t in library.cn_ffi_op_samples(name.encode()).decode().split("|")]

    def call(self, sample):
        """Options of nn.functional go by name: old positions of PyTorch's are taken by deprecated ones."""
        at = 2 if self.name.startswith("nn.functional.") else len(sample.args)
        named = dict(zip(self.names[at:], sample.args[at:]))
        return outputs(self.function(*sample.args[:at], **named, **sample.kwargs))

    def outputs(self, text, real):
        return self.call(Sample(text, real))

    def random(self):
        """Does it draw numbers? Then PyTorch's are not ours."""
        twice = [[str(self.outputs(text, torch.float64)) for text in self.samples[:1]] for _ in range(2)]
        return twice[0] != twice[1]

    def gradient(self, text, which):
        """Of the projection of all outputs, for one tensor; None: it has none in PyTorch."""
        sample = Sample(text, torch.float64)
        x = sample.tensors[which]
        if not x.is_floating_point():
            return None
        x.requires_grad_(True)
        try:
            total = sum((o * torch.sin(1 + torch.arange(o.numel(), dtype=torch.float64).reshape(o.shape) + 10 * i)).sum()
                        for i, o in enumerate(self.call(sample)) if o.is_floating_point())
            return torch.autograd.grad(total, x, allow_unused=True)[0]
        except (RuntimeError, TypeError):
            return None


def storable(t):
    t = t.detach()
    return t if t.dtype in (torch.bool, torch.float64) else t.to(torch.float64 if t.is_floating_point() else torch.int64)


def sample_values(op, text):
    wide, narrow = op.outputs(text, torch.float64), op.outputs(text, torch.float32)
    if any(o.numel() > LARGEST for o in wide):
        sys.exit(f"{op.name}({text}): an output has more than {LARGEST} elements; make the sample smaller")
    types = [[DTYPES.index(o.dtype) for o in outs] for outs in (wide, narrow)]
    found = {"dtypes": torch.tensor(types, dtype=torch.uint8)}
    found.update({str(k): storable(o) for k, o in enumerate(wide)})
    for k in range(len(Sample(text, torch.float64).tensors)):
        gradient = op.gradient(text, k)
        if gradient is not None:
            found[f"g{k}"] = storable(gradient)
    return found


def ops(library):
    """A sample that PyTorch refuses gets empty "dtypes", so that the test knows it was tried."""
    found, private, refused = {}, [], []
    for i in range(library.cn_ffi_op_count()):
        op = Op(library, library.cn_ffi_op_name(i).decode())
        if not op.function or op.name in UNDEFINED or op.random():
            private.append(op.name)
            continue
        for text in op.samples:
            try:
                values = sample_values(op, text)
            except (RuntimeError, TypeError, IndexError, ValueError) as e:
                refused.append(f"{op.name}({text}): {str(e).splitlines()[0]}")
                values = {"dtypes": torch.zeros(2, 0, dtype=torch.uint8)}
            found.update({f"{op.name}|{text}|{key}": value for key, value in values.items()})
    print(f"{len(private)} ops that are random or not PyTorch's: {' '.join(private)}")
    print(f"{len(refused)} samples that PyTorch refuses:", *refused, sep="\n  ")
    return found


def load_library(build):
    library = ctypes.CDLL(str(build / "libcenote.so"))
    for name in "cn_ffi_op_name", "cn_ffi_op_samples", "cn_ffi_op_schema":
        getattr(library, name).restype = ctypes.c_char_p
    return library


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build")
    folder = ROOT / "tests" / "golden"
    folder.mkdir(exist_ok=True)
    save(folder / "ops.safetensors", ops(load_library(build)))


if __name__ == "__main__":
    main()
