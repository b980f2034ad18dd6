"""Writes test/golden/lm-eval-gsm8k.json: texts with answers, and whether lm-evaluation-harness calls them right.

    pip download --no-deps lm-eval==0.4.13 && python3 tools/golden/lm_eval_gsm8k.py lm_eval-0.4.13-py3-none-any.whl

Stop sequences, patterns and ignored expressions are read from the wheel's tasks/gsm8k/gsm8k.yaml, and filter and metric are run from
its own source; no other part of the package is imported. Needs NumPy and PyYAML.
"""

import ast
import json
import random
import re
import sys
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

WORDS = ["so", "the total is", "16", "3,000", "$18", "$1,234.50", "-7", "0.5", ".", ",", "$", "\n", "\r\n", " ", "\t", "####"]
WORDS += ["#### ", "#### 16", "#### -7", "#### 3,000", "#### $18", "#### 18.", "####18", "#### 1 2", "Question:", "</s>", "<|im_end|>"]
WORDS += ["12.", "12,", "--5", "- 5", "1/2", "50%", "[invalid]", "\u0663", "\u00a0", "A", "\\boxed{16}", "5.\n", "16\n", "#### 16\n", "..", ",,"]
ANSWERS = ["#### 16", "so 8 + 8 = <<8+8=16>>16\n#### 16", "#### 3,000", "3000", "18", "$18", "-7", "#### -7", "18.", "0.5", "1234.50", "16 "]
ANSWERS += ["16\n", "#### 16\n", "5.\n", "[invalid]", "[INVALID]", "a #### b #### 16", "", "\u00a016", "A", "a"]


def definition(source, name):
    """One class or function of a module, run without the rest of it."""
    (node,) = [n for n in ast.parse(source).body if getattr(n, "name", None) == name]
    node.decorator_list = []
    scope = {"re": re, "np": np, "Filter": object, "Iterable": Iterable, "Sequence": Sequence, "Any": Any}
    exec(compile(ast.Module([node], []), name, "exec"), scope)
    return scope[name]


def main():
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        read = lambda path: wheel.read(f"lm_eval/{path}").decode()
        task = yaml.safe_load(read("tasks/gsm8k/gsm8k.yaml"))
        regex = definition(read("filters/extraction.py"), "RegexFilter")
        match = definition(read("api/metrics.py"), "exact_match_hf_evaluate")
    filters = {}
    for one in task["filter_list"]:
        settings = {k: v for k, v in one["filter"][0].items() if k != "function"}
        filters[one["name"]] = regex(**settings)
    (metric,) = task["metric_list"]
    settings = {k: metric[k] for k in ("regexes_to_ignore", "ignore_case", "ignore_punctuation")}
    until = task["generation_kwargs"]["until"]

    def right(name, text, answer):
        # As models/huggingface.py cuts what a model says.
        for term in until:
            text = text.split(term)[0]
        (found,) = [r[0] for r in filters[name].apply([[text]], [{}])]
        return bool(match([found], [answer], **settings)["exact_match"])

    draw = random.Random(13)
    cases = []
    while len(cases) < 1200:
        answer = draw.choice(ANSWERS)
        parts = draw.choices(WORDS, k=draw.randint(0, 7))
        if draw.random() < 0.6:
            parts.insert(draw.randint(0, len(parts)), draw.choice(["", "#### "]) + answer)
        text = draw.choice(["", " "]).join(parts)
        cases.append([text, answer, right("strict-match", text, answer), right("flexible-extract", text, answer)])
    golden = {
        "origin": f"tools/golden/lm_eval_gsm8k.py with {Path(sys.argv[1]).name}, gsm8k.yaml version {task['metadata']['version']}",
        "cases": cases,
    }
    path = Path(__file__).parents[2] / "test/golden/lm-eval-gsm8k.json"
    path.write_text(json.dumps(golden, ensure_ascii=True).replace("], [", "],\n[") + "\n")
    print(len(cases), sum(c[2] for c in cases), sum(c[3] for c in cases))


main()
