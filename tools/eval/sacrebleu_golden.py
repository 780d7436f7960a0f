#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes what sacreBLEU says of a few awkward sentences, for tests/eval/sacrebleu_golden.hpp.

    python3 -m venv venv && venv/bin/pip install sacrebleu==2.6.0
    venv/bin/python tools/eval/sacrebleu_golden.py > tests/eval/sacrebleu_golden.hpp

With --check FILE it reads lines of HYPOTHESIS <TAB> REFERENCE and prints the nine scores of each, and of all together.
"""

import sys

import sacrebleu

TOKENIZERS = ("13a", "zh", "char", "none")

# A hypothesis and its references: marks, numbers, entities, white space, Russian, Chinese, short, long, nothing.
ROWS = [
    ("The cat sat on the mat.", ["The cat sat on the mat."]),
    ("The cat sits on a mat .", ["The cat sat on the mat.", "A cat was sitting on the mat."]),
    ("A dog runs home quickly.", ["The dog ran back fast today.", "A dog runs home."]),
    ("the the the the the the the", ["the cat is on the mat", "there is a cat on the mat"]),
    ("It costs $3,141.59, e.g. at 10-12 o'clock...", ["It costs $3,141.59 at 10-12 o'clock, e.g. today..."]),
    ("&quot;Tom &amp; Jerry&quot; &lt;1940&gt;", ["\"Tom & Jerry\" <1940>"]),
    ("x&amp;lt;y", ["x<y and more words"]),
    ("a well-\nknown line\nbreak <skipped>here", ["a wellknown line break here"]),
    ("  tabs\tand\u00a0wide\u3000spaces  ", ["tabs and wide spaces"]),
    ("one", ["one"]),
    ("one two", ["one two three"]),
    ("nothing in common", ["zzz"]),
    ("", ["some reference"]),
    ("some hypothesis", [""]),
    ("", [""]),
    ("a, b. c; d: e! f? (g) [h] {i} 'j' *k* 3.5,2-1 -7",
     ["a , b . c ; d : e ! f ? ( g ) [ h ] { i } 'j' k 3.5 2-1 -7"]),
    ("..,,.,5.,5..a,.", [".., , ., 5. ,5. .a ,."]),
    ("Мама мыла раму, а папа читал газету.", ["Мама мыла раму, пока папа читал свежую газету."]),
    ("«Война и мир» — роман Л. Н. Толстого", ["«Война и мир» — это роман Льва Толстого."]),
    ("我爱北京天安门。", ["我爱北京的天安门!", "我愛北京天安門。"]),
    ("这是GT-2.0版，2026年11月发布。", ["这是 GT-2.0 版, 于2026年11月发布。"]),
    ("“引号”—破折号…→∑𠀀〇", ["“引號”——破折号…→∑𠀀〇"]),
    ("(hi) !! (a b) c.", ["(hi) ! (a b) c. !"]),
    ("a b c d e f g h i j k l m n o p", ["a b c d x f g h i y k l m n o p q r s t u v w"]),
    ("naïve café Ǆ ß ﬁ", ["naïve cafe Ǆ ss fi"]),
]


def text(value):
    """A C++ string literal; what is not plain ASCII as octal escapes, which end after three digits."""
    out = []
    for byte in value.encode():
        char = chr(byte)
        out.append(char if 32 <= byte < 127 and char not in '"\\?' else f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def sentence_scores(hypothesis, references):
    scores = [sacrebleu.sentence_bleu(hypothesis, references, tokenize=t).score for t in TOKENIZERS]
    for method in ("none", "floor", "add-k"):
        scores.append(sacrebleu.sentence_bleu(hypothesis, references, smooth_method=method).score)
    scores += [sacrebleu.sentence_chrf(hypothesis, references, word_order=n).score for n in (0, 2)]
    return scores


def corpus_scores(hypotheses, references):
    scores = [sacrebleu.corpus_bleu(hypotheses, references, tokenize=t).score for t in TOKENIZERS]
    for method in ("none", "floor", "add-k"):
        scores.append(sacrebleu.corpus_bleu(hypotheses, references, smooth_method=method).score)
    scores += [sacrebleu.corpus_chrf(hypotheses, references, word_order=n).score for n in (0, 2)]
    return scores


def numbers(scores):
    return "{" + ", ".join(repr(float(score)) for score in scores) + "}"


def golden():
    print("// SPDX-License-Identifier: MIT")
    print(f"// What sacreBLEU {sacrebleu.__version__} says. Made by tools/eval/sacrebleu_golden.py: do not edit.")
    print("// clang-format off")
    print("#pragma once\n\n#include <array>\n#include <string>\n#include <vector>\n\nnamespace gt::test {\n")
    print("/// BLEU with the tokenizers 13a, zh, char, none; 13a smoothed by none, floor, add-k; chrF; chrF++.")
    print("using GoldenScores = std::array<double, 9>;\n")
    print("struct Golden {\n  std::string hypothesis;\n  std::vector<std::string> references;")
    print("  GoldenScores scores;\n};\n")
    print("inline std::vector<Golden> const golden_sentences{")
    for hypothesis, references in ROWS:
        joined = ", ".join(text(reference) for reference in references)
        print(f"    {{{text(hypothesis)}, {{{joined}}},\n     {numbers(sentence_scores(hypothesis, references))}}},")
    print("};\n")
    hypotheses = [hypothesis for hypothesis, _ in ROWS]
    first = [[references[0] for _, references in ROWS]]
    both = first + [[references[1] if len(references) > 1 else None for _, references in ROWS]]
    print("/// Of all sentences together, each with its first reference alone, and with all of them.")
    print(f"inline GoldenScores const golden_corpus_of_one{numbers(corpus_scores(hypotheses, first))};")
    print(f"inline GoldenScores const golden_corpus_of_all{numbers(corpus_scores(hypotheses, both))};")
    print("\n}  // namespace gt::test")


def check(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        pairs = [line.rstrip("\n").split("\t") for line in file]
    for hypothesis, reference in pairs:
        print(*(repr(float(score)) for score in sentence_scores(hypothesis, [reference])))
    print(*(repr(float(score)) for score in corpus_scores([a for a, _ in pairs], [[b for _, b in pairs]])))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        golden()
    elif len(sys.argv) == 3 and sys.argv[1] == "--check":
        check(sys.argv[2])
    else:
        sys.exit(__doc__)
