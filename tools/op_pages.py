#!/usr/bin/env python3
"""op_pages.py BUILD [--check] - writes docs/ops/ from the table of ops.

What a page says about an op is what the library answers: its schema, explanation and gradient come
from the table, shapes and types from calling it with its samples, the example from calling it with
small numbers. The family is the folder of the object file that defines the op. With --check nothing
is written: pages that differ are named, and some examples are run by the program.
"""
import ctypes
import os
import re
import shlex
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "ops"
TITLES = {"elementwise": "Elementwise", "reduce": "Reductions, sorting, statistics",
          "shape": "Shapes and making tensors", "indexing": "Indexing", "linalg": "Linear algebra",
          "layers": "Layers", "activation": "Activations", "loss": "Losses",
          "random": "Random numbers", "private": "Private ops"}
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
          "float64", "complex64", "complex128"]
SHORT = {"u8": "uint8", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
         "f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64", "bool": "bool"}
TRIED = ["bool", "int64", "float16", "bfloat16", "float32", "float64"]
LONGEST = 12  # lines of an example's result


# ---- the library ------------------------------------------------------------------------------

class Union(ctypes.Union):
    _fields_ = [("i", ctypes.c_int64), ("f", ctypes.c_double), ("s", ctypes.c_char_p),
                ("p", ctypes.c_void_p)]


class Value(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int32), ("n", ctypes.c_int32), ("u", Union)]


