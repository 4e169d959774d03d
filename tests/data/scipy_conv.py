#!/usr/bin/env python3
"""Writes tests/data/scipy_conv.txt: convolutions as numpy and scipy compute them, for tests/test_reference.c.

    apt-get install python3-numpy python3-scipy && python3 tests/data/scipy_conv.py > tests/data/scipy_conv.txt

Nothing is shared with the reference: padding is numpy.pad, dilation puts zeros between the kernel's elements, the sum is
scipy.signal.correlate (convolve where the kernel is flipped), the stride is a slice. Data are small whole numbers, so every sum is
exact: input[i] = i * 7 % 13 - 6, weights[i] = i * 5 % 11 - 5, in logical order.

A line is: rank N C M groups, then for each dimension in, kernel, stride, dilation, pad before, out; then padding mode (0 zeros,
1 reflect, 2 replicate, 3 circular), flip, and the outputs in order.
"""
import random

import numpy as np
from scipy import signal

MODES = ["constant", "reflect", "edge", "wrap"]


def numbers(shape, step, modulus):
    count = int(np.prod(shape))
    return (np.arange(count) * step % modulus - modulus // 2).reshape(shape).astype(float)


def dilate(kernel, dilation):
    spread = np.zeros([(k - 1) * d + 1 for k, d in zip(kernel.shape, dilation)])
    spread[tuple(slice(None, None, d) for d in dilation)] = kernel
    return spread


def convolve(x, w, stride, dilation, groups, flip):
    combine = signal.convolve if flip else signal.correlate
    per_in, per_out = w.shape[1], w.shape[0] // groups
    strided = tuple(slice(None, None, s) for s in stride)
    return np.array([[sum(combine(image[m // per_out * per_in + c], dilate(w[m, c], dilation), "valid", "direct")
                          for c in range(per_in))[strided] for m in range(w.shape[0])] for image in x])


def case(mode):
    rank = random.randint(1, 3)
    some = lambda least, most: [random.randint(least, most) for _ in range(rank)]
    kernel, stride, dilation = some(1, 3), some(1, 3), some(1, 2)
    size = [random.randint(max(1, (k - 1) * d), (k - 1) * d + 4) for k, d in zip(kernel, dilation)]
    pads = [[min(random.randint(1 if s <= (k - 1) * d else 0, 2), s - 1 if mode == 1 else s) for _ in "ba"]
            for s, k, d in zip(size, kernel, dilation)]
    groups, per_in, per_out, batch = random.choice([1, 1, 2, 3]), random.randint(1, 3), random.randint(1, 2), random.randint(1, 2)
    flip = random.randint(0, 1)
    if any(s + sum(p) < (k - 1) * d + 1 for s, p, k, d in zip(size, pads, kernel, dilation)):
        return None
    x = numbers([batch, groups * per_in] + size, 7, 13)
    w = numbers([groups * per_out, per_in] + kernel, 5, 11)
    y = convolve(np.pad(x, [(0, 0), (0, 0)] + pads, MODES[mode]), w, stride, dilation, groups, flip)
    if y.size > 40:
        return None
    head = [rank, batch, groups * per_in, groups * per_out, groups]
    for d in range(rank):
        head += [size[d], kernel[d], stride[d], dilation[d], pads[d][0], y.shape[2 + d]]
    return head + [mode, flip] + [int(value) for value in y.flat]


random.seed(1)
for mode in range(4):
    found = 0
    while found < 20:
        line = case(mode)
        if line:
            print(*line)
            found += 1
