"""What Hugging Face's `tokenizers` make of texts under many settings of a tokenizer.json.

    pip install tokenizers
    python3 tools/golden/tokenizer_steps.py test/golden/tokenizer-steps.json

Two small byte-pair encodings are trained on the texts below, one over bytes and one as SentencePiece has it; each case changes one of
them. `ids` and `special` (with what the post-processor adds) are by text; null where the library refuses the file.

Made with Python 3.11, tokenizers 0.23.3.
"""

import copy
import json
import sys
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

TEXTS = [
    "  the  machine's 12345 DLLM-npu, the.end ",
    "1,234,567.89 - a--b and another",
    "Crème brûlée É ﬁ ① ½ e\u0301",
    "日本語 text 漢字\n\n\nnew\tline\r\n",
    "<s>a</s> the <tool> x<tool>y  <tool>",
    "it's THE They'Re i'll $100",
    "aaab ab aab b a",
    "under_score x9_y TOOL Tool tool bathe",
]

BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
WORDS = {**BYTES, "use_regex": True}


def byte_level():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    t.train_from_iterator(TEXTS * 4, trainer)
    return json.loads(t.to_str())


def sentence_piece():
    t = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<unk>", "<s>", "</s>"] + ["<0x%02X>" % i for i in range(256)],
        show_progress=False,
    )
    t.train_from_iterator([text for text in TEXTS if text.isascii()] * 4, trainer)
    made = json.loads(t.to_str())
    made["added_tokens"] = [a for a in made["added_tokens"] if not a["content"].startswith("<0x")]
    return made


def cases():
    """(base, changes of the file, changes of its model, added tokens)"""
    for base in ("bytes", "pieces"):
        yield base, {}, {}, []
        for normalizer in [
            *({"type": t} for t in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel")),
            {"type": "Strip", "strip_left": True, "strip_right": True},
            {"type": "Strip", "strip_left": False, "strip_right": True},
            {"type": "Prepend", "prepend": "_"},
            {"type": "Replace", "pattern": {"String": "."}, "content": "!"},
            {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "},
            {"type": "Replace", "pattern": {"String": "e"}, "content": "$&"},
            {"type": "Replace", "pattern": {"Regex": "a++"}, "content": "b"},
            {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
            {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]},
        ]:
            yield base, {"normalizer": normalizer}, {}, []
        for change in [
            {"ignore_merges": True},
            {"byte_fallback": base == "bytes"},
            {"fuse_unk": base == "bytes"},
            {"unk_token": "<s>"},
            {"unk_token": None},
            {"byte_fallback": False, "unk_token": None},
            {"dropout": 0.0},
            {"dropout": 0.5},
        ]:
            yield base, {}, change, []
        for content, flags in [
            ("<tool", {}),
            ("<tool", {"id": 900}),
            ("<tool", {"lstrip": True}),
            ("<tool", {"rstrip": True, "special": True}),
            ("<tool", {"single_word": True}),
            ("the", {}),
            ("a", {}),
            ("Tool", {"normalized": True}),
            (" x", {}),
            ("\n\n", {}),
        ]:
            yield base, {}, {}, [(content, flags)]
    for kind, split in [("always", True), ("first", True), ("never", True), ("always", False), ("first", False), ("never", False)]:
        metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": kind, "split": split}
        yield "pieces", {"normalizer": None, "pre_tokenizer": metaspace}, {}, []
        yield "pieces", {"normalizer": None, "pre_tokenizer": metaspace}, {}, [("<tool", {})]
    steps = [
        {"type": "Digits", "individual_digits": True},
        {"type": "Digits", "individual_digits": False},
        {"type": "Whitespace"},
        {"type": "WhitespaceSplit"},
        {"type": "BertPreTokenizer"},
        {"type": "UnicodeScripts"},
        {"type": "FixedLength", "length": 3},
        {"type": "CharDelimiterSplit", "delimiter": "-"},
        *({"type": "Punctuation", "behavior": b} for b in ("Isolated", "Contiguous", "Removed", "MergedWithPrevious", "MergedWithNext")),
    ]
    behaviours = ("Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext")
    for expression in [
        "\\s+",
        "\\p{N}{1,3}",
        " ?\\p{L}+",
        "(?i:'s|'t|'re|'ll)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+(?!\\S)|\\s+",
        "\\w+",
        "\\d(?=(?:\\d{3})+\\b)",
        "[一-龥]+",
        "(?>a+)ab",
        "a++",
        "a*+b",
        "a{1}+b",
        "a{2}?",
        "a{,2}b",
        "[+*]+",
        "\\++",
        "(?<=a)b",
        "[[:punct:]]+",
    ]:
        for behaviour in behaviours:
            for invert in (False, True):
                steps.append({"type": "Split", "pattern": {"Regex": expression}, "behavior": behaviour, "invert": invert})
    for text in (" ", "the", "."):
        for behaviour in behaviours:
            steps.append({"type": "Split", "pattern": {"String": text}, "behavior": behaviour, "invert": False})
    for step in steps:
        yield "bytes", {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [step, BYTES]}}, {}, []
    for step in (BYTES, WORDS, {**BYTES, "add_prefix_space": True}, None):
        yield "bytes", {"pre_tokenizer": step}, {}, []
    begin, text = {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}

    def around(ids):
        marks = {"<s>": {"id": "<s>", "ids": ids, "tokens": ["<s>"] * len(ids)}}
        return {"type": "TemplateProcessing", "single": [begin, text], "pair": [begin, text], "special_tokens": marks}

    for post in [
        around([0]),
        around([0, 1]),
        around([5]),
        {"type": "BertProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0]},
        {"type": "Sequence", "processors": [{**WORDS, "trim_offsets": False}, around([0])]},
    ]:
        yield "bytes", {"post_processor": post}, {}, []


def encoded(file, special):
    t = Tokenizer.from_str(json.dumps(file))
    return [t.encode(text, add_special_tokens=special).ids for text in TEXTS]


def main(path):
    bases = {"bytes": byte_level(), "pieces": sentence_piece()}
    out = []
    for base, change, model, added in cases():
        file = copy.deepcopy(bases[base])
        file.update(change)
        file["model"].update(model)
        tokens = []
        for content, flags in added:
            plain = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=False)
            tokens.append({"id": len(file["model"]["vocab"]), "content": content, **plain, **flags})
        file["added_tokens"] += tokens
        case = {"base": base, "change": change, "model": model, "added": tokens}
        try:
            case["ids"], case["special"] = encoded(file, False), encoded(file, True)
            if case["special"] == case["ids"]:
                del case["special"]
        except BaseException as error:  # the library panics, too
            if isinstance(error, KeyboardInterrupt):
                raise
            case["ids"] = None
        out.append(case)
    origin = {"origin": "tools/golden/tokenizer_steps.py", "tokenizers": tokenizers.__version__}
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in out)
    head = json.dumps({**origin, "texts": TEXTS, "bases": bases}, ensure_ascii=False, separators=(",", ":"))
    Path(path).write_text(f"{head[:-1]},\"cases\":[\n{lines}\n]}}\n", encoding="utf-8")


main(sys.argv[1])
