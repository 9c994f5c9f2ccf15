#!/usr/bin/env python3
"""golden.py [BUILD] - asks PyTorch for what the tests compare with; writes tests/golden/*.safetensors.

A tool for developers: neither building nor testing needs it. Run it after ops or samples were added.

ops.safetensors        for each op and sample of the table, "OP|SAMPLE|...": outputs "0", "1", .., computed in
                       float64; "dtypes", the types of the outputs when the inputs are float64 (row 0) and
                       float32 (row 1); "g0", "g1", ..: for each tensor argument that is differentiable the
                       gradient of sum_i sum(output_i * sin(1 + k + 10 i)), k counting elements. Complex tensors
                       are pairs of reals, in one more dimension.
networks.safetensors   of networks with drawn parameters, NET|output, NET|loss, NET|grad|PARAMETER, and the state
                       after three steps, NET|OPTIMISER|ENTRY; lr|SCHEDULE: learning rates of 12 epochs.
autocast.safetensors   of two of these networks, in float32 under torch.autocast in bfloat16.
core.safetensors       promotion: the type of a + b; text|K: what PyTorch prints of the tensors of test_core.c.
"""
import ctypes
import json
import math
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
          torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128]  # in the order of cn_dtype
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
         "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool, "c": torch.complex128}
