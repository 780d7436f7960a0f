#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes evaluation sets from Debian packages, as JSON lines that `./run eval` reads (docs/evaluation.md).

    debian_sets.py FOLDER [capitals] [glosses] [libreoffice] [wesnoth]

Without a name all but wesnoth, whose packages are 283 MB. Packages are fetched with `apt-get download` into
FOLDER/packages (once; the lists must be there: apt-get update), unpacked with dpkg-deb, and not installed. The same
packages give the same files: what is drawn is drawn by SHA-256.

  capitals     which city is the capital: en, ru, zh (kgeography-data)
  glosses      which word has that meaning: en (wordnet-base)
  libreoffice  sentences of the help and their translations, en-ru and en-zh, both ways: train and test, split by page
  wesnoth      the same from the game's texts, split by campaign
"""

import argparse
import glob
import gettext
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "corpus"))
import pairs  # noqa: E402

PACKAGES = {
    "capitals": ["kgeography-data"],
    "glosses": ["wordnet-base"],
    "libreoffice": ["libreoffice-help-en-us", "libreoffice-help-ru", "libreoffice-help-zh-cn"],
    "wesnoth": ["wesnoth-1.16-*"],
}
LANGUAGES = {"ru": "Russian", "zh": "Chinese"}
CHOICES = 4
GLOSSES = 2000  # of some 100,000
TEST_SHARE = 0.1  # of the pages or campaigns


def drawn(*what):
    """A number below 2^256 that depends on nothing but `what`."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, what)).encode()).digest(), "big")


def output_of(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options).stdout


