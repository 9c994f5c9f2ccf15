#!/usr/bin/python3
"""golden_files.py - writes the small .pt files in tests/golden/ that tests/test_torch.c reads.

Needs PyTorch (1.13 wrote those that are there). Every file holds what values() says, so that the
test knows what to expect; what differs is how it is stored.
"""
import collections
import os
import sys

import numpy
import torch


def values():
    torch.manual_seed(0)
    base = torch.arange(24, dtype=torch.float32)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    state = net.state_dict()
    for i, t in enumerate(state.values()):
        t.copy_(torch.arange(t.numel()).reshape(t.shape) + i)
    optim = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.25)
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optim.step()
    return collections.OrderedDict(
        base=base,
        shared=base[4:8],
        transposed=base.view(4, 6).t(),
        every_second=base[::2],
        expanded=base[:1].expand(3),
        scalar=torch.tensor(2.5, dtype=torch.float64),
        empty=torch.empty(0, 3),
        parameter=torch.nn.Parameter(torch.ones(2)),
        f16=torch.tensor([1.5, -2], dtype=torch.float16),
        bf16=torch.tensor([1.5, -2], dtype=torch.bfloat16),
        i64=torch.tensor([2**40, -1]),
        i32=torch.tensor([7, -7], dtype=torch.int32),
        i16=torch.tensor([7, -7], dtype=torch.int16),
        i8=torch.tensor([7, -7], dtype=torch.int8),
        u8=torch.tensor([7, 200], dtype=torch.uint8),
        bool=torch.tensor([True, False, True]),
        net=state,
        optim=optim.state_dict(),
        none=None,
        flag=True,
        count=2**40,
        rate=0.1,
        name="Größe",
        pair=(1, "two"),
        nested=[[], {"a": [3]}],
        size=torch.Size([2, 3]),
        dtype=torch.float32,
        device=torch.device("cpu"),
        best=numpy.float64(0.75),
        raw=b"\x00\xff",
    )


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../tests/golden")
    v = values()
    plain = collections.OrderedDict((k, v[k]) for k in ("base", "shared", "i64", "name"))
    torch.save(v, os.path.join(folder, "zip.pt"))
    torch.save(v, os.path.join(folder, "legacy.pt"), _use_new_zipfile_serialization=False)
    torch.save(plain, os.path.join(folder, "protocol4.pt"), pickle_protocol=4)
    torch.save(plain, os.path.join(folder, "legacy4.pt"), pickle_protocol=4, _use_new_zipfile_serialization=False)
    torch.save(v["base"].view(4, 6), os.path.join(folder, "tensor.pt"))


main()
