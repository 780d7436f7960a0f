# SPDX-License-Identifier: MIT
"""python.py FOLDER REQUIREMENTS: prints a Python that has what REQUIREMENTS names, in an environment FOLDER of its own.

GT_PIP, what pip shall install, and from where, takes the place of REQUIREMENTS. Where pip is told where packages come from,
they come from there alone.
"""
import os
import pathlib
import shutil
import subprocess
import sys

folder, requirements = map(pathlib.Path, sys.argv[1:])
python, has, wanted = folder / "bin/python", folder / "has.txt", requirements.read_text()
if not has.exists() or has.read_text() != wanted:
    words = wanted.split()
    print(f"gt: fetching from PyPI (once, some 300 MB): {' '.join(w for w in words if '==' in w)} ...", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, stdout=sys.stderr)
    told = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    if "index-url" in told or "find-links" in told:
        words = [line for line in wanted.splitlines() if not line.startswith("-")]
    if os.environ.get("GT_PIP"):
        words = os.environ["GT_PIP"].split()
    done = subprocess.run([python, "-m", "pip", "install", "-q", *words], stdout=sys.stderr)
    if done.returncode != 0:
        sys.exit("gt: the Python packages could not be installed; what pip said stands above. GT_PIP names other arguments.")
    has.write_text(wanted)
print(python)
