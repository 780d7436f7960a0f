#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""English sentences with their Russian or Chinese translations, from Debian packages.

    pairs.py lohelp|wesnoth ROOT ru|zh > pairs.tsv

prints them separated by a tab, sorted, each pair once. ROOT holds the unpacked packages, each in a folder of its name:
libreoffice-help-en-us with -ru or -zh-cn, or wesnoth-1.16-*. As a module it gives pairs with the file or campaign that
they are from: texts must be split for training and test by those, for neighbouring lines repeat.
"""

import gettext
import glob
import html
import os
import re
import sys

SCRIPTS = {"ru": re.compile("[\u0400-\u04ff]"), "zh": re.compile("[\u4e00-\u9fff]")}
LIBREOFFICE_LOCALES = {"en": ("en-us", "en-US"), "ru": ("ru", "ru"), "zh": ("zh-cn", "zh-CN")}
WESNOTH_LOCALES = {"ru": "ru", "zh": "zh_CN"}
PARAGRAPH = re.compile(r'<(p|h[1-6])\b[^>]*\bid="((?:par|hd)_[^"]+)"[^>]*>(.*?)</\1>', re.S)


def in_one_line(text):
    return " ".join(text.split())


def is_sentence_pair(english, translation, language):
    """At least five English words that end as a sentence does; a translation in the script of its language."""
    return (
        english.count(" ") >= 4
        and english[-1:] in '.!?:…"”'
        and bool(SCRIPTS[language].search(translation))
        and "\t" not in english + translation
    )


def libreoffice_paragraphs(root, language):
    """{(file, paragraph's id): text} of the help in one language."""
    package, locale = LIBREOFFICE_LOCALES[language]
    base = f"{root}/libreoffice-help-{package}/usr/share/libreoffice/help/{locale}"
    paragraphs = {}
    for path in sorted(glob.glob(base + "/text/**/*.html", recursive=True)):
        with open(path, encoding="utf-8") as file:
            page = file.read()
        page = page[max(0, page.find('id="DisplayArea"')) :]
        for match in PARAGRAPH.finditer(page):
            text = html.unescape(re.sub(r"<[^>]+>", "", match[3]))
            paragraphs[os.path.relpath(path, base), match[2]] = in_one_line(text)
    return paragraphs


def libreoffice_pairs(root, language):
    """(file, English, translation) of each paragraph that both have."""
    english = libreoffice_paragraphs(root, "en")
    for (path, name), translation in libreoffice_paragraphs(root, language).items():
        if (path, name) in english:
            yield path, english[path, name], translation


def wesnoth_pairs(root, language):
    """(campaign's catalogue, English, translation) of each message."""
    pattern = f"wesnoth-1.16-*/usr/share/games/wesnoth/1.16/locale/{WESNOTH_LOCALES[language]}/LC_MESSAGES/*.mo"
    for path in sorted(glob.glob(f"{root}/{pattern}")):
        with open(path, "rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog  # its only way to list messages
        for key, translation in catalogue.items():
            if isinstance(key, str) and isinstance(translation, str):
                # Before \x04 stands the message's context, before ^ the game's own.
                yield os.path.basename(path), in_one_line(re.split("[\x04^]", key)[-1]), in_one_line(translation)


SOURCES = {"lohelp": libreoffice_pairs, "wesnoth": wesnoth_pairs}


def sentence_pairs(source, root, language):
    """(file or campaign, English, translation) of each pair, sorted; a pair that is in several is of the first."""
    groups = {}
    for group, english, translation in SOURCES[source](root, language):
        if is_sentence_pair(english, translation, language):
            pair = (english, translation)
            groups[pair] = min(group, groups.get(pair, group))
    return [(groups[pair], *pair) for pair in sorted(groups)]


def main(arguments):
    if len(arguments) != 3 or arguments[0] not in SOURCES or arguments[2] not in SCRIPTS:
        sys.exit(__doc__.strip())
    source, root, language = arguments
    pairs = sentence_pairs(source, root, language)
    if not pairs:
        sys.exit(f"pairs.py: '{root}' must hold the unpacked packages of {source} for {language} (found no pair)")
    for _, english, translation in pairs:
        print(english, translation, sep="\t")


if __name__ == "__main__":
    main(sys.argv[1:])
