#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Extracts plain text in one language from pages of HTML, as LibreOffice's help has them.

    help_text.py en|ru|zh FOLDER > text

One block of text a line, in NFC, white space collapsed, exact duplicates dropped; a line stays if its script is that of
the language. Code is left out. Files are walked in sorted order, so that one version of a package gives one text. Its
size and SHA-256 go to stderr. Needs the standard library alone.
"""

import hashlib
import os
import re
import sys
import unicodedata
from html.parser import HTMLParser

# Elements that end a line, and those whose text is left out.
BLOCKS = set(
    "p para simpara term item entry desc info li td th h1 h2 h3 h4 h5 h6 dt dd pre br tr table ul ol dl blockquote"
    " title caption figcaption div section article body".split()
)
LEFT_OUT = {"script", "style", "pre", "nav", "head", "screen", "programlisting", "code-block"}

HAN = "\u3400-\u4dbf\u4e00-\u9fff"
HAN_OR_MARK = HAN + "，。、；：？！（）《》“”「」"
IS_CYRILLIC, IS_HAN, IS_LATIN = re.compile("[\u0400-\u04ff]"), re.compile(f"[{HAN}]"), re.compile("[A-Za-z]")


class Blocks(HTMLParser):
    """Collects the text of a page, block by block, in `lines`."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.lines, self.words, self.left_out = [], [], []

    def end_line(self):
        line = " ".join("".join(self.words).split())
        self.words = []
        if line:
            self.lines.append(line)

    def handle_starttag(self, tag, attrs):
        if tag in LEFT_OUT:
            self.end_line()
            self.left_out.append(tag)
        elif tag in BLOCKS:
            self.end_line()

    def handle_endtag(self, tag):
        if self.left_out and tag == self.left_out[-1]:
            self.left_out.pop()
        elif tag in BLOCKS:
            self.end_line()

    def handle_data(self, data):
        if not self.left_out:
            self.words.append(data)


def lines_of(path):
    with open(path, "rb") as file:
        page = file.read().decode("utf-8", "replace")
    blocks = Blocks()
    blocks.feed(page)
    blocks.close()
    blocks.end_line()
    return blocks.lines


def belongs(line, language):
    letters = len(line.replace(" ", ""))
    cyrillic, han, latin = (len(kind.findall(line)) for kind in (IS_CYRILLIC, IS_HAN, IS_LATIN))
    if language == "ru":
        return cyrillic >= 0.5 * letters and len(line) >= 12
    if language == "zh":
        return han >= 0.35 * letters and han >= 6
    return latin >= 0.7 * letters and len(line) >= 25 and not cyrillic + han and line.count(" ") >= 3


def pages_of(folder):
    for where, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.join(where, name)
            if re.search(r"\.x?html?$", name) and not os.path.islink(path):
                yield path


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("en", "ru", "zh"):
        sys.exit("usage: help_text.py en|ru|zh FOLDER > text")
    language, folder = sys.argv[1:]
    seen, size, digest = set(), 0, hashlib.sha256()
    for path in pages_of(folder):
        for line in lines_of(path):
            line = " ".join(unicodedata.normalize("NFC", line).split())
            if language == "zh":
                line = re.sub(f"(?<=[{HAN_OR_MARK}]) (?=[{HAN_OR_MARK}])", "", line)
            if not line or line in seen or not belongs(line, language):
                continue
            seen.add(line)
            data = (line + "\n").encode()
            size += len(data)
            digest.update(data)
            sys.stdout.buffer.write(data)
    if not seen:
        sys.exit(f"help_text.py: '{folder}' must hold pages of HTML in the language {language} (found no line of it)")
    print(f"{language}: {len(seen)} lines, {size} bytes, SHA-256 {digest.hexdigest()[:12]}", file=sys.stderr)


if __name__ == "__main__":
    main()
