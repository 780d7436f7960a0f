#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes include/gt/text/upper_case_table.hpp from the Unicode data of the Python that runs it.

    python3 tools/eval/upper_case.py > include/gt/text/upper_case_table.hpp
"""

import unicodedata


def text(value):
    return '"' + "".join(f"\\x{byte:02x}" for byte in value.encode()) + '"'


def table(what, entries):
    print(f"inline constexpr {what}[] = {{  // ascending")
    line = "   "
    for entry in entries:
        if len(line) + len(entry) + 2 > 120:
            print(line)
            line = "   "
        line += f" {entry},"
    print(line + "\n};\n")


def main():
    simple, longer = [], []
    for code in range(0x110000):
        upper = chr(code).upper() if not 0xD800 <= code < 0xE000 else chr(code)
        if upper == chr(code):
            continue
        if len(upper) == 1:
            simple.append((code, ord(upper) - code))
        else:
            longer.append((code, upper))
    ranges = []  # [first, last, step, shift]: of equal shift, each `step` behind the one before
    for code, shift in simple:
        if ranges and ranges[-1][3] == shift:
            first, last, step, _ = ranges[-1]
            if code - last <= 2 and (first == last or step == code - last):
                ranges[-1][1:3] = [code, code - last]
                continue
        ranges.append([code, code, 1, shift])
    print("// SPDX-License-Identifier: MIT")
    print(f"// Upper case by Unicode {unicodedata.unidata_version}. Made by tools/eval/upper_case.py: do not edit.")
    print("// clang-format off")
    print("#pragma once\n\n#include <cstdint>\n\nnamespace gt::detail {\n")
    print("// Code points `first`, `first + step`, ... `last`, whose upper case lies `shift` behind each.")
    print("struct CaseRange {\n  char32_t first, last;\n  std::int32_t step, shift;\n};\n")
    print("// A code point whose upper case is several.")
    print("struct CaseExpansion {\n  char32_t from;\n  char const* to;\n};\n")
    table("CaseRange upper_case_ranges", [f"{{0x{a:X}, 0x{b:X}, {n}, {shift}}}" for a, b, n, shift in ranges])
    table("CaseExpansion upper_case_expansions", [f"{{0x{code:X}, {text(upper)}}}" for code, upper in longer])
    print("}  // namespace gt::detail")


if __name__ == "__main__":
    main()
