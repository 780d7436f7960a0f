# SPDX-License-Identifier: MIT
"""The ops of a training step in PyTorch, by the names and shapes that gt's benchmarks have."""
import torch
import torch.nn.functional as F

aten = torch.ops.aten


def draw(*shape):
    return torch.rand(*shape) * 2 - 1


def op_of(name, n):
    """A function of no arguments for the op `name` at the sizes n, the tensors that it works on made; None for an op
    that PyTorch has no equal of."""
    M, C = n.get("M"), n.get("C")
    if name == "gelu":
        x = draw(M, n["F"])
        return lambda: F.gelu(x, approximate="tanh")
    if name == "gelu_backward":
        x, dy = draw(M, n["F"]), draw(M, n["F"])
        return lambda: aten.gelu_backward(dy, x, approximate="tanh")
    if name == "residual_add":
        x, y = draw(M, C), draw(M, C)
        return lambda: x + y
    if name == "layer_norm":
        x, g, b = draw(M, C), draw(C), draw(C)
        return lambda: F.layer_norm(x, (C,), g, b, 1e-5)
    if name == "layer_norm_backward":
        x, g, b, dy, r = draw(M, C), draw(C), draw(C), draw(M, C), draw(M, C)
        _, mean, rstd = aten.native_layer_norm(x, (C,), g, b, 1e-5)

        def backward():
            dx, dg, db = aten.native_layer_norm_backward(dy, x, (C,), mean, rstd, g, b, (True, True, True))
            return dx + r, dg, db

        return backward
    if name == "embedding" and n["n"] == C:
        table, ids = draw(n["V"], C), torch.randint(0, n["V"], (M,))
        return lambda: F.embedding(ids, table)
    if name == "adamw":
        p = torch.nn.Parameter(draw(n["n"]))
        p.grad = draw(n["n"])
        return torch.optim.AdamW([p], lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True).step
    if name in ("head_cross_entropy", "head_cross_entropy_backward"):
        x, w, targets = draw(M, C), 0.1 * draw(n["V"], C), torch.randint(0, n["V"], (M,))
        if name == "head_cross_entropy":
            return lambda: F.cross_entropy(x @ w.T, targets, reduction="none")
        x.requires_grad_(), w.requires_grad_()
        return lambda: torch.autograd.grad(F.cross_entropy(x @ w.T, targets), (x, w))
    if name in ("attention", "attention_backward"):
        T, D = n["T"], n["D"]
        B, H = n["B"], n["H"]
        qkv = draw(B, T, 3, H, D)
        q, k, v = (t.requires_grad_(name != "attention") for t in qkv.permute(2, 0, 3, 1, 4).unbind())
        forward = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)
        if name == "attention":
            return forward
        o, d = forward(), draw(B, T, H, D).transpose(1, 2)
        return lambda: torch.autograd.grad(o, (q, k, v), d, retain_graph=True)
    return None


# What `op_of` knows; and of these, what a compiler can make better by itself: the others are calls of one kernel.
names = ("gelu", "gelu_backward", "layer_norm", "layer_norm_backward", "residual_add", "embedding", "adamw",
         "head_cross_entropy", "head_cross_entropy_backward", "attention", "attention_backward")
fusible = ("gelu", "gelu_backward", "layer_norm", "layer_norm_backward", "residual_add", "head_cross_entropy",
           "head_cross_entropy_backward")
