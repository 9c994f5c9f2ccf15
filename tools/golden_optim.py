#!/usr/bin/env python3
"""golden_optim.py - asks PyTorch what its optimisers and schedules do; writes tests/golden/optim.safetensors.

start, gradients      a parameter and 100 gradients, which are given: only the optimisers' arithmetic is compared.
CASE|w, CASE|STATE    after all of them, for each case below. Those that PyTorch lacks are written out here.
SCHEDULE              learning rate and momentum before each of 23 steps.
PROBLEM: CASE|way     parameters and loss after each of 6 steps with a closure;
PROBLEM: CASE|end     the number of iterations and evaluations, and the state t.
"""
import ast
import inspect

import numpy as np
import torch

from golden import ROOT, drawn, save

SIZE, UPDATES, STEPS = 7, 100, 23

# As tests/test_optim.c lists them: the class and its arguments, as Python would be told.
OPTIM_CASES = [
    "SGD lr=0.1", "SGD lr=0.1 momentum=0.9 dampening=0.1 weight_decay=0.01",
    "SGD lr=0.05 momentum=0.8 nesterov=True maximize=True",
    "Adam", "Adam lr=0.01 betas=(0.8,0.95) eps=1e-3 weight_decay=0.1 amsgrad=True", "Adam lr=0.01 maximize=True",
    "AdamW lr=0.01 weight_decay=0.1", "AdamW lr=0.01 amsgrad=True",
    "Adamax", "Adamax lr=0.01 betas=(0.8,0.9) weight_decay=0.1 maximize=True",
    "NAdam", "NAdam lr=0.01 weight_decay=0.1 momentum_decay=0.01",
    "RAdam", "RAdam lr=0.01 betas=(0.9,0.9) weight_decay=0.1",
    "Adagrad", "Adagrad lr=0.1 lr_decay=0.01 weight_decay=0.1 initial_accumulator_value=0.5 maximize=True",
    "Adadelta", "Adadelta lr=0.5 rho=0.8 eps=1e-4 weight_decay=0.1 maximize=True",
    "RMSprop", "RMSprop lr=0.01 alpha=0.9 weight_decay=0.1 momentum=0.8", "RMSprop lr=0.01 centered=True eps=1e-4",
    "RMSprop lr=0.01 momentum=0.5 centered=True eps=1e-4 maximize=True",
    "Rprop", "Rprop lr=0.1 etas=(0.4,1.5) step_sizes=(1e-3,0.3)",
    "ASGD", "ASGD lr=0.1 lambd=0.01 alpha=0.5 t0=20 weight_decay=0.1",
    "Lion lr=0.01 weight_decay=0.1", "Yogi lr=0.05 weight_decay=0.01", "LAMB lr=0.05 weight_decay=0.01",
    "LARS lr=0.5 momentum=0.9 weight_decay=0.01 trust_coefficient=0.1",
    "SGD lr=0.1 momentum=0.9 nesterov=True weight_decay=0.1", "SGD lr=0.1 weight_decay=0.1 maximize=True",
    "AdamW lr=0.01 betas=(0.8,0.95) eps=1e-3 weight_decay=0.1 maximize=True",
    "NAdam lr=0.01 weight_decay=0.1 decoupled_weight_decay=True", "NAdam lr=0.01 betas=(0.8,0.9) maximize=True",
    "RAdam lr=0.01 weight_decay=0.1 decoupled_weight_decay=True", "RAdam lr=0.01 maximize=True",
    "Adagrad lr=0.1 eps=0.1", "RMSprop lr=0.01 alpha=0.9 weight_decay=0.1 momentum=0.8 centered=True eps=1e-3",
    "Rprop lr=0.1 maximize=True", "ASGD lr=0.1 lambd=0.01 t0=5 maximize=True",
    "Lion lr=0.01 betas=(0.7,0.8) maximize=True", "Yogi lr=0.05 betas=(0.8,0.9) eps=0.01 maximize=True",
    "LAMB lr=0.05 betas=(0.8,0.9) eps=0.01 maximize=True", "LARS lr=0.5 momentum=0.5 trust_coefficient=0.1 "
    "weight_decay=0.1 maximize=True",
]

