# SPDX-License-Identifier: MIT
"""sources.py format [--check] | tidy | docs | amalgamate [FILE]: what developers ask of the sources, for ./run.

GT_BUILD is the folder of what is built, GT_RUN_AS how the user called ./run, as it can be pasted, GT_VERSION the version.
"""
import os
import pathlib
import shutil
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
build = pathlib.Path(os.environ["GT_BUILD"])
what, *arguments = sys.argv[1:]


def ask(*command, **more):
    return subprocess.run(command, cwd=root, **more).returncode == 0


if what == "amalgamate":
    if len(arguments) > 1 or (arguments and (not arguments[0] or arguments[0].startswith("-"))):
        sys.exit(f"gt: amalgamate takes a FILE to write, not '{' '.join(arguments)}'.")
    file = pathlib.Path.cwd() / arguments[0] if arguments else build / "gt.hpp"
    told = subprocess.run(["cmake", "-D", f"FILE={file}", "-P", root / "tools/amalgamate.cmake"], capture_output=True, text=True)
    if told.returncode != 0:
        sys.exit("\n".join(line for line in told.stderr.splitlines() if line.startswith("gt: ")) or told.stderr)
    sys.exit(print(f"gt: the library as a single header: {file}", file=sys.stderr))

if what == "format" and arguments in ([], ["--check"]):
    formatter = shutil.which("clang-format-14") or "clang-format"
    folders = ("include", "programs", "tests", "examples", "benchmarks", "tools")
    files = sorted(f for folder in folders for f in (root / folder).rglob("*") if f.suffix in (".hpp", ".cuh", ".cpp", ".cu"))
    if not ask(formatter, *(["--dry-run", "--Werror"] if arguments else ["-i"]), *files):
        sys.exit(f"gt: not formatted as above; {os.environ['GT_RUN_AS']} format does it.")
elif arguments:
    sys.exit(f"gt: {what} takes {'nothing or --check' if what == 'format' else 'nothing'}, not '{' '.join(arguments)}'.")
elif what == "tidy":
    tidy = shutil.which("clang-tidy-14") or "clang-tidy"
    options = ("-std=c++20", "-Iinclude", "-idirafter", "/usr/include/eigen3")
    sys.exit(0 if ask(tidy, "--quiet", "tests/headers/umbrella.cpp", "--", *options) else 1)
elif what == "docs":
    shutil.rmtree(build / "docs", ignore_errors=True)
    (build / "docs").mkdir(parents=True)
    if not ask("doxygen", "docs/Doxyfile", env=os.environ | {"GT_DOCS": str(build / "docs")}):
        sys.exit("gt: the reference has gaps or mistakes, which stand above; every public name needs its /// comment.")
    print(f"gt: the API reference: {build}/docs/html/index.html", file=sys.stderr)
