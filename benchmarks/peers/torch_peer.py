# SPDX-License-Identifier: MIT
"""Times PyTorch by turns with gt: for every row that it has an equal of, gt's program and PyTorch run one after the other,
several times, on as many threads, each on its own memory. Writes medians as JSON, which bench_report reads."""
import argparse
import glob
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import torch

import torch_model
import torch_ops

models = ("step", "step_bf16", "tiny", "stage", "generate", "prompt")  # rows of whole models
policy = "GT_PEER_POLICY"  # set in the process that measures


class Gt:
    """A benchmark program that runs its cases when asked to."""

    def __init__(self, program):
        others = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
        environment = {**others, "GOMP_SPINCOUNT": "5000"}  # as ./run has it
        self.process = subprocess.Popen([program, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "gt ended"}')
        if "error" in answer:
            raise RuntimeError(f"gt: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def seconds_of(run, enough):
    """Times of single runs, for `enough` seconds, one of them at least."""
    seconds = []
    while not seconds or sum(seconds) < enough:
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds


def choose_wait_policy():
    """Starts this program again so that PyTorch's idle threads spin or sleep, whichever is faster here: OpenMP reads it
    when it is loaded. Spinning wins on an idle machine and loses by far on a busy one."""
    code = ("import time, torch; x = torch.rand(512, 256); m = torch.nn.Sequential(torch.nn.LayerNorm(256), "
            "torch.nn.Linear(256, 1024), torch.nn.GELU(), torch.nn.Linear(1024, 256)); s = []\n"
            "for _ in range(300): t = time.perf_counter(); m(x); s.append(time.perf_counter() - t)\n"
            "print(sorted(s)[150])")
    spinning = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    asleep = {**spinning, "OMP_WAIT_POLICY": "passive"}
    took = [min(float(subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True).stdout)
                for _ in range(2)) for env in (asleep, spinning)]
    name, environment = ("passive", asleep) if took[0] <= took[1] else ("default", spinning)
    os.execve(sys.executable, [sys.executable, *sys.argv], {**environment, policy: name})


def best_threads(run, threads):
    """1 where that many are no faster, as for small work: PyTorch shall run as fast as it can."""
    torch.set_num_threads(threads)
    if min(seconds_of(run, 0.02)) > 0.02:
        return threads
    fastest = {}
    for n in (threads, 1, threads, 1):
        torch.set_num_threads(n)
        run()
        fastest[n] = min(fastest.get(n, 1e9), min(seconds_of(run, 0.1)))
    return min(fastest, key=fastest.get)


def runners_of(row, gt, folder):
    """{name: function} of PyTorch's ways to do the row, each verified; empty where it has none."""
    op, n, threads = row["op"], row["sizes"], row["threads"]
    runners = {}

    def attempt(name, make):
        try:
            runners[name] = make()
        except Exception as error:  # a way that does not work, or is wrong, has no column
            print(f"{row['name']}: no {name}: {str(error).splitlines()[0][:200]}", file=sys.stderr)

    if op in models:
        path = os.path.join(folder, "model.safetensors")
        gt.ask("case " + row["name"].replace("step_bf16", "step"))  # what PyTorch's bf16 must agree with is of fp32
        gt.ask("write " + path)
        weights = torch_model.read_safetensors(path)
        os.remove(path)

        def training(mode):
            t = torch_model.Training(n, weights, mode, n["L"] - 3 if op == "stage" else 0)
            t.verify(weights)
            return t.step

        def talk(mode):
            t = torch_model.Talk(n, weights, mode)
            t.verify(weights, op == "prompt")
            return t.read if op == "prompt" else t.feed

        make = talk if op in ("generate", "prompt") else training
        torch.set_num_threads(threads)
        for mode in row["modes"]:
            name = "PyTorch bf16" if "bf16" in mode else "PyTorch " + mode
            attempt(name, lambda: make(mode))
            if mode == "eager" and threads > 1 and name in runners:
                torch.set_num_threads(best_threads(runners[name], threads))
        if op == "step_bf16":
            gt.ask("case " + row["name"])
    elif run := torch_ops.op_of(op, n):
        gt.ask("case " + row["name"])
        torch.set_num_threads(best_threads(run, threads) if threads > 1 else 1)
        runners["PyTorch eager"] = run
        if op in torch_ops.fusible:

            def compiled():
                torch._dynamo.reset()
                code = torch.compile(run)
                code()
                return code

            attempt("PyTorch compile", compiled)
    return runners


def measure(row, gt, folder, rounds, enough):
    runners = runners_of(row, gt, folder)
    if not runners:
        return None
    runners["gt"] = None
    for name, run in runners.items():
        if run:
            run()
    names = list(runners)
    times = {name: [] for name in names}
    begin = time.perf_counter()
    for turn in range(rounds):
        if turn >= 3 and time.perf_counter() - begin > 15:
            break
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            run = runners[name]
            times[name] += seconds_of(run, enough) if run else gt.ask(f"time {enough}")["seconds"]
    seconds = {name: statistics.median(t) for name, t in times.items()}
    return {"name": row["name"], "threads": torch.get_num_threads(), "seconds": seconds}


def rows_in(folder):
    """What was measured and PyTorch has an equal of, with the sizes in its name; of one case the row with the most threads."""
    rows = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(path, encoding="utf-8") as file:
            for entry in json.load(file).get("benchmarks", []):
                match = re.fullmatch(r"(\w+)/cpu:(\d+)/(.*)", entry["name"])
                if not match or entry.get("error_occurred") or match[1] not in models + torch_ops.names:
                    continue
                op, threads, shape = match[1], int(match[2]), match[3]
                sizes = {letter: int(size) for letter, size in re.findall(r"([A-Za-z]+)(\d+)", shape)}
                program = "bench_" + os.path.splitext(os.path.basename(path))[0]
                row = {"name": entry["name"], "op": op, "threads": threads, "sizes": sizes, "program": program}
                if threads >= rows.get((op, shape), row)["threads"]:
                    rows[op, shape] = row
    for (op, shape), row in rows.items():  # bf16 beside gt's bf16, or beside fp32 where gt has none
        twin = op == "step" and ("step_bf16", shape) in rows
        row["modes"] = ["bf16 compile"] if op == "step_bf16" else ["eager", "compile"] + ["bf16 compile"] * (not twin)
    return list(rows.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="the folder of gt's benchmark programs")
    parser.add_argument("--rows", required=True, help="the folder of what they have measured, as JSON")
    parser.add_argument("--out", required=True, help="the file to write")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    parser.add_argument("--seconds", type=float, default=0.3, help="of each in a turn")
    options = parser.parse_args()
    if policy not in os.environ:
        choose_wait_policy()
    warnings.filterwarnings("ignore")
    torch.manual_seed(1)
    rows, done, gt, program = rows_in(options.rows), [], None, None
    with tempfile.TemporaryDirectory() as folder:
        for i, row in enumerate(rows):
            end = "" if sys.stderr.isatty() else "\n"
            start = "\r\033[K" if sys.stderr.isatty() else ""
            print(f"{start}gt: beside PyTorch: {i + 1} of {len(rows)} {row['name']}", end=end, file=sys.stderr, flush=True)
            if program != row["program"]:
                if gt:
                    gt.close()
                gt, program = Gt(os.path.join(options.programs, row["program"])), row["program"]
            try:
                result = measure(row, gt, folder, options.rounds, options.seconds)
            except (RuntimeError, KeyError, TypeError) as error:
                print(f"{start}{row['name']}: {error}", file=sys.stderr)
                continue
            if result:
                done.append(result)
    if gt:
        gt.close()
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    versions = {
        "PyTorch": f"{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}; fused AdamW, "
                   "scaled_dot_product_attention; eager, compile, bf16: compiled with autocast, or "
                   "of bf16 weights for generation; one thread where more are slower; "
                   f"OMP_WAIT_POLICY {os.environ[policy]}",
    }
    with open(options.out, "w", encoding="utf-8") as file:
        json.dump({"versions": versions, "rows": done}, file, indent=1)


if __name__ == "__main__":
    main()
