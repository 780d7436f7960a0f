# SPDX-License-Identifier: MIT
"""Grows a small model and compares it with the programs that its files are for; ./run test --interop calls this.

    compare.py BUILD WORK

BUILD: a build folder with programs/gt, tests/interop_dump and tests/interop_adapt.  WORK: a folder that is emptied.
GT_AUSTEN and GT_UNIFONT_HEX name a text and a font. What is needed from PyPI: requirements.txt.
"""
import os
import pathlib
import shutil
import subprocess
import sys

build, work = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
here = pathlib.Path(__file__).resolve().parent
shutil.rmtree(work, ignore_errors=True)
(work / "hugging-face").mkdir(parents=True)
text, model = os.environ["GT_AUSTEN"], work / "run/model"


def gt(*words):
    done = subprocess.run([build / "programs/gt", *words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}{done.stderr}gt: what is to be compared could not be made by: gt {' '.join(map(str, words))}")


gt("grow", "--corpus", text, "--out", work / "run", "--tokens", "200000", "--plan", "1+1", "--width", "64",
   "--heads", "4", "--vocab", "1024", "--context", "128")
files = [work / f"{kind}.gguf" for kind in ("f32", "f16", "bf16", "q8_0")]
for file in files:
    gt("export", model, "--gguf", file, "--type", file.stem)
for words in (["hugging_face.py", build, model, work / "hugging-face"],
              ["gguf.py", model, "--dump", build / "tests/interop_dump", "--text", text, *files]):
    if subprocess.run([sys.executable, here / words[0], *words[1:]]).returncode != 0:
        sys.exit(f"gt: tests/interop/{words[0]} found what differs; it stands above.")
