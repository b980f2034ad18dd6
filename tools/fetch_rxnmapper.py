"""Fetches the Python package rxnmapper (MIT, 3 MB) with your pip and converts the ALBERT masked language model over SMILES
in it to a folder that this project reads: config.json, model.safetensors, tokenizer.json and the package's licence.

    python3 tools/fetch_rxnmapper.py [--wheel FILE] [--out FOLDER]

The folder is models/rxnmapper in the cache ($DLLM_NPU_CACHE, $XDG_CACHE_HOME/dllm-npu or ~/.cache/dllm-npu) if none is named;
what is there already is kept. Needs nothing but Python with pip: the checkpoint is read without PyTorch, and nothing in it
is executed. Prints where the model lies; exits with 3 and the words of pip when the package cannot be had.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections import OrderedDict
from pathlib import Path

PACKAGE = "rxnmapper==0.4.3"
SHA256 = "27876a4286881aafd286fd6f24a6a56a4ca6ba22d68e035a0ea120106c541ba5"
MODEL = "rxnmapper/models/transformers/albert_heads_8_uspto_all_1310k/"
# The tokens of rxnmapper/tokenization_smiles.py (SMI_REGEX_PATTERN), which is Schwaller et al., doi:10.1021/acscentsci.9b00576.
SMILES = r"\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\(|\)|\.|=|#|-|\+|\\|\/|:|~|@|\?|>>?|\*|\$|\%[0-9]{2}|[0-9]"
# First number of the file format that PyTorch wrote before it wrote zip archives (torch/serialization.py, MAGIC_NUMBER).
MAGIC = 0x1950A86A20F9469CFC6C
# Of the position ids and the pooler: in the file, in no logits.
UNUSED = ("albert.embeddings.position_ids", "albert.pooler.")


class Tensor:
    def __init__(self, storage, offset, shape):
        self.storage, self.offset, self.shape = storage, offset, shape


def rebuild(storage, offset, shape, stride, *_):
    expected = 1
    for size, step in zip(reversed(shape), reversed(stride)):
        if step != expected:
            raise SystemExit("a tensor of the checkpoint is not contiguous")
        expected *= size
    return Tensor(storage, offset, list(shape))


class Reader(pickle.Unpickler):
    """Knows four names; any other in the checkpoint is refused instead of run."""

    KNOWN = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): rebuild,
        ("torch", "FloatStorage"): "F32",
        ("torch", "LongStorage"): "I64",
    }

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise SystemExit(f"the checkpoint names {module}.{name}: not read")
        return self.KNOWN[module, name]

    def persistent_load(self, saved):
        _, dtype, key, _, _, _ = saved
        return dtype, key


def read_checkpoint(data):
    """Tensors by name, each with its bytes, of what torch.save wrote before PyTorch 1.6."""
    file = io.BytesIO(data)
    load = lambda: Reader(file).load()
    if load() != MAGIC:
        raise SystemExit("not a checkpoint of PyTorch's old format")
    load(), load()
    tensors, keys = load(), load()
    storages = {}
    widths = {key: 4 if dtype == "F32" else 8 for dtype, key in (t.storage for t in tensors.values())}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        storages[key] = file.read(count * widths[key])
    found = {}
    for name, tensor in tensors.items():
        dtype, key = tensor.storage
        width = widths[key]
        count = width
        for size in tensor.shape:
            count *= size
        start = tensor.offset * width
        found[name] = (dtype, tensor.shape, storages[key][start : start + count])
    return found


def safetensors(tensors):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values())


def tokenizer(vocab):
    """Whole words of a pattern: a byte-pair encoding without pairs."""
    special = [t for t in vocab if t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]
    added = [{"id": vocab[t], "content": t, "special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False} for t in special]
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": SMILES}, "behavior": "Isolated", "invert": False},
        "post_processor": None,
        "decoder": {"type": "Fuse"},
        "model": {"type": "BPE", "unk_token": "[UNK]", "ignore_merges": True, "vocab": vocab, "merges": []},
    }


def convert(wheel, folder):
    with zipfile.ZipFile(wheel) as package:
        read = lambda name: package.read(MODEL + name)
        tensors = read_checkpoint(read("pytorch_model.bin"))
        config = json.loads(read("config.json"))
        vocab = {token: i for i, token in enumerate(read("vocab.txt").decode().splitlines())}
        licences = [name for name in package.namelist() if name.endswith("/LICENSE")]
        licence = package.read(licences[0])
    # The head's bias is in the file twice.
    again = tensors.pop("predictions.decoder.bias", None)
    if again is not None and again[2] != tensors["predictions.bias"][2]:
        raise SystemExit("the two copies of the head's bias differ")
    kept = {n: t for n, t in tensors.items() if not n.startswith(UNUSED)}
    # The sequence starts and ends with tokens that the original's tokenizer adds; its configuration names none of them.
    config.pop("eos_token_ids", None)
    config |= {"bos_token_id": vocab["[CLS]"], "eos_token_id": vocab["[SEP]"], "mask_token_id": vocab["[MASK]"]}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(safetensors(kept))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(vocab), ensure_ascii=False, indent=1))
    (folder / "LICENSE").write_bytes(licence)
    # Last: a folder with a config.json is a whole one.
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def cache():
    environment = os.environ.get
    root = environment("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(environment("DLLM_NPU_CACHE") or Path(root) / "dllm-npu")


@contextlib.contextmanager
def download(package, wheel=None):
    """The wheel of a package, which is gone afterwards; or the one that is there already."""
    if wheel is not None:
        yield wheel
        return
    with tempfile.TemporaryDirectory() as staging:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-input"]
        done = subprocess.run([*pip, "--dest", staging, package], capture_output=True, text=True)
        wheels = list(Path(staging).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            print(f"pip said: {' '.join((done.stderr or done.stdout).split()[-40:])}", file=sys.stderr)
            raise SystemExit(3)
        yield wheels[0]


def checked(wheel, expected):
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if sha256 != expected:
        raise SystemExit(f"{wheel.name} has SHA-256 {sha256}, expected {expected}")
    return wheel


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--out", type=Path, default=cache() / "models" / "rxnmapper")
    asked = parser.parse_args()
    if not (asked.out / "config.json").exists():
        with download(PACKAGE, asked.wheel) as wheel:
            convert(checked(wheel, SHA256), asked.out)
    print(asked.out)


if __name__ == "__main__":
    main()
