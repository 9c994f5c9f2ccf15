#!/usr/bin/env python3
"""api_pages.py [--check] - writes docs/api/ from the comments and declarations of the public headers.

A header is a comment on what it is for, then sections that begin with a line like
`/* ---- name ---- */`. Within them a comment stands before the declarations it is about. A page has
the comments as text and the declarations as code. With --check nothing is written: pages that differ
are named.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADERS = ROOT / "include" / "cenote"
PAGES = ROOT / "docs" / "api"
ORDER = ["base", "tensor", "autograd", "ops", "functional", "nn", "optim", "data", "train", "io", "csv",
         "image", "plot", "rng", "dlpack", "value", "ffi"]
# Lines that only a compiler wants.
NOISE = re.compile(r"#(ifn?def|if|else|endif|include)\b|CN_(BEGIN|END)_DECLS|"
                   r"#define (CENOTE_\w+_H|\w+_|CN_(BEGIN|END)_DECLS|CN_API|CN_PRINTF|CN_MUST_CHECK)\b(?!\w)")


def logical_lines(text):
    """Lines, those of a macro joined to one."""
    return re.sub(r"\s*\\\n\s*", " ", text).split("\n")


def blocks(text):
    """('section', title) , ('comment', lines) and ('code', lines), in order."""
    lines, i = logical_lines(text), 0
    code = []
    while i < len(lines):
        line = lines[i]
        if line.startswith("/*"):
            if code:
                yield "code", code
                code = []
            start = i
            while "*/" not in lines[i]:
                i += 1
            yield from comment("\n".join(lines[start:i + 1]))
        elif not line.strip():
            if code and not open_brace(code):
                yield "code", code
                code = []
            elif code:
                code.append("")
        elif not NOISE.match(line):
            code.append(without_marks(line, code))
        i += 1
    if code:
        yield "code", code


def without_marks(line, before):
    """A line without CN_API; one that goes on with a declaration moves left with it."""
    goes_on = before and line.startswith(" " * 8) and not open_brace(before)
    return line[7:] if goes_on else re.sub(r"CN_API | CN_MUST_CHECK| CN_PRINTF\(.*?\)", "", line)


def open_brace(code):
    text = re.sub(r"/\*.*?\*/", "", "\n".join(code), flags=re.S)
    return text.count("{") > text.count("}")


def comment(text):
    """A comment as text; with a title between dashes it begins a section."""
    body = re.sub(r"^/\* ?|\s*\*/$", "", text)
    match = re.match(r"---- (.*?) -{2,}[ ]*\n?(.*)$", body, re.S)
    if match:
        yield "section", " ".join(match.group(1).split())
        body = match.group(2)
    if body.strip():
        yield "comment", [line[3:] if line.startswith("   ") else line for line in body.split("\n")]


def prose(lines):
    """Paragraphs; what is indented is code."""
    out, inside = [], False
    for line in lines:
        code = line.startswith("  ") and line.strip()
        if bool(code) != inside and (code or line.strip()):
            out += ["", "```c"] if code else ["```", ""]
            inside = bool(code)
        out.append(line.strip() if not code else line[4:] if line.startswith("    ") else line)
    if inside:
        out.append("```")
    text = re.sub(r"\n+```\n", "\n```\n", re.sub(r"\n{3,}", "\n\n", "\n".join(out).strip("\n")))
    parts = re.split(r"(```c\n.*?```)", text, flags=re.S)
    return "".join(part if part.startswith("```c") else join_lines(part) for part in parts)


def join_lines(text):
    """Paragraphs of one line each, so that breaks of the header do not show."""
    inner = r"\((?:[^()\n]|\([^()\n]*\))*\)"
    parts = re.split(rf"(`[^`]*`|\b(?:cn_\w+|CN_SHAPE){inner}|\bCN_[A-Z]\w+|\bNULL\b)", text)
    parts[1::2] = ["`" + code.strip("`") + "`" for code in parts[1::2]]
    parts[::2] = [re.sub(r"([*<])", r"\\\1", words) for words in parts[::2]]
    return re.sub(r"(?<=\S)\n(?=\S)", " ", "".join(parts))


def names_in(code):
    """The functions, types and macros that a piece of code declares."""
    text = re.sub(r"/\*.*?\*/", "", "\n".join(code), flags=re.S)
    found = re.findall(r"#define (\w+)", text)
    flat = text
    while re.search(r"\{[^{}]*\}", flat):
        flat = re.sub(r"\{[^{}]*\}", ";", flat)
    found += re.findall(r"\b(cn_\w+)\(", re.sub(r"#define.*", "", flat))
    found += re.findall(r"^typedef .*?\b(\w+)(?:\(.*\))?;$", flat, re.M)
    found += re.findall(r"^;? ?(cn_\w+);$", flat, re.M)
    return found


def anchor(title):
    return re.sub(r"[^a-z0-9_-]", "", title.lower().replace(" ", "-"))


def header_page(name):
    """The page, and where each name is on it."""
    text = (HEADERS / f"{name}.h").read_text()
    all_blocks = list(blocks(text))
    intro = all_blocks.pop(0)[1]
    intro[0] = re.sub(r"^\w+\.h - ", "", intro[0])
    lines = [f"# {name}.h", "", f"`#include <cenote/{name}.h>`; [source](../../include/cenote/{name}.h). "
             "[All headers](index.md).", "", prose(intro)[:1].upper() + prose(intro)[1:], ""]
    places, where = {}, ""
    for kind, content in all_blocks:
        if kind == "section":
            title = content[0].upper() + content[1:]
            where = "#" + anchor(title)
            lines += [f"## {title}", ""]
        elif kind == "comment":
            lines += [prose(content), ""]
        else:
            lines += ["```c", *content, "```", ""]
            for declared in names_in(content):
                places.setdefault(declared, f"{name}.md{where}")
    return "\n".join(lines).rstrip("\n") + "\n", places, prose(intro).split("\n")[0]


def index_page(pages):
    lines = ["# The interface in C", "",
             "Made by `make docs` from the comments of the headers in [include/cenote/](../../include/cenote/). "
             "`#include <cenote/cenote.h>` includes all of them.", "",
             "Functions whose last arguments are options are macros: `cn_sum(x, .keepdim = true)` fills a struct "
             "`cn_reduce_args` and calls `cn_sum_with`. An option that is not given is zero, which means the "
             "default. In C++, fill the struct and call the function.", "",
             "| header | what it is for |", "|---|---|"]
    places = {}
    for name, (_, found, about) in pages.items():
        lines.append(f"| [{name}.h]({name}.md) | {about.rstrip('.').split('. ')[0]} |")
        for declared, place in found.items():
            places.setdefault(declared, place)
    lines += ["", "## All names", ""]
    shown = sorted(n for n in places if not n.endswith("_with"))
    letters = {}
    for name in shown:
        letters.setdefault(name[3].upper(), []).append(f"[{name}]({places[name]})")
    for letter in sorted(letters):
        lines += [f"**{letter}**: " + ", ".join(letters[letter]), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def main():
    names = [n for n in ORDER if (HEADERS / f"{n}.h").exists()]
    names += sorted({p.stem for p in HEADERS.glob("*.h")} - set(names) - {"cenote"})
    pages = {name: header_page(name) for name in names}
    wanted = {f"{name}.md": page[0] for name, page in pages.items()}
    wanted["index.md"] = index_page(pages)
    PAGES.mkdir(parents=True, exist_ok=True)
    present = {path.name: path.read_text() for path in PAGES.glob("*.md")}
    stale = sorted(n for n in wanted.keys() | present.keys() if wanted.get(n) != present.get(n))
    for name in stale:
        if "--check" in sys.argv:
            print(f"docs/api/{name} is not what 'make docs' writes")
        elif name in wanted:
            (PAGES / name).write_text(wanted[name])
        else:
            (PAGES / name).unlink()
    return int("--check" in sys.argv and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