TENSOR = re.compile(r"(f64|f32|f16|bf16|i64|i32|i16|i8|u8|bool|c)?([+#])?(?:<(\d+))?\[([\d,]*)\]$")
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
            return [self.item(t) for t in text[1:-1].split()]
        if text.startswith("i64("):
            self.tensors.append(torch.tensor([int(n) for n in text[4:-1].split(",")]))
            return self.tensors[-1]
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

    def item(self, text):
        """Of a list of tensors, or between brackets."""
        if text == "...":
            return ...
        if ":" in text:
            return slice(*(int(bound) if bound else None for bound in text.split(":")))
        return self.value(text)

    def tensor(self, dtype, kind, below, shape):
        dtype = NAMES[dtype] if dtype else self.real
        shape = [int(d) for d in shape.split(",") if d]
        is_complex = dtype.is_complex
        if is_complex:
            dtype, shape = self.real, shape + [2]
        r = philox(42, len(self.tensors), int(np.prod(shape)))
        if dtype == torch.bool:
            x = (r[:, 0] & np.uint64(1)).astype(np.int64)
        elif not dtype.is_floating_point:
            x = (r[:, 0] % np.uint64(below or 10)).astype(np.int64) + (kind == "+")
        else:
            x = 0.1 + 0.9 * r[:, 0].astype(np.float64) * 2.0**-32
            if kind != "+":
                magnitude, x = x, np.where(r[:, 1] & np.uint64(1), x, -x)
            if kind == "#":
                i = np.arange(x.size)
                x = np.where(i // shape[-1] % shape[-2] == i % shape[-1], shape[-1] + magnitude, x)
        t = torch.tensor(x).reshape(shape).to(dtype)
        if is_complex:
            t = torch.view_as_complex(t)
        self.tensors.append(t)
        return t


def as_reals(t):
    return torch.view_as_real(t.resolve_conj()) if t.is_complex() else t


# ---- ops -------------------------------------------------------------------------------------------------------

def indices(index):
    return tuple(slice(None) if i is None else i for i in index)


def index_put(x, index, values, accumulate=False):
    """With None in the index, too: PyTorch has that only as x[index] = values, which cannot accumulate."""
    places = torch.arange(x.numel()).reshape(x.shape)[indices(index)]
    values = torch.as_tensor(values, dtype=x.dtype).broadcast_to(places.shape)
    return x.flatten().index_put((places.flatten(),), values.flatten(), accumulate).reshape(x.shape)


def triangle(x, upper):
    return x.triu() if upper else x.tril()


def setitem(x, index, value):
    """In a copy: PyTorch changes x itself, which a leaf that requires gradients refuses."""
    y = x.clone()
    y[index] = value
    return y


def as_strided_scatter(x, src, size, stride, offset=0):
    """PyTorch 1.13 has the values, but not the gradient."""
    places = torch.as_strided(torch.arange(x.numel()), size, stride, offset)
    return x.flatten().index_put((places.flatten(),), src.flatten()).reshape(x.shape)


# Elements that nobody set, vectors whose signs, eigenvalues whose order nobody did.
UNDEFINED = {"empty", "empty_like", "new_empty", "linalg.eig", "linalg.eigh", "linalg.eigvals", "linalg.svd", "svd"}



def polygamma(n, x):
    """PyTorch's own trigamma, which is digamma's gradient, too, has nine digits; its zeta function has all."""
    if n == 0:
        if not x.is_floating_point():
            return torch.digamma(x)
        return torch.digamma(x).detach() + torch.special.zeta(2, x.detach()) * (x - x.detach())
    return (-1) ** (n + 1) * math.factorial(n) * torch.special.zeta(n + 1, x)


def unpacked(sequence):
    """A PackedSequence without the indices it does not have."""
    return [t for t in sequence if t is not None]


RNN = torch.nn.utils.rnn


def attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """As PyTorch since 2.5: rows with nothing to attend to are 0."""
    if enable_gqa:
        key, value = (t.repeat_interleave(query.shape[-3] // t.shape[-3], -3) for t in (key, value))
    scores = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if attn_mask is not None:
        is_bool = attn_mask.dtype == torch.bool
        scores = scores.masked_fill(~attn_mask, -torch.inf) if is_bool else scores + attn_mask
    dead = (scores == -torch.inf).all(-1, keepdim=True)
    return torch.softmax(scores.masked_fill(dead, 0), -1).masked_fill(dead, 0) @ value


def rms_norm(x, normalized_shape, weight=None, eps=None):
    dims = tuple(range(-len(normalized_shape), 0))
    y = x * torch.rsqrt((x * x).mean(dims, keepdim=True) + (torch.finfo(x.dtype).eps if eps is None else eps))
    return y if weight is None else y * weight



# Ops whose PyTorch spelling is not torch.NAME, torch.nn.functional.NAME or a method of Tensor.
SPELLED = {
    "__getitem__": lambda x, index: x[index],
    "__setitem__": setitem,
    "as_strided_scatter": as_strided_scatter,
    "conj": lambda x: x.conj().resolve_conj(),
    "copy": lambda x, src: torch.as_tensor(src).to(x.dtype).expand(x.shape).clone(),
    "cartesian_prod": lambda tensors: torch.cartesian_prod(*tensors),
    "H": lambda x: x.H,
    "adjoint": lambda x: x.mH,
    "is_complex": lambda x: torch.tensor(x.is_complex()),
    "imag": lambda x: x.imag,
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "block_diag": lambda tensors: torch.block_diag(*tensors),
    "digamma": lambda x: polygamma(0, x),
    "polygamma": polygamma,
    "broadcast_tensors": lambda tensors: torch.broadcast_tensors(*tensors),
    # PyTorch's own gradient has 1 / 6 rounded to float32.
    "nn.functional.hardsigmoid": lambda x: torch.nn.functional.relu6(x + 3) / 6,
    # PyTorch's own gradient of L is not that of a triangle.
    "cholesky_inverse": lambda x, upper=False: torch.cholesky_inverse(triangle(x, upper), upper),
    "cholesky_solve": lambda b, x, upper=False: torch.cholesky_solve(b, triangle(x, upper), upper),
    "index": lambda x, index: x[indices(index)],
    "index_put": index_put,
    # Newer than the PyTorch asked here.
    "nn.functional.lp_pool3d": lambda x, p, kernel_size: (
        torch.nn.functional.avg_pool3d(x.pow(p), kernel_size) * kernel_size ** 3).pow(1 / p),
    "nn.utils.rnn.pack_padded_sequence": lambda *args, **named: unpacked(RNN.pack_padded_sequence(*args, **named)),
    "nn.utils.rnn.pad_packed_sequence": lambda sequence, *args, **named:
        RNN.pad_packed_sequence(RNN.PackedSequence(*sequence), *args, **named),
    "nn.functional.rms_norm": rms_norm,
    "nn.functional.scaled_dot_product_attention": attention,
    "slice_scatter": lambda x, src, dim=0, start=None, end=None, step=1:
        torch.slice_scatter(x, src, dim, start, end, step),
    # PyTorch's own calls a BLAS that may return complex numbers in another way.
    "vdot": lambda a, b: (a.conj() * b).sum(),
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
        if not x.is_floating_point() and not x.is_complex():
            return None
        x.requires_grad_(True)
        try:
            total = sum((o * torch.sin(1 + torch.arange(o.numel(), dtype=torch.float64).reshape(o.shape) + 10 * i)).sum()
                        for i, o in enumerate(map(as_reals, self.call(sample))) if o.is_floating_point())
            return torch.autograd.grad(total, x, allow_unused=True)[0]
        except (RuntimeError, TypeError):
            return None


def storable(t):
    t = as_reals(t.detach())
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


# ---- networks: parameters, inputs and targets are drawn as in tests/test_networks.c --------------------------------

BATCH, STEPS, EPOCHS, HEAD = 17, 3, 12, 255


def drawn(seed, stream, shape):
    """Numbers in [-1, 1), rounded to float32 and computed with in float64."""
    r = philox(seed, stream, int(np.prod(shape)))
    return torch.tensor(2 * r[:, 0].astype(np.float64) * 2.0**-32 - 1).reshape(shape).float().double()


def draw_parameters(net):
    with torch.no_grad():
        for k, p in enumerate(net.parameters()):
            if p.ndim > 1:
                p.copy_((drawn(7, k, p.shape) * float(np.float32((p[0].numel()) ** -0.5))).float())
            else:
                is_scale = any(p is getattr(m, "weight", None) for m in net.modules())
                p.copy_((drawn(7, k, p.shape) * 0.125 + (1 if is_scale else 0)).float())
    return net.double()


def networks():
    nn = torch.nn
    return {
        "linreg": ((2,), lambda: nn.Sequential(nn.Linear(2, 1))),
        "softmax": ((1, 8, 8), lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10))),
        "mlp": ((1, 8, 8), lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))),
        "lenet": ((1, 28, 28), lambda: nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10))),
        "conv_bn": ((1, 12, 12), lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.0),
            nn.Flatten(), nn.Linear(144, 10))),
    }


OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-3, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, eps=1e-4, weight_decay=1e-3),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, eps=1e-4, weight_decay=0.1),
}


def digest(t):
    """Small tensors whole; of others the first elements and a sum that depends on all."""
    t = t.detach().double().flatten()
    if t.numel() > HEAD + 1:
        weights = torch.sin(1 + torch.arange(t.numel(), dtype=torch.float64))
        t = torch.cat((t[:HEAD], (t * weights).sum().reshape(1)))
    return t.float()


def network_values(name, shape, make):
    x = drawn(8, 0, (BATCH, *shape))
    if name == "linreg":
        y, loss_of = drawn(8, 1, (BATCH, 1)), torch.nn.functional.mse_loss
    else:
        y = torch.tensor((philox(8, 1, BATCH)[:, 0] % np.uint64(10)).astype(np.int64))
        loss_of = torch.nn.functional.cross_entropy
    net = draw_parameters(make())
    out = net(x)
    loss = loss_of(out, y)
    loss.backward()
    found = {"output": digest(out), "loss": digest(loss)}
    found.update({f"grad|{k}": digest(p.grad) for k, p in net.named_parameters()})
    for which, optimiser in OPTIMISERS.items():
        net = draw_parameters(make())
        optim = optimiser(net.parameters())
        for _ in range(STEPS):
            optim.zero_grad()
            loss_of(net(x), y).backward()
            optim.step()
        found.update({f"{which}|{k}": digest(v) for k, v in net.state_dict().items()})
    return {f"{name}|{k}": v for k, v in found.items()}