SCHED_CASES = [
    "StepLR step_size=3 gamma=0.5", "MultiStepLR milestones=(2,5,5,9) gamma=0.3", "ExponentialLR gamma=0.9",
    "ConstantLR factor=0.4 total_iters=4", "LinearLR start_factor=0.2 end_factor=0.9 total_iters=7",
    "PolynomialLR total_iters=10 power=2.0", "CosineAnnealingLR T_max=8 eta_min=0.01",
    "CosineAnnealingWarmRestarts T_0=3 T_mult=2 eta_min=0.02", "CosineAnnealingWarmRestarts T_0=4",
    "CyclicLR base_lr=0.1 max_lr=0.5 step_size_up=3", "CyclicLR base_lr=0.1 max_lr=0.5 step_size_up=2 "
    "step_size_down=4 mode='triangular2'",
    "CyclicLR base_lr=0.1 max_lr=0.5 step_size_up=3 mode='exp_range' gamma=0.9 cycle_momentum=False",
    "OneCycleLR max_lr=0.7 total_steps=24", "OneCycleLR max_lr=0.7 epochs=4 steps_per_epoch=6 pct_start=0.4 "
    "anneal_strategy='linear' three_phase=True base_momentum=0.7",
    "ReduceLROnPlateau", "ReduceLROnPlateau factor=0.5 patience=2 cooldown=1 threshold=0.1 min_lr=0.1",
    "StepLR step_size=5", "ExponentialLR gamma=0.7", "ConstantLR", "LinearLR", "PolynomialLR", "CosineAnnealingLR T_max=30",
    "OneCycleLR max_lr=0.7 total_steps=30 cycle_momentum=False div_factor=5.0 final_div_factor=100.0",
    "CyclicLR base_lr=0.1 max_lr=0.5 step_size_up=4 base_momentum=0.5 max_momentum=0.7",
    "ReduceLROnPlateau mode='max' factor=0.5 patience=1 threshold_mode='abs'",
]


def split_case(case):
    words = case.split()
    return words[0], {k: ast.literal_eval(v) for k, v in (w.split("=", 1) for w in words[1:])}


def paper_step(name, o, w, g, state):
    """The optimisers that torch.optim does not have, from their papers, in numpy; and NAdam, of which some
    versions of PyTorch multiply the next momentum in twice."""
    t = state["t"] = state.get("t", 0) + 1
    m, v = (state.setdefault(k, np.zeros_like(w)) for k in "mv")
    b1, b2 = o.get("betas", (0.9, 0.99 if name == "Lion" else 0.999))
    lr, decay = o.get("lr", 0.002), o.get("weight_decay", 0)
    if name == "Lion":
        w -= lr * (np.sign(b1 * m + (1 - b1) * g) + decay * w)
        m += (1 - b2) * (g - m)
    elif name == "LARS":
        rate = o["trust_coefficient"] * np.linalg.norm(w) / (
            np.linalg.norm(g) + decay * np.linalg.norm(w) + 1e-8)
        m *= o["momentum"] if t > 1 else 0
        m += rate * (g + decay * w)
        w -= lr * m
    elif name == "NAdam":
        g = g + decay * w
        mu, ahead = (b1 * (1 - 0.5 * 0.96 ** (k * o.get("momentum_decay", 0.004))) for k in (t, t + 1))
        product = state["product"] = state.get("product", 1) * mu
        m += (1 - b1) * (g - m)
        v += (1 - b2) * (g * g - v)
        w -= lr * ((1 - mu) / (1 - product) * g + ahead / (1 - product * ahead) * m) / (
            np.sqrt(v / (1 - b2 ** t)) + 1e-8)
    else:
        if name == "Yogi":
            g = g + decay * w
            v += (1 - b2) * np.sign(g * g - v) * g * g
        else:
            v += (1 - b2) * (g * g - v)
        m += (1 - b1) * (g - m)
        eps = o.get("eps", 1e-3 if name == "Yogi" else 1e-6)
        way = m / (1 - b1 ** t) / (np.sqrt(v / (1 - b2 ** t)) + eps)
        if name == "LAMB":
            way = way + decay * w
            way *= np.linalg.norm(w) / np.linalg.norm(way)
        w -= lr * way


def takes(name, option):
    cls = getattr(torch.optim, name, None)
    return cls and option in inspect.signature(cls).parameters


