#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Converts published benchmarks to the JSON lines that `./run eval` reads (docs/evaluation.md), on standard output.

    convert.py mmlu FILE...                   MMLU: SUBJECT_test.csv as Hendrycks et al. publish it, or JSON lines with
                                              the keys input, A, B, C, D, target (lukaemon/mmlu); the subject is the
                                              file's name
    convert.py arc FILE...                    ARC: JSON lines, as the Allen Institute or Hugging Face has them
    convert.py commonsense_qa FILE...         CommonsenseQA: the same two forms
    convert.py squad FILE...                  SQuAD v1.1 or v2.0: JSON; questions without an answer are left out
    convert.py opus SOURCE TARGET FROM TO     OPUS-100: two files, a sentence a line; FROM and TO as English, Russian

Nothing is printed unless all of it is sound; what is not is named with its file and line.
"""

import csv
import json
import os
import sys


class Unfit(Exception):
    """What is wrong with the input, as a sentence."""


def read(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise Unfit(f"'{path}' must be a readable UTF-8 file ({error})") from None


def parse(text, where):
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unfit(f"{where} must be valid JSON ({error})") from None


def json_lines(path):
    """(place, value) of each line."""
    for number, line in enumerate(read(path).split("\n"), 1):
        if line.strip():
            where = f"'{path}', line {number},"
            yield where, parse(line, where)


def field(value, key, kind, where):
    """value[key], which must be there and a `kind`."""
    if not isinstance(value, dict) or not isinstance(value.get(key), kind):
        name = {str: "a string", list: "a list", dict: "an object"}[kind]
        raise Unfit(f"{where} must have the key '{key}' with {name}")
    return value[key]


def multiple_choice(question, choices, labels, right, subject, where):
    if right not in labels:
        raise Unfit(f"{where} must name its right option among {', '.join(labels)} (got '{right}')")
    if len(choices) < 2 or not all([question.strip(), *(choice.strip() for choice in choices)]):
        raise Unfit(f"{where} must have a question and at least two options, none of them empty")
    record = {"question": question, "choices": choices, "answer": labels.index(right)}
    if labels != [chr(ord("A") + i) for i in range(len(choices))]:
        record["labels"] = labels
    return {**record, "subject": subject} if subject else record


def mmlu(paths):
    letters = ["A", "B", "C", "D"]
    for path in paths:
        subject = os.path.splitext(os.path.basename(path))[0]
        for ending in ("_test", "_val", "_dev"):
            subject = subject.removesuffix(ending)
        if path.endswith(".csv"):
            rows = csv.reader(read(path).splitlines(keepends=True))
            for row in rows:
                where = f"'{path}', line {rows.line_num},"
                if len(row) != 6:
                    raise Unfit(f"{where} must have six columns: question, A, B, C, D, answer (got {len(row)})")
                yield multiple_choice(row[0], row[1:5], letters, row[5].strip(), subject, where)
        else:
            for where, value in json_lines(path):
                choices = [field(value, letter, str, where) for letter in letters]
                right = field(value, "target", str, where).strip()
                yield multiple_choice(field(value, "input", str, where), choices, letters, right, subject, where)


def labelled(paths):
    """ARC and CommonsenseQA: {"question": {"stem", "choices": [{"label", "text"}]}, "answerKey"} as their authors have
    it, or {"question", "choices": {"label": [...], "text": [...]}, "answerKey"} as Hugging Face has it."""
    for path in paths:
        for where, value in json_lines(path):
            if isinstance(value, dict) and isinstance(value.get("question"), dict):
                question = field(value["question"], "stem", str, where)
                options = field(value["question"], "choices", list, where)
                choices = [field(option, "text", str, where) for option in options]
                labels = [field(option, "label", str, where) for option in options]
            else:
                question = field(value, "question", str, where)
                options = field(value, "choices", dict, where)
                choices, labels = field(options, "text", list, where), field(options, "label", list, where)
                if len(choices) != len(labels) or not all(isinstance(text, str) for text in choices + labels):
                    raise Unfit(f"{where} must have as many labels as choices, all of them strings")
            yield multiple_choice(question, choices, labels, field(value, "answerKey", str, where), "", where)


def squad(paths):
    for path in paths:
        where = f"'{path}'"
        for article in field(parse(read(path), where), "data", list, where):
            for paragraph in field(article, "paragraphs", list, where):
                context = field(paragraph, "context", str, where)
                for question in field(paragraph, "qas", list, where):
                    answers = [field(answer, "text", str, where) for answer in field(question, "answers", list, where)]
                    answers = list(dict.fromkeys(answer for answer in answers if answer.strip()))
                    if answers and not question.get("is_impossible"):
                        text = field(question, "question", str, where)
                        yield {"context": context, "question": text, "answers": answers}


def opus(arguments):
    if len(arguments) != 4:
        raise Unfit("opus needs SOURCE TARGET FROM TO, two files and two languages")
    source, target, source_language, target_language = arguments
    sides = [read(path).removesuffix("\n").split("\n") for path in (source, target)]
    if len(sides[0]) != len(sides[1]):
        raise Unfit(f"'{source}' and '{target}' must have as many lines (got {len(sides[0])} and {len(sides[1])})")
    for left, right in zip(*sides):
        left, right = left.strip(), right.strip()
        if left and right:
            yield {"source": left, "target": right, "from": source_language, "to": target_language}


FORMATS = {"mmlu": mmlu, "arc": labelled, "commonsense_qa": labelled, "squad": squad, "opus": opus}


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in FORMATS:
        sys.exit(__doc__.strip())
    try:
        records = list(FORMATS[arguments[0]](arguments[1:]))
        if not records:
            raise Unfit("there must be at least one record (got none)")
    except Unfit as error:
        sys.exit(f"convert.py: {error}")
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for record in records:
        print(json.dumps(record, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