def schedules():
    of = torch.optim.lr_scheduler
    made = {
        "StepLR": lambda o: of.StepLR(o, 3, 0.5), "MultiStepLR": lambda o: of.MultiStepLR(o, [2, 5, 5, 9], 0.3),
        "CosineAnnealingLR": lambda o: of.CosineAnnealingLR(o, 8, 0.01),
        "PolynomialLR": lambda o: of.PolynomialLR(o, 10, 2.0), "ExponentialLR": lambda o: of.ExponentialLR(o, 0.9),
    }
    found = {}
    for name, make in made.items():
        optim = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
        schedule, rates = make(optim), []
        for _ in range(EPOCHS):
            rates.append(optim.param_groups[0]["lr"])
            optim.step()
            schedule.step()
        found[f"lr|{name}"] = torch.tensor(rates, dtype=torch.float64)
    return found


def autocast_values():
    """Mixed precision: outputs, losses and gradients of two networks under torch.autocast in bfloat16."""
    found = {}
    for name in ("mlp", "lenet"):
        shape, make = networks()[name]
        net = draw_parameters(make()).float()
        x = drawn(8, 0, (BATCH, *shape)).float()
        y = torch.tensor((philox(8, 1, BATCH)[:, 0] % np.uint64(10)).astype(np.int64))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = net(x)
            loss = torch.nn.functional.cross_entropy(out, y)
        loss.backward()
        assert out.dtype == torch.bfloat16 and loss.dtype == torch.float32
        found.update({f"{name}|output": digest(out), f"{name}|loss": digest(loss)})
        found.update({f"{name}|grad|{k}": digest(p.grad) for k, p in net.named_parameters()})
    return found


def all_networks():
    found = schedules()
    for name, (shape, make) in networks().items():
        found.update(network_values(name, shape, make))
    return found


# ---- core ----------------------------------------------------------------------------------------------------------


def printed():
    """In the order of tests/test_core.c."""
    t = torch.tensor
    return [
        t(3.0), t(2.5), t([1.0, 2.0, 3.0]), t([1.5, -2.25, 1000.0]), t([1e-5, 1.0]), t([1e8, 1.0]),
        t([float("nan"), float("inf"), -1.0]), t([[1, -20], [300, 4]]), t([True, False]), t([]),
        torch.zeros(2, 0), torch.arange(24.0).reshape(2, 3, 4), torch.arange(2000), torch.arange(30.0),
        torch.arange(1200.0).reshape(30, 40) / 8, t([1.5, 2.5], dtype=torch.float64), t([1, 2], dtype=torch.uint8),
        t([0.5, 1.5], dtype=torch.bfloat16), t(7), t([[0.0, 1e5]]), t([1.0, 1e-3 + 1]),
        t([1 + 2j, 3.5 - 1j]), t([1 + 200j, -3 - 1.5j], dtype=torch.complex128), t(2 - 1j),
    ]


def code(dtype):
    """As in cn_dtype, which has no complex numbers of halves: the next wider ones stand for them."""
    return DTYPES.index(torch.complex64 if dtype == torch.complex32 else dtype)


def core():
    found = {}
    for rank, shapes in enumerate((((2,), (2,)), ((2,), ()), ((), ()))):
        table = [[code((torch.ones(shapes[0], dtype=a) + torch.ones(shapes[1], dtype=b)).dtype)
                  for b in DTYPES] for a in DTYPES]
        found[f"promotion|{rank}"] = torch.tensor(table, dtype=torch.uint8)
    for k, x in enumerate(printed()):
        found[f"text|{k}"] = torch.tensor(list(str(x).replace("torch.", "").encode()), dtype=torch.uint8)
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
    save(folder / "networks.safetensors", all_networks())
    save(folder / "autocast.safetensors", autocast_values())
    save(folder / "core.safetensors", core())
    save(folder / "ops.safetensors", ops(load_library(build)))


if __name__ == "__main__":
    main()