class Arg(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", Value)]


NONE, BOOL, INT, FLOAT, STR, TENSOR, LIST, DTYPE, SLICE, ELLIPSIS = range(10)


def load(build):
    os.environ["CENOTE_PROVIDERS"] = "reference"  # the same digits on every processor
    library = ctypes.CDLL(str(build / "libcenote.so"))
    for name in ("name", "schema", "doc", "samples", "aliases", "gradient"):
        getattr(library, "cn_ffi_op_" + name).restype = ctypes.c_char_p
    library.cn_ffi_last_error.restype = ctypes.c_char_p
    library.cn_needs_grad.restype = ctypes.c_bool
    library.cn_to_text.restype = ctypes.c_size_t
    library.cn_manual_seed.argtypes = [ctypes.c_uint64]
    return library


def pack(dtype, x):
    formats = {"bool": "?", "uint8": "B", "int8": "b", "int16": "h", "int32": "i", "int64": "q",
               "float16": "e", "float32": "f", "float64": "d"}
    if dtype == "bfloat16":
        return struct.pack("<f", x)[2:]
    return struct.pack("<" + formats[dtype], x if "float" in dtype else int(x))


def shape_text(shape):
    return "(" + ", ".join(map(str, shape)) + ")"


# ---- samples ----------------------------------------------------------------------------------

class Tensor:
    """A tensor of a sample: what it may hold, and the numbers we chose."""
    WIDE = [0.5, -1.0, 2.0, 1.5, -0.5, 3.0, -2.0, 1.0, 2.5, -1.5, 4.0]
    NARROW = [0.5, -0.2, 0.9, -0.8, 0.3, -0.6, 0.1, 0.7, -0.4, 0.8, 0.2]

    def __init__(self, dtype, mark, below, shape, vector=None):
        self.dtype, self.mark, self.below, self.shape = dtype, mark, below, shape
        self.free = dtype is None  # of a float type that the sample leaves open
        self.vector = vector

    def count(self):
        n = 1
        for size in self.shape:
            n *= size
        return n

    def element(self, i, narrow):
        if self.vector is not None:
            return self.vector[i]
        if self.dtype == "bool":
            return i % 3 != 1
        if self.below:
            low = 1 if self.mark == "+" else 0
            return low + (i * 2 + i // 3) % (self.below - low)
        if self.mark == "#":
            n = self.shape[-1]
            row, column = i // n % n, i % n
            return 4.0 + row if row == column else 1.0
        x = (self.NARROW if narrow else self.WIDE)[i % len(self.WIDE)]
        return abs(x) if self.mark == "+" else x

    def elements(self, narrow):
        return [self.element(i, narrow) for i in range(self.count())]


TENSOR_FORM = re.compile(r"(u8|i8|i16|i32|i64|f16|bf16|f32|f64|bool)?([+#])?(?:<(\d+))?\[([\d,]*)\]$")
VECTOR_FORM = re.compile(r"(u8|i8|i16|i32|i64)\(([-\d,]*)\)$")


def numbers(text):
    return [int(part) for part in text.split(",") if part]


def words_of(text):
    """The words of a sample; what stands between { and } is one."""
    return re.findall(r"(?:[^\s{}]|\{[^{}]*\})+", text)


def read_value(word):
    """A word of a sample as a Tensor, a list, or a value of Python."""
    if word.startswith("{"):
        return [read_value(item) for item in word[1:-1].split()]
    match = TENSOR_FORM.match(word)
    if match:
        dtype, mark, below, shape = match.groups()
        return Tensor(SHORT.get(dtype), mark, int(below or 0), numbers(shape))
    match = VECTOR_FORM.match(word)
    if match:
        values = numbers(match.group(2))
        return Tensor(SHORT[match.group(1)], None, 0, [len(values)], values)
    if word in ("None", "True", "False"):
        return {"None": None, "True": True, "False": False}[word]
    if re.match(r"[-\d]*:[-\d:]*$", word):
        return slice(*[int(part) if part else None for part in word.split(":")])
    if word == "...":
        return ...
    if word.startswith("("):
        return tuple(read_value(item) for item in word[1:-1].split(",") if item)
    for number in (int, float):
        try:
            return number(word)
        except ValueError:
            pass
    return word.strip("'")


def read_sample(text):
    """[(name or None, value, word)]"""
    args = []
    for word in words_of(text):
        match = re.match(r"([A-Za-z_]\w*)=(.*)$", word)
        name, rest = match.groups() if match else (None, word)
        args.append((name, read_value(rest), rest))
    return args


def tensors_of(value):
    if isinstance(value, Tensor):
        return [value]
    return [t for item in value for t in tensors_of(item)] if isinstance(value, (list, tuple)) else []


# ---- calls ------------------------------------------------------------------------------------

class Call:
    """One call of an op, whose tensors end with it."""

    def __init__(self, library, op, args, dtype=None, narrow=False, grad=False):
        self.library, self.owned, self.keep = library, [], []
        self.dtype, self.narrow, self.grad = dtype, narrow, grad
        given = (Arg * max(1, len(args)))()
        for slot, (name, value, _) in zip(given, args):
            slot.name = name.encode() if name else None
            slot.value = self.value(value)
        room = ctypes.c_int(64)
        outs = (Value * 64)()
        library.cn_manual_seed(0)
        code = library.cn_ffi_op_call(op.encode(), given, len(args), outs, ctypes.byref(room))
        self.error = library.cn_ffi_last_error().decode() if code < 0 else None
        self.outs = [] if code < 0 else [v for i in range(room.value) for v in self.flat(outs[i])]
        self.owned += [v.u.p for v in self.outs if v.kind == TENSOR]

    def flat(self, value):
        if value.kind != LIST:
            return [value]
        items = ctypes.cast(value.u.p, ctypes.POINTER(Value))
        return [v for i in range(value.n) for v in self.flat(items[i])]

    def tensor(self, t):
        dtype = t.dtype or self.dtype or "float32"
        data = b"".join(pack(dtype, x) for x in t.elements(self.narrow))
        shape = (ctypes.c_int64 * 8)(*t.shape)
        out = ctypes.c_void_p()
        self.library.cn_ffi_tensor_new(DTYPES.index(dtype), len(t.shape), shape, None, data,
                                       ctypes.c_size_t(len(data)), ctypes.byref(out))
        self.owned.append(out.value)
        if self.grad and "float" in dtype:
            self.library.cn_ffi_tensor_requires_grad(out, 1)
        return out.value

    def value(self, x):
        v = Value()
        if isinstance(x, Tensor):
            v.kind, v.u.p = TENSOR, self.tensor(x)
        elif isinstance(x, (list, tuple, slice)):
            items = [x.start, x.stop, x.step] if isinstance(x, slice) else x
            array = (Value * max(1, len(items)))(*[self.value(item) for item in items])
            self.keep.append(array)
            v.kind, v.n = SLICE if isinstance(x, slice) else LIST, len(items)
            v.u.p = ctypes.addressof(array)
        elif x is ...:
            v.kind = ELLIPSIS
        elif isinstance(x, bool):
            v.kind, v.u.i = BOOL, x
        elif isinstance(x, int):
            v.kind, v.u.i = INT, x
        elif isinstance(x, float):
            v.kind, v.u.f = FLOAT, x
        elif x in DTYPES:
            v.kind, v.u.i = DTYPE, DTYPES.index(x)
        elif isinstance(x, str):
            buffer = ctypes.create_string_buffer(x.encode())
            self.keep.append(buffer)
            v.kind, v.u.p = STR, ctypes.addressof(buffer)
        return v

    def info(self, v):
        dtype, ndim = ctypes.c_int(), ctypes.c_int()
        shape, strides = (ctypes.c_int64 * 8)(), (ctypes.c_int64 * 8)()
        self.library.cn_ffi_tensor_info(ctypes.c_void_p(v.u.p), ctypes.byref(dtype),
                                        ctypes.byref(ndim), shape, strides)
        return DTYPES[dtype.value], list(shape[:ndim.value])

    def dtypes(self):
        return [self.info(v)[0] for v in self.outs if v.kind == TENSOR]

    def shapes(self):
        return [self.info(v)[1] for v in self.outs if v.kind == TENSOR]

    def needs_grad(self):
        return any(self.library.cn_needs_grad(ctypes.c_void_p(v.u.p)) for v in self.outs
                   if v.kind == TENSOR)

    def text(self):
        return "\n".join(self.text_of(v) for v in self.outs)

    def text_of(self, v):
        if v.kind == TENSOR:
            t = ctypes.c_void_p(v.u.p)
            room = self.library.cn_to_text(t, None, ctypes.c_size_t(0)) + 1
            buffer = ctypes.create_string_buffer(room)
            self.library.cn_to_text(t, buffer, ctypes.c_size_t(room))
            return buffer.value.decode()
        return {BOOL: lambda: str(bool(v.u.i)), INT: lambda: str(v.u.i),
                FLOAT: lambda: "%.17g" % v.u.f}.get(v.kind, lambda: "None")()

    def close(self):
        for t in self.owned:
            self.library.cn_ffi_tensor_release(ctypes.c_void_p(t))
        self.owned = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- the table --------------------------------------------------------------------------------

def sources(build):
    """Where each op is defined, by its C identifier: 'elementwise/signs.c'."""
    folder = build / "CMakeFiles" / "cenote_objects.dir" / "src" / "ops"
    found = {}
    for path in sorted(folder.glob("*/*.c.o")):
        text = subprocess.run(["nm", "--defined-only", path], capture_output=True, text=True,
                              check=True).stdout
        for ident in re.findall(r" [A-Za-z] cn_op_(\w+)$", text, re.M):
            found[ident] = str(path.relative_to(folder))[:-2]
    return found


def private_names():
    """The ops that have no counterpart, as the test of golden values lists them."""
    text = (ROOT / "tests" / "test_golden.c").read_text()
    text = text[text.index("not_in_pytorch[] = {"):]
    return set(re.findall(r'"([^"]+)"', text[:text.index("};")]))


class Op:
    def __init__(self, library, ident, i, source, private):
        def ask(what):
            return (getattr(library, "cn_ffi_op_" + what)(self.name.encode()) or b"").decode()
        self.name = library.cn_ffi_op_name(i).decode()
        self.schema, self.doc, self.gradient = ask("schema"), ask("doc"), ask("gradient")
        self.aliases = ask("aliases").split()
        self.samples = [text.strip() for text in ask("samples").split("|") if text.strip()]
        self.source = source[ident]
        self.private = self.name in private or self.name.endswith("_backward")
        self.family = "private" if self.private else self.source.split("/")[0]
        self.anchor = re.sub(r"[^a-z0-9_-]", "", self.name.lower())
        self.fill(library)

    def fill(self, library):
        self.shapes, self.types, self.example = [], None, None
        runs = []  # what works, and how much it shows
        differentiable = False
        for args in map(read_sample, self.samples):
            with Call(library, self.name, args, narrow=True, grad=True) as call:
                differentiable |= call.needs_grad()
            with Call(library, self.name, args, narrow=True) as call:
                if call.error:
                    continue
                if call.shapes():
                    self.shapes.append(shape_line(args, call.shapes()))
            runs.append(args)
        if self.gradient.startswith("yes") and not differentiable:
            self.gradient = "no"
        if runs:
            self.types = types_line(library, self.name, runs)
            self.example = find_example(library, self, runs)


def shape_line(args, shapes):
    def part(name, value, word):
        text = word
        if isinstance(value, Tensor):
            text = shape_text(value.shape)
        elif word.startswith("{"):
            text = "[" + ", ".join(part(None, item, w) for item, w in
                                   zip(value, word[1:-1].split())) + "]"
        elif isinstance(value, tuple):
            text = shape_text(value)
        return f"{name}={text}" if name else text
    given = ", ".join(part(*arg) for arg in args)
    results = [shape_text(s) for s in shapes[:4]] + (["..."] if len(shapes) > 4 else [])
    return f"{given or '()'} -> {', '.join(results)}"


def types_line(library, name, runs):
    """Which types of float inputs are taken, and what they give."""
    def openness(args):
        return any(t.free and t.count() for a in args for t in tensors_of(a[1]))
    args = next((a for a in runs if openness(a)), None)
    if args is None:
        with Call(library, name, runs[0], narrow=True) as call:
            return "gives " + ", ".join(dict.fromkeys(call.dtypes())) if call.dtypes() else None
    groups, refused = {}, []
    for dtype in TRIED:
        with Call(library, name, args, dtype=dtype, narrow=True) as call:
            if call.error:
                refused.append(dtype)
                continue
            results = call.dtypes()
            key = ", ".join(dict.fromkeys("the same" if d == dtype else d for d in results))
            groups.setdefault(key, []).append(dtype)
    parts = [f"{', '.join(given)} {'gives' if len(given) == 1 else 'give'} {result}"
             for result, given in groups.items() if result]
    return "; ".join(parts + ([f"refused: {', '.join(refused)}"] if refused else []))


# ---- examples ---------------------------------------------------------------------------------

def number_text(x, real):
    if isinstance(x, bool):
        return str(x)
    if not real:
        return str(int(x))
    text = "%g" % x
    return text if "." in text else text + "."


def nested(values, shape, real):
    if not shape:
        return number_text(values[0], real)
    step = len(values) // shape[0]
    return "[" + ", ".join(nested(values[i * step:(i + 1) * step], shape[1:], real)
                           for i in range(shape[0])) + "]"


def literal(value, word, narrow):
    """As `cenote op` reads it; None for what it cannot say."""
    if isinstance(value, Tensor):
        if value.dtype not in (None, "int64", "bool", "float32") or not value.count():
            return None
        real = value.dtype in (None, "float32")
        return nested(value.elements(narrow), value.shape, real) if value.shape else None
    if isinstance(value, (list, tuple)):
        items = [literal(item, None, narrow) for item in value]
        if isinstance(value, list) and any(isinstance(v, Tensor) and not v.shape for v in value):
            return None
        return None if None in items else ("[%s]" if isinstance(value, list) else "(%s)") % ", ".join(items)
    if isinstance(value, slice):
        return None
    if value is ...:
        return "..."
    return word if word is not None else str(value)


def parameters(schema):
    """The type and name of each argument, in order."""
    inside = schema[schema.index("(") + 1:schema.rindex(" ->")].rstrip(")")
    return re.findall(r"([A-Z]?[a-z]*[\w|\[\]*?]*) (\w+)(?:=|,|$)", inside)


def command_of(op, args, narrow):
    words, known = [], parameters(op.schema)
    for place, (name, value, word) in enumerate(args):
        text = literal(value, word, narrow)
        if text is None:
            return None
        kind, called = known[place] if not name and place < len(known) else ("", "")
        if kind.startswith("Tensor[") and isinstance(value, Tensor):
            text = f"[{text}]"
        if text.startswith("-"):
            name = name or called  # a word that begins with - would be an option
        text = (name + "=" if name else "") + text
        words.append(text if re.match(r"[-\w.=,]+$", text) else f'"{text}"')
    return " ".join(["cenote op", op.name] + words)


def one_example(library, op, args, narrow):
    command = command_of(op, args, narrow)
    if not command:
        return None
    with Call(library, op.name, args, narrow=narrow) as call:
        if call.error or not call.outs:
            return None
        return command, call.text()


def find_example(library, op, runs):
    """The first sample that shows something and is short; else the shortest."""
    found = []
    for narrow in (False, True):
        for args in runs:
            example = one_example(library, op, args, narrow)
            if example and "[]" not in example[1].replace("tensor(", ""):
                cost = len(example[0]) // 100 + example[1].count("\n") // 4
                found.append(("nan" in example[1], "[" not in example[0], cost, len(found), example))
    return min(found)[4] if found and "undefined" not in op.doc else None


# ---- pages ------------------------------------------------------------------------------------

def escaped(text):
    """Text that Markdown leaves as it is."""
    return re.sub(r"(\*|<|\b__|__\b)", lambda m: "".join("\\" + c for c in m.group(1)), text)


def entry(op):
    lines = [f"## {escaped(op.name)}", "", "```text", op.schema, "```", "", escaped(op.doc), ""]
    if op.aliases:
        lines.append(f"- Also: {', '.join('`%s`' % a for a in op.aliases)}")
    if op.shapes:
        lines.append("- Shapes: " + "; ".join(f"`{s}`" for s in op.shapes[:3]))
    if op.types:
        lines.append(f"- Types: {op.types}")
    lines.append(f"- Differentiable: {op.gradient}")
    lines.append(f"- Source: [{op.source}](../../src/ops/{op.source})")
    if op.example:
        command, result = op.example
        shown = result.split("\n")
        if len(shown) > LONGEST:
            shown = shown[:LONGEST] + ["..."]
        lines += ["", "```text", "$ " + command, *shown, "```"]
    return lines + [""]


def about(source):
    """What the first comment of a source file says it is."""
    text = (ROOT / "src" / "ops" / source).read_text()
    comment = re.match(r"/\* [\w.]+ - (.*?)(?:\*/|\n\n|\n   \n)", text, re.S).group(1)
    sentence = re.match(r".*?(?:\.(?=\s)|$)", re.sub(r"\s+", " ", comment).strip()).group(0)
    return escaped(sentence.rstrip(".: "))


def family_page(title, ops):
    lines = [f"# {title}", "", f"{len(ops)} ops, [one of the families](index.md). "
             "How to read an entry stands there.", ""]
    if ops[0].private:
        lines += ["PyTorch does not have these, or not as functions: they are the passes backwards of "
                  "others, fused steps, and what several public ops are made of. They may change.", ""]
    for source in dict.fromkeys(sorted(op.source for op in ops)):
        names = ", ".join(f"[{escaped(op.name)}](#{op.anchor})" for op in ops if op.source == source)
        lines.append(f"- {about(source)}: {names}")
    lines.append("")
    for op in ops:
        lines += entry(op)
    return "\n".join(lines)


INTRO = """# Ops

Made by `make docs` from the table of ops. There are {total}: {public} that PyTorch has, under its names, and
{private} of our own that those are made of.

| family | ops |
|---|---:|
{families}

## How to read an entry

- The first line is the signature in PyTorch's words: names, order and defaults are PyTorch's. `*` stands before
  arguments that go by name only; `Tensor?` may be left out; `int[]` is a list of integers.
- **Also**: other names for it. A method of PyTorch's tensors, such as `x.abs()`, has the name of the function. A
  name with `_` behind it, such as `abs_`, writes the result into the first argument.
- **Shapes**: calls that work, and the shapes of their results. A shape stands for a tensor, other words for
  the other arguments.
- **Types**: what tensors of each type give, tried with float16, bfloat16, float32, float64, int64 and bool. Where
  a call mixes types, PyTorch's rules of promotion hold.
- **Differentiable**: whether gradients pass through it. Gradients of gradients pass, too.
- The example is a call by the program: values are written as in Python, random ops have `--seed 0`.

In C the main ones have a function: `cn_softmax` in [functional.h](../api/functional.md), `cn_cumsum` in
[ops.h](../api/ops.md). By name, all have `cn_call_op` and `cn_ffi_op_call` ([ffi.h](../api/ffi.md)).

## All names
"""


def index_page(families):
    ops = [op for _, members in families for op in members]
    rows = "\n".join(f"| [{TITLES[f]}]({f}.md) | {len(members)} |" for f, members in families)
    private = sum(op.private for op in ops)
    lines = [INTRO.format(total=len(ops), public=len(ops) - private, private=private, families=rows)]
    places = {}
    for op in ops:
        for name in [op.name] + op.aliases:
            places.setdefault(name, f"{op.family}.md#{op.anchor}")
    letters = {}
    for name in sorted(places, key=lambda n: (n.split(".")[-1].strip("_").lower(), n)):
        letters.setdefault(name.split(".")[-1].strip("_")[0].upper(), []).append(name)
    for letter, names in letters.items():
        lines.append(f"**{letter}**: " + ", ".join(f"[{escaped(n)}]({places[n]})" for n in names) + "\n")
    return "\n".join(lines)


def idents():
    return re.findall(r"^OP\((\w+)\)", (ROOT / "src" / "ops" / "ops.def").read_text(), re.M)


def pages(build):
    library = load(build)
    source, private, names = sources(build), private_names(), idents()
    ops = [Op(library, ident, i, source, private) for i, ident in enumerate(names)]
    members = {}
    for op in sorted(ops, key=lambda op: op.name.split(".")[-1].lower()):
        members.setdefault(op.family, []).append(op)
    order = [f for f in TITLES if f in members] + sorted(set(members) - set(TITLES))
    for family in order:
        TITLES.setdefault(family, family.capitalize())
    families = [(f, members[f]) for f in order]
    result = {f"{f}.md": family_page(TITLES[f], ops_of) for f, ops_of in families}
    result["index.md"] = index_page(families)
    return {name: text.rstrip("\n") + "\n" for name, text in result.items()}, ops


def run_examples(build, ops):
    """Some examples, as the program runs them: do they print what the page shows?"""
    wrong = 0
    for op in ops:
        command, result = op.example
        words = shlex.split(command)[1:]
        out = subprocess.run([build / "cenote", *words], capture_output=True, text=True)
        if out.returncode or unrounded(out.stdout.rstrip("\n")) != unrounded(result):
            print(f"{command}\nprints\n{out.stdout}{out.stderr}and not\n{result}")
            wrong += 1
    return wrong


def unrounded(text):
    """Without fractions, whose last digits differ from machine to machine."""
    return text and re.sub(r"-?\d+\.\d*(e[+-]?\d+)?", "#", text)


def main():
    build = Path(sys.argv[1]).resolve()
    check = "--check" in sys.argv
    wanted, ops = pages(build)
    PAGES.mkdir(parents=True, exist_ok=True)
    present = {path.name: path.read_text() for path in PAGES.glob("*.md")}
    stale = sorted(name for name in wanted.keys() | present.keys()
                   if unrounded(wanted.get(name)) != unrounded(present.get(name)))
    if check:
        for name in stale:
            print(f"docs/ops/{name} is not what 'make docs' writes")
        every = 1 if "--all-examples" in sys.argv else 40
        return bool(stale) | (run_examples(build, [op for op in ops if op.example][::every]) > 0)
    for name in stale:
        if name in wanted:
            (PAGES / name).write_text(wanted[name])
        else:
            (PAGES / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