def without_newer(name, options, gradients):
    """What this PyTorch lacks, by its meaning: ascent of g is descent of -g, and decay apart from the gradient is
    a factor of the parameters before each step. Returns the options left, the gradients and the factor."""
    options = dict(options)
    if not takes(name, "maximize") and options.pop("maximize", False):
        gradients = -gradients
    factor = 1 - options["lr"] * options.pop("weight_decay") if options.pop("decoupled_weight_decay", False) else 1
    return options, gradients, factor


def optimised(case, start, gradients):
    name, options = split_case(case)
    options, gradients, factor = without_newer(name, options, gradients)
    if name == "NAdam" or not hasattr(torch.optim, name):
        w, state = start.double().numpy().copy(), {}
        for g in gradients.double().numpy():
            w *= factor
            paper_step(name, options, w, g, state)
        names = {"m": "momentum_buffer" if name == "LARS" else "exp_avg", "v": "exp_avg_sq"}
        kept = "m" if name in ("LARS", "Lion") else "mv"
        return {"w": torch.from_numpy(w)} | {names[k]: torch.from_numpy(state[k]) for k in kept}
    w = start.clone().requires_grad_(True)
    optim = getattr(torch.optim, name)([w], **({"lr": 0.001} if name == "SGD" else {}) | options)
    for g in gradients:
        w.data *= factor
        w.grad = g.clone()
        optim.step()
    state = optim.state_dict()["state"].get(0, {})
    return {"w": w.detach()} | {k: v.detach() for k, v in state.items() if torch.is_tensor(v) and v.shape == w.shape}


def scheduled(case):
    name, options = split_case(case)
    optim = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4, momentum=0.6)
    schedule = getattr(torch.optim.lr_scheduler, name)(optim, **options)
    rates = []
    for step in range(STEPS):
        rates += [optim.param_groups[0]["lr"], optim.param_groups[0]["momentum"]]
        optim.step()
        schedule.step(*([METRICS[step % len(METRICS)]] if name == "ReduceLROnPlateau" else []))
    return torch.tensor(rates, dtype=torch.float64)


# Problems that a closure computes: the banana of Rosenbrock, and a fit of SIZE numbers with a badly scaled matrix.
LBFGS_CASES = [
    "LBFGS", "LBFGS lr=0.5 max_iter=3 history_size=2", "LBFGS line_search_fn='strong_wolfe'",
    "LBFGS max_iter=4 line_search_fn='strong_wolfe' history_size=3", "LBFGS max_iter=30 max_eval=7 lr=0.1",
]
CLOSURE_STEPS = 6


def rosenbrock(w):
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def squares(w):
    rows = torch.arange(1, SIZE + 3, dtype=torch.float64)[:, None]
    columns = torch.arange(1, SIZE + 1, dtype=torch.float64)
    return ((torch.cos(rows * columns) * columns @ w - torch.sin(rows[:, 0])) ** 2).sum()


PROBLEMS = {"rosenbrock": (rosenbrock, [-1.2, 1.0]), "squares": (squares, [0.5] * SIZE)}


def minimised(problem, case):
    name, options = split_case(case)
    loss, start = PROBLEMS[problem]
    w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optim = getattr(torch.optim, name)([w], **options)

    def closure():
        optim.zero_grad()
        value = loss(w)
        value.backward()
        return value

    way = []
    for _ in range(CLOSURE_STEPS):
        before = optim.step(closure)
        way.append(torch.cat([w.detach(), before.detach()[None]]))
    state = optim.state[w]
    end = [state["n_iter"], state["func_evals"], float(state["t"])]
    return {"way": torch.stack(way), "end": torch.tensor(end, dtype=torch.float64)}


METRICS = [1.0, 0.9, 0.95, 0.94, 0.93, 0.92, 0.5, 0.6]


def all_optimisers():
    start, gradients = drawn(9, 0, (SIZE,)).double(), drawn(9, 1, (UPDATES, SIZE)).double()
    found = {"start": start, "gradients": gradients}
    for case in OPTIM_CASES:
        found.update({f"{case}|{k}": v.double() for k, v in optimised(case, start, gradients).items()})
    found.update({case: scheduled(case) for case in SCHED_CASES})
    for problem in PROBLEMS:
        for case in LBFGS_CASES:
            found.update({f"{problem}: {case}|{k}": v for k, v in minimised(problem, case).items()})
    return found


if __name__ == "__main__":
    save(ROOT / "tests" / "golden" / "optim.safetensors", all_optimisers())
