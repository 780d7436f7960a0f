# SPDX-License-Identifier: MIT
"""The model of gt in PyTorch, as a user would write it: a training step, a token with a KV cache, a prompt."""
import json
import struct

import torch
import torch.nn.functional as F
from torch import nn


def read_safetensors(path):
    """All tensors of a file by name, in memory of their own."""
    types = {"F32": torch.float32, "I32": torch.int32}
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    tensors = {}
    for name, t in header.items():
        if name == "__metadata__":
            continue
        begin, end = t["data_offsets"]
        flat = torch.frombuffer(data, dtype=types[t["dtype"]], count=(end - begin) // 4, offset=begin)
        tensors[name] = flat.reshape(t["shape"]).clone()
    return tensors


class Block(nn.Module):
    """x += out(attention(norm(x))); x += down(gelu(up(norm(x)))): RoPE by halves, tanh-GELU, biases everywhere."""

    def __init__(self, C, H):
        super().__init__()
        self.H, self.D = H, C // H
        self.norm1, self.norm2 = nn.LayerNorm(C, eps=1e-5), nn.LayerNorm(C, eps=1e-5)
        self.qkv, self.out = nn.Linear(C, 3 * C), nn.Linear(C, C)
        self.up, self.down = nn.Linear(C, 4 * C), nn.Linear(4 * C, C)

    def forward(self, x, cos, sin, attend):
        B, T, C = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(B, T, 3, self.H, self.D).permute(2, 0, 3, 1, 4)
        y = attend(turn(q, cos, sin), turn(k, cos, sin), v)
        x = x + self.out(y.transpose(1, 2).reshape(B, T, C))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


def turn(x, cos, sin):
    """RoPE: the two halves of a head are the two coordinates."""
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def causal(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


class Model(nn.Module):
    def __init__(self, shape, weights, context):
        super().__init__()
        C, self.L, H = shape["C"], shape["L"], shape["H"]
        self.embedding = nn.Embedding.from_pretrained(weights["model.embed_tokens.weight"], freeze=True)
        self.blocks = nn.ModuleList(Block(C, H) for _ in range(self.L))
        self.norm, self.head = nn.LayerNorm(C, eps=1e-5), nn.Linear(C, shape["V"], bias=False)
        angles = torch.outer(torch.arange(context).double(), 10000.0 ** (-torch.arange(0, C // H, 2).double() / (C // H)))
        self.register_buffer("cos", angles.cos().float())
        self.register_buffer("sin", angles.sin().float())
        with torch.no_grad():
            for l, block in enumerate(self.blocks):
                at = f"model.layers.{l}."
                for kind in ("weight", "bias"):
                    get = lambda name: weights[f"{at}{name}.{kind}"]
                    set_to = lambda layer, value: getattr(layer, kind).copy_(value)
                    set_to(block.norm1, get("input_layernorm"))
                    set_to(block.norm2, get("post_attention_layernorm"))
                    set_to(block.qkv, torch.cat([get(f"self_attn.{p}_proj") for p in "qkv"]))
                    set_to(block.out, get("self_attn.o_proj"))
                    set_to(block.up, get("mlp.c_fc"))
                    set_to(block.down, get("mlp.c_proj"))
            self.norm.weight.copy_(weights["model.norm.weight"])
            self.norm.bias.copy_(weights["model.norm.bias"])
            self.head.weight.copy_(weights["lm_head.weight"])

    def forward(self, ids, attend=causal):
        x = self.embedding(ids)
        T = ids.shape[1]
        for block in self.blocks:
            x = block(x, self.cos[:T], self.sin[:T], attend)
        return self.norm(x)


class Training:
    """Steps of AdamW on one batch, as `mode` says: eager, compile, bf16 compile. The lowest `frozen` blocks do
    not train."""

    def __init__(self, shape, weights, mode, frozen=0):
        torch._dynamo.reset()
        B, T = shape["B"], shape["T"]
        self.ids, self.targets = weights["ids"].long().view(B, T), weights["targets"].long()
        self.model = Model(shape, weights, T)
        for block in self.model.blocks[:frozen]:
            block.requires_grad_(False)
        train = [p for p in self.model.parameters() if p.requires_grad]
        self.parameters = train
        self.optimizer = torch.optim.AdamW(train, lr=1e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1, fused=True)
        self.bf16 = "bf16" in mode
        self.loss_of = torch.compile(self.loss) if "compile" in mode else self.loss

    def loss(self):
        x = self.model(self.ids)
        return F.cross_entropy(self.model.head(x.flatten(0, 1)).float(), self.targets)

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16):
            loss = self.loss_of()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        return loss

    def verify(self, weights):
        """The loss of each token, and the losses of the first three steps, as gt has them: the gradient and AdamW are in
        all but the first. With bf16 only the latter."""
        if not self.bf16:
            with torch.no_grad():
                logits = self.model.head(self.model(self.ids).flatten(0, 1))
                off = (F.cross_entropy(logits, self.targets, reduction="none") - weights["tokens"]).abs().max()
            if not off <= 1e-3 * weights["tokens"].max():
                raise RuntimeError(f"other losses: a token's is off by {off:.2g}")
        for expected in weights["steps"].tolist():
            found = self.step().item()
            if not abs(found - expected) <= (2e-2 if self.bf16 else 1e-4) * abs(expected):
                raise RuntimeError(f"another loss: {found} where gt has {expected}")


class Talk:
    """Tokens one by one with a KV cache; `mode` is eager, compile or bf16 compile."""

    def __init__(self, shape, weights, mode):
        torch._dynamo.reset()
        self.ids = weights["ids"].long().view(1, -1)
        self.context = self.ids.shape[1]
        self.model = Model(shape, weights, self.context).eval()
        if "bf16" in mode:
            self.model.to(torch.bfloat16)
        kind = self.model.head.weight.dtype
        sizes = (shape["L"], 1, shape["H"], self.context, shape["C"] // shape["H"])
        self.keys, self.values = torch.zeros(sizes, dtype=kind), torch.zeros(sizes, dtype=kind)
        self.static = "compile" in mode  # one shape for all positions, as compiled code wants it
        self.one = torch.compile(self.token) if self.static else self.token
        self.all = torch.compile(self.prompt) if self.static else self.prompt
        self.tolerance = 5e-2 if "bf16" in mode else 1e-4
        self.position = 0

    def token(self, ids, position, mask):
        x = self.model.embedding(ids)
        cos, sin = self.model.cos[position], self.model.sin[position]
        for l, block in enumerate(self.model.blocks):

            def attend(q, k, v, keys=self.keys[l], values=self.values[l]):
                keys[:, :, position], values[:, :, position] = k, v
                if mask is not None:
                    return F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
                n = int(position) + 1
                return F.scaled_dot_product_attention(q, keys[:, :, :n], values[:, :, :n])

            x = block(x, cos, sin, attend)
        return self.model.head(self.model.norm(x[0, -1]))

    @torch.inference_mode()
    def feed(self):
        if self.position == self.context:
            self.position = 0
        position = torch.tensor([self.position])
        mask = (torch.arange(self.context) <= position).view(1, 1, 1, -1) if self.static else None
        logits = self.one(self.ids[:, self.position : self.position + 1], position, mask)
        self.position += 1
        return logits

    def prompt(self):
        return self.model.head(self.model(self.ids)[0, -1])

    @torch.inference_mode()
    def read(self):
        return self.all()

    def verify(self, weights, whole):
        """The logits after the first eight tokens, or after all, as gt has them."""
        found = self.read() if whole else [self.feed() for _ in range(8)][-1]
        expected = weights["all" if whole else "eight"]
        self.position = 0
        off = (found.float() - expected).abs().max() / expected.abs().max()
        if not off <= self.tolerance:
            raise RuntimeError(f"other logits: off by {off:.2g} of the largest")
