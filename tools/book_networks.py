#!/usr/bin/env python3
"""book_networks.py - the convolutional networks of D2L in PyTorch, with the book's names of parts: what golden_networks.py
and bench/torch_peer.py compare with."""
import collections

import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 10


def lenet_bn():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.BatchNorm2d(6), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.BatchNorm2d(16), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(256, 120), nn.BatchNorm1d(120), nn.Sigmoid(), nn.Linear(120, 84), nn.BatchNorm1d(84), nn.Sigmoid(),
        nn.Linear(84, CLASSES))


def linear_layers(features):
    return [nn.Flatten(), nn.Linear(features, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(),
            nn.Dropout(), nn.Linear(4096, CLASSES)]


def alexnet(side):
    return nn.Sequential(
        nn.Conv2d(1, 96, 11, 4, 1), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(96, 256, 5, 1, 2), nn.ReLU(),
        nn.MaxPool2d(3, 2), nn.Conv2d(256, 384, 3, 1, 1), nn.ReLU(), nn.Conv2d(384, 384, 3, 1, 1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(3, 2), *linear_layers(256 * ({96: 1, 224: 25}[side])))


def vgg(convolutions, ratio, side):
    blocks, before = [], 1
    for n, out in zip(convolutions, (64, 128, 256, 512, 512)):
        layers = []
        for _ in range(n):
            layers += [nn.Conv2d(before, out // ratio, 3, 1, 1), nn.ReLU()]
            before = out // ratio
        blocks.append(nn.Sequential(*layers, nn.MaxPool2d(2, 2)))
    return nn.Sequential(*blocks, *linear_layers(before * (side // 32) ** 2))


def nin():
    def block(before, out, *conv):
        return nn.Sequential(nn.Conv2d(before, out, *conv), nn.ReLU(), nn.Conv2d(out, out, 1), nn.ReLU(),
                             nn.Conv2d(out, out, 1), nn.ReLU())
    return nn.Sequential(block(1, 96, 11, 4, 0), nn.MaxPool2d(3, 2), block(96, 256, 5, 1, 2), nn.MaxPool2d(3, 2),
                         block(256, 384, 3, 1, 1), nn.MaxPool2d(3, 2), nn.Dropout(), block(384, CLASSES, 3, 1, 1),
                         nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())


class Inception(nn.Module):
    def __init__(self, before, one, three, five, pool):
        super().__init__()
        self.p1_1 = nn.Conv2d(before, one, 1)
        self.p2_1, self.p2_2 = nn.Conv2d(before, three[0], 1), nn.Conv2d(*three, 3, padding=1)
        self.p3_1, self.p3_2 = nn.Conv2d(before, five[0], 1), nn.Conv2d(*five, 5, padding=2)
        self.p4_1, self.p4_2 = nn.MaxPool2d(3, 1, 1), nn.Conv2d(before, pool, 1)

    def forward(self, x):
        paths = (self.p1_1,), (self.p2_1, self.p2_2), (self.p3_1, self.p3_2), (self.p4_2,)
        ends = []
        for k, path in enumerate(paths):
            y = self.p4_1(x) if k == 3 else x
            for layer in path:
                y = F.relu(layer(y))
            ends.append(y)
        return torch.cat(ends, 1)


INCEPTION = {
    "3a": (192, 64, (96, 128), (16, 32), 32), "3b": (256, 128, (128, 192), (32, 96), 64),
    "4a": (480, 192, (96, 208), (16, 48), 64), "4b": (512, 160, (112, 224), (24, 64), 64),
    "4c": (512, 128, (128, 256), (24, 64), 64), "4d": (512, 112, (144, 288), (32, 64), 64),
    "4e": (528, 256, (160, 320), (32, 128), 128),
    "5a": (832, 256, (160, 320), (32, 128), 128), "5b": (832, 384, (192, 384), (48, 128), 128)}


def googlenet():
    def blocks(stage):
        return [Inception(*w) for name, w in INCEPTION.items() if name[0] == stage]
    def pool():
        return nn.MaxPool2d(3, 2, 1)
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 64, 7, 2, 3), nn.ReLU(), pool()),
        nn.Sequential(nn.Conv2d(64, 64, 1), nn.ReLU(), nn.Conv2d(64, 192, 3, padding=1), nn.ReLU(), pool()),
        nn.Sequential(*blocks("3"), pool()), nn.Sequential(*blocks("4"), pool()),
        nn.Sequential(*blocks("5"), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten()), nn.Linear(1024, CLASSES))


class GoogLeNetWithHeads(nn.Module):
    """torchvision's network without batch norm, and with the book's pooling and 5 x 5."""

    def __init__(self):
        super().__init__()
        unit = lambda before, out, kernel, stride=1: nn.Sequential(collections.OrderedDict(
            conv=nn.Conv2d(before, out, kernel, stride, kernel // 2), relu=nn.ReLU()))
        self.conv1, self.conv2, self.conv3 = unit(1, 64, 7, 2), unit(64, 64, 1), unit(64, 192, 3)
        for name, (before, one, three, five, pool) in INCEPTION.items():
            block = nn.Module()
            block.branch1 = unit(before, one, 1)
            block.branch2 = nn.Sequential(unit(before, three[0], 1), unit(*three, 3))
            block.branch3 = nn.Sequential(unit(before, five[0], 1), unit(*five, 5))
            block.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), unit(before, pool, 1))
            setattr(self, "inception" + name, block)
        for name, before in ("aux1", 512), ("aux2", 528):
            setattr(self, name, nn.Sequential(collections.OrderedDict(
                pool=nn.AdaptiveAvgPool2d(4), conv=unit(before, 128, 1), flatten=nn.Flatten(),
                fc1=nn.Linear(2048, 1024), relu=nn.ReLU(), dropout=nn.Dropout(0.7), fc2=nn.Linear(1024, CLASSES))))
        self.fc = nn.Linear(1024, CLASSES)

    def forward(self, x):
        pool = lambda x: F.max_pool2d(x, 3, 2, 1)
        x, heads = pool(self.conv3(self.conv2(pool(self.conv1(x))))), []
        for name in INCEPTION:
            if name in ("4a", "5a"):
                x = pool(x)
            block = getattr(self, "inception" + name)
            x = torch.cat([block.branch1(x), block.branch2(x), block.branch3(x), block.branch4(x)], 1)
            if name in ("4a", "4d"):
                heads.append((self.aux1 if name == "4a" else self.aux2)(x))
        return self.fc(x.mean((2, 3))), *reversed(heads)


class Residual(nn.Module):
    """The book's: its order of parts, too. `narrow`: channels between two 1 x 1; `first`: activation comes first."""

    def __init__(self, before, out, project=False, stride=1, narrow=0, first=False):
        super().__init__()
        self.first, self.shapes = first, []
        inner = narrow or out
        if narrow:
            self.shapes = [(before, inner, 1, 1), (inner, inner, 3, stride), (inner, out, 1, 1)]
        else:
            self.shapes = [(before, out, 3, stride), (out, out, 3, 1)]
        self.n = len(self.shapes)
        for i, (a, b, kernel, s) in enumerate(self.shapes):
            setattr(self, f"conv{i + 1}", nn.Conv2d(a, b, kernel, s, kernel // 2))
        if project:
            setattr(self, f"conv{self.n + 1}", nn.Conv2d(before, out, 1, stride))
        for i, (a, b, *_) in enumerate(self.shapes):
            setattr(self, f"bn{i + 1}", nn.BatchNorm2d(a if first else b))

    def part(self, name, i):
        return getattr(self, f"{name}{i + 1}")

    def forward(self, x):
        y, project = x, getattr(self, f"conv{self.n + 1}", None)
        for i in range(self.n):
            if self.first:
                y = F.relu(self.part("bn", i)(y))
                x = y if i == 0 and project else x
                y = self.part("conv", i)(y)
            else:
                y = self.part("bn", i)(self.part("conv", i)(y))
                y = F.relu(y) if i < self.n - 1 else y
        y = y + (project(x) if project else x)
        return y if self.first else F.relu(y)


def resnet(blocks, narrow=False, first=False):
    stem = [nn.Conv2d(1, 64, 7, 2, 3), *([] if first else [nn.BatchNorm2d(64), nn.ReLU()]), nn.MaxPool2d(3, 2, 1)]
    stages, before = [], 64
    for k, n in enumerate(blocks):
        width, layers = 64 << k, []
        out = 4 * width if narrow else width
        for i in range(n):
            layers.append(Residual(before, out, i == 0 and (k > 0 or narrow), 2 if i == 0 and k else 1,
                                   width if narrow else 0, first))
            before = out
        stages.append(nn.Sequential(*layers))
    last = [nn.BatchNorm2d(before), nn.ReLU()] if first else []
    return nn.Sequential(nn.Sequential(*stem), *stages, *last, nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(),
                         nn.Linear(before, CLASSES))


class DenseBlock(nn.Module):
    def __init__(self, n, before, growth):
        super().__init__()
        self.net = nn.Sequential(*(unit(before + i * growth, growth, 3) for i in range(n)))

    def forward(self, x):
        for layer in self.net:
            x = torch.cat((x, layer(x)), 1)
        return x


def unit(before, out, kernel):
    return nn.Sequential(nn.BatchNorm2d(before), nn.ReLU(), nn.Conv2d(before, out, kernel, padding=kernel // 2))


def densenet():
    stem = nn.Sequential(nn.Conv2d(1, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    blocks, channels = [], 64
    for k in range(4):
        blocks.append(DenseBlock(4, channels, 32))
        channels += 4 * 32
        if k < 3:
            blocks.append(unit(channels, channels // 2, 1).append(nn.AvgPool2d(2)))
            channels //= 2
    return nn.Sequential(stem, *blocks, nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)),
                         nn.Flatten(), nn.Linear(channels, CLASSES))


class CifarBlock(nn.Module):
    def __init__(self, before, out, plain):
        super().__init__()
        self.stride, self.missing, self.plain = 1 + (before != out), out - before, plain
        self.conv1, self.bn1 = nn.Conv2d(before, out, 3, self.stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if not self.plain:
            missing = (y.shape[1] - x.shape[1]) // 2
            y = y + F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, missing, missing))
        return F.relu(y)


def cifar_resnet(depth, plain=False):
    parts = collections.OrderedDict(conv1=nn.Conv2d(3, 16, 3, 1, 1, bias=False), bn1=nn.BatchNorm2d(16), relu=nn.ReLU())
    for k in range(3):
        before = 16 << max(k - 1, 0)
        parts[f"layer{k + 1}"] = nn.Sequential(*(CifarBlock(16 << k if i else before, 16 << k, plain)
                                                 for i in range((depth - 2) // 6)))
    parts.update(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), linear=nn.Linear(64, CLASSES))
    return nn.Sequential(parts)


def make(name, side):
    """The network of that name for pictures of that side."""
    if name.startswith("vgg"):
        convolutions = {"11": (1, 1, 2, 2, 2), "13": (2, 2, 2, 2, 2), "16": (2, 2, 3, 3, 3), "19": (2, 2, 4, 4, 4)}
        return vgg(convolutions[name[3:5]], 4 if name.endswith("quarter") else 1, side)
    return {
        "alexnet": lambda: alexnet(side), "nin": nin, "googlenet": googlenet, "googlenet-aux": GoogLeNetWithHeads,
        "lenet-bn": lenet_bn, "resnet18": lambda: resnet((2, 2, 2, 2)), "resnet34": lambda: resnet((3, 4, 6, 3)),
        "resnet50": lambda: resnet((3, 4, 6, 3), narrow=True),
        "resnet101": lambda: resnet((3, 4, 23, 3), narrow=True),
        "resnet152": lambda: resnet((3, 8, 36, 3), narrow=True), "resnet110": lambda: cifar_resnet(110),
        "resnet18-preact": lambda: resnet((2, 2, 2, 2), first=True), "densenet": densenet,
        "resnet20": lambda: cifar_resnet(20), "resnet56": lambda: cifar_resnet(56),
        "plain20": lambda: cifar_resnet(20, plain=True)}[name]()
