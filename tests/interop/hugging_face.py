# SPDX-License-Identifier: MIT
"""gt against transformers, tokenizers, safetensors and peft: models and adapters that leave, and that come back.

    hugging_face.py BUILD MODEL WORK

BUILD: a build folder with programs/gt, tests/interop_dump and tests/interop_adapt.
MODEL: a folder that gt saved.
WORK:  an empty folder.
Needs from PyPI: torch, transformers, tokenizers, safetensors, peft, numpy. Prints a line a check; 1 if any fails.
"""
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, Starcoder2Config, Starcoder2ForCausalLM
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()

build, model_folder, work = (Path(a).resolve() for a in sys.argv[1:4])
failed = 0
torch.manual_seed(1)
TOLERANCE = 1e-4


def check(name, ok, what=""):
    global failed
    failed += not ok
    print(f"  {'passed' if ok else 'FAILED'}  {name:<72} {what}", flush=True)


def run(program, *arguments):
    words = [build / "tests" / program] if program.startswith("interop_") else [build / "programs/gt", program]
    done = subprocess.run([*map(str, words), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{program} {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def stderr_of(command, *arguments, fails=False):
    done = subprocess.run([build / "programs/gt", command, *map(str, arguments)], capture_output=True, text=True)
    if (done.returncode != 0) != fails:
        raise SystemExit(f"{command} {' '.join(map(str, arguments))}: status {done.returncode}: {done.stderr}")
    return done.stderr


TEXTS = [
    "It is a truth universally acknowledged, that a single man in possession of a good fortune",
    "Emma lives in Oslo. Where does Emma live?\n\nOslo",
    "Привет, мир! Ёлка и ещё что-то.",
    "数学は美しい。 日本語と中文 and mixed text",
    "tabs\tand  double spaces   \r\n and \u00a0 no-break, \u2581 lower block, emoji \U0001F600\U0001F468\u200D\U0001F469",
    "banana ananas aaaaaaaaaa hahahahaha",
    "<s>not a special</s> <0x41> \u0000 zero",
    " ",
]
random.seed(3)
TEXTS += [
    "".join(chr(random.choice([random.randrange(32, 127), random.randrange(160, 0x600), random.randrange(0x3040, 0x3100)]))
            for _ in range(60))
    for _ in range(40)
]


def said_by_gt(folder, texts=TEXTS):
    """Token ids of every text, and the logits [n, V] behind each."""
    (work / "texts.jsonl").write_text("".join(json.dumps(t) + "\n" for t in texts), encoding="utf-8")
    lines = [json.loads(line) for line in run("interop_dump", folder, work / "texts.jsonl", work / "logits").splitlines()]
    numbers = np.fromfile(work / "logits", dtype=np.float32)
    rows = sum(line["rows"] for line in lines)
    numbers = numbers.reshape(rows, -1)
    logits, at = [], 0
    for line in lines:
        logits.append(numbers[at:at + line["rows"]])
        at += line["rows"]
    return [line["ids"] for line in lines], logits


def largest_difference(model, ids, logits):
    worst = 0.0
    with torch.no_grad():
        for text_ids, ours in zip(ids, logits):
            if len(ours) == 0:
                continue
            theirs = model(torch.tensor([text_ids[:len(ours)]])).logits[0].float().numpy()
            worst = max(worst, float(np.abs(theirs - ours).max()))
    return worst


def compare(name, model, folder):
    ids, logits = said_by_gt(folder)
    scale = max(float(np.abs(x).max()) for x in logits if len(x))
    worst = largest_difference(model.eval(), ids, logits)
    check(name, worst <= TOLERANCE, f"largest difference {worst:.1e} of logits up to {scale:.1f}")


def leaves():
    print("a model of gt in transformers")
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    check("opens as Starcoder2ForCausalLM, without remote code", type(model) is Starcoder2ForCausalLM)
    compare("logits, fp32", model, model_folder)
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    rust = Tokenizer.from_file(str(model_folder / "tokenizer.json"))
    rust.encode_special_tokens = True  # "<s>" in a text is text, as gt's encode has it
    ids, _ = said_by_gt(model_folder)
    check("token ids of AutoTokenizer", all(
        tokenizer(t, add_special_tokens=False, split_special_tokens=True).input_ids == i for t, i in zip(TEXTS, ids)))
    check("token ids of tokenizers", all(rust.encode(t, add_special_tokens=False).ids == i for t, i in zip(TEXTS, ids)))
    check("bos and eos", model.generation_config.eos_token_id == tokenizer.eos_token_id and
          model.generation_config.bos_token_id == tokenizer.bos_token_id)
    padded = tokenizer(["It is", "It is a truth universally acknowledged"], padding=True, return_tensors="pt")
    check("a padded batch has what the model takes", set(padded) == {"input_ids", "attention_mask"})
    with torch.no_grad():
        alone = model(padded.input_ids[:1, :int(padded.attention_mask[0].sum())]).logits[0, -1]
        beside = model(**padded).logits[0, int(padded.attention_mask[0].sum()) - 1]
    check("a padded text has the logits that it has alone", (alone - beside).abs().max().item() <= TOLERANCE)
    prompt = TEXTS[0]
    ours = run("generate", "--model", model_folder, "--prompt", prompt, "--temperature", "0", "--max-tokens", "40")
    given = torch.tensor([rust.encode(prompt, add_special_tokens=False).ids])
    with torch.no_grad():
        theirs = model.generate(given, max_new_tokens=40, do_sample=False, attention_mask=torch.ones_like(given))
    text = rust.decode(theirs[0].tolist(), skip_special_tokens=True)
    check("greedy continuation of 40 tokens", ours.strip() == text.strip() or text.strip().startswith(ours.strip()))

    run("import", model_folder, "--out", work / "shards", "--max-shard-bytes", "200000")
    check("several files and their index", len(list((work / "shards").glob("model-*.safetensors"))) > 1)
    compare("logits of shards", AutoModelForCausalLM.from_pretrained(work / "shards", dtype=torch.float32), model_folder)
    compare("logits of shards, opened here", model, work / "shards")

    model.save_pretrained(work / "again")
    tokenizer.save_pretrained(work / "again")
    compare("saved again by transformers, logits", model, work / "again")
    run("merge", model_folder, work / "again", "--prompt", "It is", "--max-tokens", "2")
    check("saved again by transformers, it still stands on the frozen table", "note:" not in stderr_of("generate", "--model", work / "again", "--prompt", "It"))
    with torch.no_grad():
        model.model.embed_tokens.weight += 0.5
    model.save_pretrained(work / "again")
    compare("another table, logits", model, work / "again")
    check("another table is no frozen one", "are not the frozen ones" in stderr_of("generate", "--model", work / "again", "--prompt", "It"))
    check("another table merges with nothing", "substrate" in stderr_of("merge", model_folder, work / "again", "--prompt", "It is", fails=True))
    model.resize_token_embeddings(pad_to_multiple_of=64)
    model.save_pretrained(work / "again")
    run("generate", "--model", work / "again", "--prompt", "It is", "--max-tokens", "5")
    run("import", work / "again", "--out", work / "padded")
    check("a padded vocabulary", json.loads((work / "padded/config.json").read_text())["vocab_size"] % 64 == 0)


def comes_back():
    print("a model of transformers in gt")
    vocab = json.loads((model_folder / "config.json").read_text())["vocab_size"]
    base = dict(vocab_size=vocab, hidden_size=64, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=4, max_position_embeddings=128, bos_token_id=0, eos_token_id=1, sliding_window=None, tie_word_embeddings=False,
                use_bias=True, initializer_range=0.2)
    variants = {
        "as gt has it": {},
        "two KV heads for four": {"num_key_value_heads": 2},
        "tied head, no biases": {"tie_word_embeddings": True, "use_bias": False},
        "another width and MLP, exact GELU": {"hidden_size": 48, "intermediate_size": 100, "hidden_act": "gelu"},
        "another theta and epsilon": {"rope_theta": 5e4, "norm_epsilon": 1e-6},
    }
    for name, changes in variants.items():
        made = Starcoder2ForCausalLM(Starcoder2Config(**{**base, **changes}))
        for n, p in made.named_parameters():  # biases and gains that count
            if p.dim() == 1:
                torch.nn.init.normal_(p, 1.0 if n.endswith("norm.weight") else 0.0, 0.2)
        folder = work / "theirs"
        shutil.rmtree(folder, ignore_errors=True)
        made.save_pretrained(folder)
        shutil.copy(model_folder / "tokenizer.json", folder)
        compare(name, made, folder)
    made = Starcoder2ForCausalLM(Starcoder2Config(**base)).to(torch.bfloat16)
    shutil.rmtree(work / "theirs")
    made.save_pretrained(work / "theirs", max_shard_size="60KB")
    shutil.copy(model_folder / "tokenizer.json", work / "theirs")
    read_back = Starcoder2ForCausalLM.from_pretrained(work / "theirs", dtype=torch.float32)  # its rotation is fp32 again
    compare("bf16, in several files", read_back, work / "theirs")
    shutil.rmtree(work / "theirs")
    made = Starcoder2ForCausalLM(Starcoder2Config(**{**base, "sliding_window": 24}))
    made.save_pretrained(work / "theirs")
    shutil.copy(model_folder / "tokenizer.json", work / "theirs")
    compare("a sliding window: its first window", made, work / "theirs")

    print("a state_dict under names of its own")
    made = Starcoder2ForCausalLM(Starcoder2Config(**base))
    state, names = {}, {}
    for ours, tensor in made.state_dict().items():
        theirs = ours.replace("model.layers.", "blocks.").replace("self_attn.", "attention.").replace("mlp.", "ff.")
        if ours.endswith("mlp.c_fc.weight"):
            state[theirs] = tensor.T.contiguous()
        elif "q_proj" in ours:
            parts = [made.state_dict()[ours.replace("q_proj", f"{x}_proj")] for x in "qkv"]
            state[theirs.replace("q_proj", "qkv")] = torch.cat(parts)
        elif "k_proj" not in ours and "v_proj" not in ours:
            state[theirs] = tensor.clone()
        if ours.startswith("model.layers.0."):
            pattern, place = ours.replace("layers.0.", "layers.{l}."), theirs.replace("blocks.0.", "blocks.{l}.")
            if ours.endswith("mlp.c_fc.weight"):
                names[pattern] = {"name": place, "transposed": True}
            elif any(f".{x}_proj" in ours for x in "qkv"):
                x = ours.split("_proj")[0][-1]
                names[pattern] = {"name": place.replace(f"{x}_proj", "qkv"), "part": "qkv".index(x), "parts": 3}
            else:
                names[pattern] = place
    state["step"] = torch.tensor([7])
    save_file(state, work / "state.safetensors")
    config = made.config.to_dict()
    (work / "map.json").write_text(json.dumps({"config": config, "tensors": names, "ignore": ["step"]}))
    shutil.rmtree(work / "imported", ignore_errors=True)
    run("import", work / "state.safetensors", "--map", work / "map.json", "--tokenizer", model_folder / "tokenizer.json",
        "--out", work / "imported")
    compare("imported by a map, logits", made, work / "imported")


def adapters():
    print("adapters of gt in peft, and of peft in gt")
    run("interop_adapt", model_folder, work / "adapter", work / "merged")
    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    theirs = PeftModel.from_pretrained(base, work / "adapter")
    compare("gt's adapter on the exported model, logits", theirs, work / "merged")

    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    model = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "c_fc"], task_type="CAUSAL_LM"))
    ids = torch.tensor([Tokenizer.from_file(str(model_folder / "tokenizer.json")).encode(TEXTS[0]).ids])
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    first = None
    for _ in range(10):
        loss = model(input_ids=ids, labels=ids).loss
        first = first if first is not None else loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    check("trained in peft", loss.item() < first, f"loss {first:.3f} -> {loss.item():.3f}")
    model.save_pretrained(work / "trained")
    run("import", model_folder, "--adapter", work / "trained", "--out", work / "with-trained")
    compare("peft's adapter merged here, logits", model, work / "with-trained")

    variants = {
        "all-linear": {"target_modules": "all-linear"},
        "the end of a path": {"target_modules": ["self_attn.q_proj"]},
        "whole paths": {"target_modules": ["model.layers.0.mlp.c_fc", "model.layers.1.self_attn.o_proj"]},
        "a pattern": {"target_modules": r".*\.(q_proj|mlp\.c_proj)"},
        "one block": {"target_modules": ["v_proj"], "layers_to_transform": [1]},
        "all but some": {"target_modules": "all-linear", "exclude_modules": ["c_fc"]},
        "rsLoRA, gaussian": {"target_modules": ["k_proj"], "use_rslora": True, "init_lora_weights": "gaussian"},
    }
    refused = {
        "PiSSA": ({"target_modules": ["q_proj"], "init_lora_weights": "pissa"}, "init_lora_weights"),
        "OLoRA": ({"target_modules": ["q_proj"], "init_lora_weights": "olora"}, "init_lora_weights"),
        "activated LoRA": ({"target_modules": ["q_proj"], "alora_invocation_tokens": [5, 6]}, "alora_invocation_tokens"),
        "an alpha of 0": ({"target_modules": ["q_proj"], "lora_alpha": 0}, "lora_alpha"),
        "DoRA": ({"target_modules": ["q_proj"], "use_dora": True}, "use_dora"),
    }

    def made(changes):
        shutil.rmtree(work / "trained", ignore_errors=True)
        base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
        model = get_peft_model(base, LoraConfig(**{"r": 4, "lora_alpha": 8, "task_type": "CAUSAL_LM", **changes}))
        with torch.no_grad():
            for n, p in model.named_parameters():
                if "lora_B" in n:
                    torch.nn.init.normal_(p, 0, 0.05)
        model.save_pretrained(work / "trained")
        return model

    for name, changes in variants.items():
        model = made(changes)
        shutil.rmtree(work / "with-trained", ignore_errors=True)
        run("import", model_folder, "--adapter", work / "trained", "--out", work / "with-trained")
        compare(f"peft's adapter, {name}", model, work / "with-trained")
    for name, (changes, field) in refused.items():
        made(changes)
        said = stderr_of("import", model_folder, "--adapter", work / "trained", "--out", work / "refused", fails=True)
        check(f"peft's adapter, {name}: refused by its name", field in said)


leaves()
comes_back()
adapters()
print(f"{'FAILED' if failed else 'passed'}: {failed} checks failed" if failed else "all checks passed")
sys.exit(1 if failed else 0)
