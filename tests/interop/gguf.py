#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares GGUF files that gt wrote with llama.cpp and with GGUF's own Python package: tensors, token ids, logits.

    pip install gguf numpy xllamacpp==2026.10.11549
    python3 tests/interop/gguf.py MODEL_FOLDER --dump build/dev/tests/interop_dump --text corpus.txt f32.gguf q8_0.gguf

Prints what agrees and how well, and returns 1 if something does not:

- a tensor differs from the model's by a bit (f32), or from what the package gguf makes of it (f16, bf16, q8_0);
- llama.cpp makes other ids of a text than gt, or another text of the ids;
- of f32: a logit differs by more than 0.005 (llama.cpp's GELU is a table of half precision; in fp32 all through, some
  1e-5 would remain), and so llama.cpp's likeliest token is another one where gt's leads by more than 0.01;
- of any type: the perplexity differs by more than 1 %.

llama.cpp is called through its C interface in xllamacpp, whose structures are those of the version above; their
defaults are looked at first, so that another layout ends in an error.
"""
import argparse
import ctypes
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

sys.path = [place for place in sys.path if pathlib.Path(place or ".").resolve() != pathlib.Path(__file__).resolve().parent]
import gguf  # noqa: E402  (the package, not this file)
import numpy as np  # noqa: E402
import xllamacpp  # noqa: E402

failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what}")
    return holds


# --- llama.cpp -------------------------------------------------------------------------------------------------------


class Parameters(ctypes.Structure):
    """llama_model_params or llama_context_params, and room behind: passed by value, what is behind is not read."""

    _fields_ = [("bytes", ctypes.c_ubyte * 512)]

    def get(self, kind, at):
        return struct.unpack_from(kind, bytes(self.bytes), at)[0]

    def set(self, kind, at, value):
        raw = struct.pack(kind, value)
        self.bytes[at : at + len(raw)] = raw


class Batch(ctypes.Structure):
    _fields_ = [
        ("n_tokens", ctypes.c_int32),
        ("token", ctypes.POINTER(ctypes.c_int32)),
        ("embd", ctypes.POINTER(ctypes.c_float)),
        ("pos", ctypes.POINTER(ctypes.c_int32)),
        ("n_seq_id", ctypes.POINTER(ctypes.c_int32)),
        ("seq_id", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
        ("logits", ctypes.POINTER(ctypes.c_int8)),
    ]


library = ctypes.CDLL(xllamacpp.xllamacpp.__file__)


def c_function(name, result, *arguments):
    function = getattr(library, name)
    function.restype, function.argtypes = result, list(arguments)
    return function


pointer, integer, flag, size = ctypes.c_void_p, ctypes.c_int32, ctypes.c_bool, ctypes.c_size_t
ids_pointer = ctypes.POINTER(ctypes.c_int32)
log_callback = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, pointer)
quiet = log_callback(lambda level, text, data: sys.stderr.write(text.decode("utf-8", "replace")) if level == 4 else None)
c_function("llama_log_set", None, log_callback, pointer)(quiet, None)
c_function("llama_backend_init", None)()


class LlamaCpp:
    """A model in llama.cpp: fp32 caches, no flash attention, one sequence."""

    def __init__(self, path):
        model = c_function("llama_model_default_params", Parameters)()
        self.model = c_function("llama_model_load_from_file", pointer, ctypes.c_char_p, Parameters)(path.encode(), model)
        if not self.model:
            raise RuntimeError(f"llama.cpp cannot load {path}")
        self.vocab = c_function("llama_model_get_vocab", pointer, pointer)(self.model)
        self.size = c_function("llama_vocab_n_tokens", integer, pointer)(self.vocab)
        self.context_size = c_function("llama_model_n_ctx_train", integer, pointer)(self.model)
        context = c_function("llama_context_default_params", Parameters)()
        defaults = [context.get("<I", 0), context.get("<I", 4), context.get("<i", 52), context.get("<f", 64)]
        defaults += [context.get("<i", 104), context.get("<i", 108)]
        if defaults != [512, 2048, -1, -1.0, 1, 1]:
            raise RuntimeError(f"llama_context_params must have the layout of the version above (got {defaults})")
        context.set("<I", 0, self.context_size)  # n_ctx
        context.set("<I", 8, max(512, self.context_size))  # n_ubatch
        context.set("<i", 28, 1)  # n_threads
        context.set("<i", 32, 1)  # n_threads_batch
        context.set("<i", 52, 0)  # no flash attention
        context.set("<i", 104, 0)  # type_k: f32
        context.set("<i", 108, 0)  # type_v: f32
        self.context = c_function("llama_init_from_model", pointer, pointer, Parameters)(self.model, context)
        if not self.context:
            raise RuntimeError(f"llama.cpp cannot make a context for {path}")

    def close(self):
        c_function("llama_free", None, pointer)(self.context)
        c_function("llama_model_free", None, pointer)(self.model)

    def encode(self, text):
        tokenize = c_function(
            "llama_tokenize", integer, pointer, ctypes.c_char_p, integer, ids_pointer, integer, flag, flag
        )
        raw = text.encode()
        room = (ctypes.c_int32 * (len(raw) + 8))()
        count = tokenize(self.vocab, raw, len(raw), room, len(room), False, False)
        return list(room[:count])

    def decode(self, ids):
        detokenize = c_function(
            "llama_detokenize", integer, pointer, ids_pointer, integer, ctypes.c_char_p, integer, flag, flag
        )
        room = ctypes.create_string_buffer(64 * len(ids) + 64)
        count = detokenize(self.vocab, (ctypes.c_int32 * len(ids))(*ids), len(ids), room, len(room), False, False)
        return room.raw[:count]

    def logits(self, ids):
        """[n, V], of every position."""
        memory = c_function("llama_get_memory", pointer, pointer)(self.context)
        c_function("llama_memory_clear", None, pointer, flag)(memory, True)
        batch = c_function("llama_batch_init", Batch, integer, integer, integer)(len(ids), 0, 1)
        batch.n_tokens = len(ids)
        for i, token in enumerate(ids):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, i, 1, 1
            batch.seq_id[i][0] = 0
        status = c_function("llama_decode", integer, pointer, Batch)(self.context, batch)
        if status != 0:
            raise RuntimeError(f"llama_decode returned {status}")
        get = c_function("llama_get_logits_ith", ctypes.POINTER(ctypes.c_float), pointer, integer)
        rows = [np.ctypeslib.as_array(get(self.context, i), (self.size,)).copy() for i in range(len(ids))]
        c_function("llama_batch_free", None, Batch)(batch)
        return np.stack(rows)


# --- gt --------------------------------------------------------------------------------------------------------------


class Gt:
    def __init__(self, folder, dump):
        self.folder, self.dump = folder, dump
        self.tokenizer = json.loads((folder / "tokenizer.json").read_text())
        self.config = json.loads((folder / "config.json").read_text())

    def run(self, texts, with_logits):
        """The ids of each text; and the logits of the first `context` ids of each."""
        with tempfile.TemporaryDirectory() as place:
            lines, logits = pathlib.Path(place, "texts"), pathlib.Path(place, "logits")
            lines.write_text("".join(json.dumps(text) + "\n" for text in texts))
            command = [self.dump, str(self.folder), str(lines)] + ([str(logits)] if with_logits else [])
            rows = [json.loads(row) for row in subprocess.check_output(command).splitlines()]
            ids = [row["ids"] for row in rows]
            if not with_logits:
                return ids
            numbers = np.fromfile(logits, "<f4").reshape(-1, self.config["vocab_size"])
            return ids, np.split(numbers, np.cumsum([row["rows"] for row in rows])[:-1])

    def tensors(self):
        raw = (self.folder / "model.safetensors").read_bytes()
        head = 8 + struct.unpack_from("<Q", raw)[0]
        for name, entry in json.loads(raw[8:head]).items():
            if name != "__metadata__":
                begin, end = entry["data_offsets"]
                yield name, np.frombuffer(raw[head + begin : head + end], "<f4").reshape(entry["shape"])


NAMES = {
    "embed_tokens": "token_embd",
    "norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "c_fc": "ffn_up",
    "c_proj": "ffn_down",
}


def gguf_name(name):
    parts = name.split(".")
    prefix = f"blk.{parts[2]}." if parts[1] == "layers" else ""
    return prefix + NAMES[parts[-2]] + "." + parts[-1]


# --- What is compared ------------------------------------------------------------------------------------------------


def compare_tensors(model, path):
    reader = gguf.GGUFReader(path)
    found = {tensor.name: tensor for tensor in reader.tensors}
    kinds, wrong = {}, []
    for name, ours in model.tensors():
        tensor = found.pop(gguf_name(name), None)
        if tensor is None:
            wrong.append(f"{name} is missing")
            continue
        kinds[tensor.tensor_type.name] = kinds.get(tensor.tensor_type.name, 0) + 1
        expected = gguf.quants.quantize(np.array(ours), tensor.tensor_type)
        if list(reversed(tensor.shape)) != list(ours.shape) or expected.tobytes() != tensor.data.tobytes():
            wrong.append(name)
    wrong += [f"{name} is surplus" for name in found]
    expect(not wrong, f"{path}: tensors as the package gguf writes them (wrong: {wrong[:5]})")
    print(f"  tensors: {kinds}, the bytes are those of the package gguf: {'yes' if not wrong else 'no'}")


def texts_to_encode(model, corpus, count):
    """By kind: lines of the corpus, pieces of it, random characters, repeated ones, and tokens strung together."""
    draw = random.Random(1)
    vocabulary = [token for token in model.tokenizer["model"]["vocab"] if not token.startswith("<")]
    letters = [token for token in vocabulary if len(token) == 1]

    def characters():
        kinds = [lambda: draw.choice(letters), lambda: chr(draw.randrange(0x20, 0x7F)), lambda: " "]
        kinds += [lambda: chr(draw.randrange(0xA0, 0xD800)), lambda: chr(draw.randrange(0xE000, 0x110000))]
        kinds += [lambda: chr(draw.randrange(1, 0x20)), lambda: draw.choice("éüßαжд你好🙂\u0301\u200d")]
        return "".join(draw.choice(kinds)() for _ in range(draw.randrange(1, 60))).replace("\u2581", " ")

    def repeated():
        unit = "".join(draw.choice(letters) for _ in range(draw.randrange(1, 4)))
        return unit * draw.randrange(2, 40) + unit[: draw.randrange(len(unit) + 1)]

    def piece():
        begin = draw.randrange(len(corpus))
        return corpus[begin : begin + draw.randrange(1, 400)]

    def tokens():
        return "".join(draw.choice(vocabulary) for _ in range(draw.randrange(1, 40)))

    def few_letters():
        few = draw.sample(letters, 2)
        return "".join(draw.choice(few) for _ in range(draw.randrange(2, 40)))

    return {
        "lines of the text": [p for p in corpus.split("\n") if p],
        "pieces of the text": [piece() for _ in range(count)],
        "random characters": [characters() for _ in range(count)],
        "repeated letters": [repeated() for _ in range(count)],
        "two letters": [few_letters() for _ in range(count)],
        "tokens strung together": [tokens() for _ in range(count)],
        "looks like a special": ["<s>", "</s>", "<0x41>", "a<0x0A>b", "<unused_1>", "x</s><s>y", ""],
    }


def compare_ids(model, llama, texts):
    print(f"  {'texts':24} {'number':>8} {'ids':>9} {'other ids':>9} {'other text':>10}")
    for kind, all_texts in texts.items():
        ours = model.run(all_texts, False)
        differ, unlike, shown = 0, 0, None
        for text, ids in zip(all_texts, ours):
            theirs = llama.encode(text)
            if theirs != ids:
                differ += 1
                shown = shown or (text, ids, theirs)
            unlike += bool(ids) and llama.decode(ids) != text.encode()
        print(f"  {kind:24} {len(all_texts):8} {sum(map(len, ours)):9} {differ:9} {unlike:10}")
        expect(differ == 0, f"{kind}: the same ids (got others for {differ}, as {shown})")
        expect(unlike == 0, f"{kind}: the same text of the ids (got another for {unlike})")


def log_softmax(z):
    z = z.astype(np.float64)
    z -= z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def compare_logits(ids, ours, llama, path, exact):
    largest, squares, count, same, clear, wrong, nll, their_nll, targets = 0.0, 0.0, 0, 0, 0, 0, 0.0, 0.0, 0
    for text_ids, z in zip(ids, ours):
        n = len(z)
        theirs = llama.logits(text_ids[:n])
        difference = theirs.astype(np.float64) - z
        largest = max(largest, float(abs(difference).max()))
        squares += float((difference**2).mean(-1).sum())
        top = np.sort(z, -1)[:, -2:]
        leads = top[:, 1] - top[:, 0] > 0.01
        agree = z.argmax(-1) == theirs.argmax(-1)
        count, same, clear = count + n, same + int(agree.sum()), clear + int(leads.sum())
        wrong += int((leads & ~agree).sum())
        follow = np.array(text_ids[1:n])
        at = np.arange(n - 1)
        nll -= log_softmax(z)[at, follow].sum()
        their_nll -= log_softmax(theirs)[at, follow].sum()
        targets += n - 1
    perplexity, other = np.exp(nll / targets), np.exp(their_nll / targets)
    print(
        f"  logits at {count} positions: largest difference {largest:.2e}, typical {np.sqrt(squares / count):.1e};"
        f" the same top token {same} times, otherwise {wrong} of {clear} times where it leads by 0.01;"
        f" perplexity {perplexity:.4f} in gt, {other:.4f} ({100 * (other / perplexity - 1):+.4f} %)"
    )
    if exact:
        expect(wrong == 0, f"{path}: the same top token wherever it leads by 0.01 (got {wrong} others)")
        expect(largest <= 0.005, f"{path}: logits within 0.005 (got {largest})")
    expect(abs(other / perplexity - 1) < 0.01, f"{path}: the same perplexity within 1 % (got {other}, {perplexity})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path, help="folder that gt saved")
    parser.add_argument("files", nargs="+", help="what gt wrote of it, one file a type")
    parser.add_argument("--dump", required=True, help="the program interop_dump")
    parser.add_argument("--text", type=pathlib.Path, required=True, help="UTF-8 text; the logits are those of its end")
    parser.add_argument("--count", type=int, default=2000, help="random texts of each kind")
    parser.add_argument("--windows", type=int, default=40, help="texts for logits, each as long as the context")
    arguments = parser.parse_args()

    model = Gt(arguments.model, arguments.dump)
    corpus = arguments.text.read_text(encoding="utf-8")
    texts = texts_to_encode(model, corpus, arguments.count)
    length = 8 * model.config["max_position_embeddings"]  # characters, more than a window has
    held_out = corpus[-(len(corpus) // 20) :]
    starts = range(0, max(1, len(held_out) - length), max(1, len(held_out) // arguments.windows))
    ids, logits = model.run([held_out[s : s + length] for s in starts][: arguments.windows], True)
    for number, path in enumerate(arguments.files):
        print(f"{path} ({pathlib.Path(path).stat().st_size} bytes)")
        compare_tensors(model, path)
        llama = LlamaCpp(path)
        expect(llama.size == model.config["vocab_size"], f"{path}: the vocabulary's size")
        expect(llama.context_size == model.config["max_position_embeddings"], f"{path}: the context's size")
        if number == 0:  # the tokenizer is the same in all
            compare_ids(model, llama, texts)
            spaced = llama.encode("a\u2581b") == llama.encode("a b")
            print(f"  known: U+2581 in a text is read as a space: {'yes' if spaced else 'no'}")
        exact = gguf.GGUFReader(path).fields["general.file_type"].contents() == 0
        compare_logits(ids, logits, llama, path, exact)
        llama.close()
    print("all as expected" if not failures else f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