def fetch(folder, names):
    """Unpacks packages that are not there yet, each into a folder of its name."""
    os.makedirs(folder, exist_ok=True)
    for name in names:
        wanted = [name]
        if "*" in name:
            wanted = sorted(output_of("apt-cache", "pkgnames", name.rstrip("*")).split())
        for package in wanted:
            place = os.path.join(folder, package)
            if os.path.isdir(place):
                continue
            print(f"fetching {package} ...", file=sys.stderr)
            fetched = place + ".fetched"
            shutil.rmtree(fetched, ignore_errors=True)
            os.makedirs(fetched)
            # As root apt would fetch as a user that may not write here.
            output_of("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package, cwd=fetched)
            archive = glob.glob(os.path.join(fetched, "*.deb"))[0]
            output_of("dpkg-deb", "-x", archive, fetched)
            os.remove(archive)
            os.rename(fetched, place)


def write(folder, name, records):
    """Writes a file whole or not at all, and says how much is in it."""
    if not records:
        sys.exit(f"debian_sets.py: {name} would be empty: has the package another layout?")
    path = os.path.join(folder, name)
    with open(path + ".tmp", "w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    os.replace(path + ".tmp", path)
    print(f"{len(records):7}  {path}")


def with_choices(question, right, wrong, key):
    """A question whose options are the right one and the first three of `wrong`, in a drawn order."""
    choices = sorted([right, *wrong[: CHOICES - 1]], key=lambda choice: drawn("order", key, choice))
    return {"question": question, "choices": choices, "answer": choices.index(right)}


# --- Capitals --------------------------------------------------------------------------------------------------------

CAPITAL_QUESTIONS = {
    "en": "Which city is the capital of {}?",
    "ru": "{}: какой город является столицей или административным центром?",
    "zh": "{}的首都或首府是哪座城市？",
}


def capitals_of(root):
    """(map, [(region, capital)]) of each map, the world first."""
    maps = glob.glob(f"{root}/kgeography-data/usr/share/kgeography/*.kgm")
    for path in sorted(maps, key=lambda path: (os.path.basename(path) != "world.kgm", path)):
        regions = []
        for division in xml.etree.ElementTree.parse(path).getroot().iter("division"):
            name, capital = division.findtext("name"), division.findtext("capital")
            if name and capital:
                regions.append((name.strip(), capital.strip()))
        if regions:
            yield os.path.basename(path), regions


def catalogue(root, language):
    """What translates (map, text), or gives None; English stands as it is."""
    if language == "en":
        return lambda _, text: text
    locale = {"ru": "ru", "zh": "zh_CN"}[language]
    with open(f"{root}/kgeography-data/usr/share/locale/{locale}/LC_MESSAGES/kgeography.mo", "rb") as file:
        messages = gettext.GNUTranslations(file)

    def translated(name, text):
        found = messages.pgettext(name, text)
        return found if pairs.SCRIPTS[language].search(found) else None

    return translated


def make_capitals(root, folder):
    for language, question in CAPITAL_QUESTIONS.items():
        translate = catalogue(root, language)
        records, asked = [], set()
        for name, regions in capitals_of(root):
            known = [(translate(name, region), translate(name, capital)) for region, capital in regions]
            known = [(region, capital) for region, capital in known if region and capital]
            for region, capital in known:
                if (region, capital) in asked or capital.casefold() in region.casefold():
                    continue  # asked on another map, or answered by the question
                right = {c for r, c in known if r == region}
                wrong = sorted({c for _, c in known} - right, key=lambda c: drawn("capital", language, name, region, c))
                if len(wrong) >= CHOICES - 1:
                    asked.add((region, capital))
                    record = with_choices(question.format(region), capital, wrong, (language, name, region))
                    records.append({**record, "subject": name.removesuffix(".kgm")})
        write(folder, f"capitals.{language}.jsonl", records)


# --- Glosses ---------------------------------------------------------------------------------------------------------


def synsets(root, part):
    """(words, gloss without its examples) of each synset of one part of speech."""
    with open(f"{root}/wordnet-base/usr/share/wordnet/data.{part}", encoding="utf-8") as file:
        for line in file:
            if line.startswith("  "):
                continue  # the licence
            facts, _, gloss = line.partition(" | ")
            fields = facts.split()
            words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
            # Adjectives may end in a syntactic marker, (a), (p) or (ip); examples are in quotes behind the gloss.
            words = [re.sub(r"\((a|p|ip)\)$", "", word).replace("_", " ") for word in words]
            yield words, re.split(r';\s*"', gloss)[0].strip().rstrip(";")


def make_glosses(root, folder):
    candidates = []
    for part in ("noun", "verb", "adj", "adv"):
        entries = list(synsets(root, part))
        for words, gloss in entries:
            told = gloss.casefold()
            if gloss and not any(word.casefold() in told for word in words):
                candidates.append((drawn("gloss", part, gloss, words[0]), part, words, gloss, entries))
    candidates.sort(key=lambda candidate: candidate[0])
    records = []
    for _, part, words, gloss, entries in candidates[:GLOSSES]:
        wrong, turn = [], 0
        while len(wrong) < CHOICES - 1:
            others, _ = entries[drawn("wrong", part, gloss, words[0], turn) % len(entries)]
            turn += 1
            if others[0] not in wrong and not set(others) & set(words):
                wrong.append(others[0])
        record = with_choices(f"Which word or phrase means: {gloss}?", words[0], wrong, (part, gloss))
        records.append({**record, "subject": part})
    write(folder, "glosses.en.jsonl", records)


# --- Translations ----------------------------------------------------------------------------------------------------


def make_translations(source, name, root, folder):
    found = {language: pairs.sentence_pairs(source, root, language) for language in ("ru", "zh")}
    groups = {group for sentences in found.values() for group, _, _ in sentences}
    groups = sorted(groups, key=lambda group: drawn("split", name, group))
    tested = set(groups[: max(1, round(TEST_SHARE * len(groups)))])  # the same pages in all languages
    for language, sentences in found.items():
        train = [(english, other) for group, english, other in sentences if group not in tested]
        seen = {text for pair in train for text in pair}
        test = [(english, other) for group, english, other in sentences if group in tested]
        test = [(english, other) for english, other in test if english not in seen and other not in seen]
        for part, chosen in (("train", train), ("test", test)):
            forward = [{"source": a, "target": b, "from": "English", "to": LANGUAGES[language]} for a, b in chosen]
            backward = [{"source": b, "target": a, "from": LANGUAGES[language], "to": "English"} for a, b in chosen]
            write(folder, f"{name}.en-{language}.{part}.jsonl", forward)
            write(folder, f"{name}.{language}-en.{part}.jsonl", backward)


def make(name, root, folder):
    if name == "capitals":
        make_capitals(root, folder)
    elif name == "glosses":
        make_glosses(root, folder)
    else:
        make_translations({"libreoffice": "lohelp"}.get(name, name), name, root, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(PACKAGES))
    arguments = parser.parse_args()
    unknown = [name for name in arguments.sets if name not in PACKAGES]
    if unknown:
        parser.error(f"there is no set '{unknown[0]}'; there are {', '.join(PACKAGES)}")
    root = os.path.join(arguments.folder, "packages")
    for name in arguments.sets or [name for name in PACKAGES if name != "wesnoth"]:
        try:
            fetch(root, PACKAGES[name])
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"debian_sets.py: the packages of {name} could not be fetched: {error} (apt-get update? a network?)")
        make(name, root, arguments.folder)


if __name__ == "__main__":
    main()
