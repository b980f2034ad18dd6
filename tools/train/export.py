"""Writes a checkpoint as safetensors with LLaDA's tensor names, and its config.json."""
import argparse
import json
import shutil
import struct
from pathlib import Path

import torch


def write_safetensors(path: Path, tensors: dict[str, torch.Tensor]):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * 4
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.float().contiguous().numpy().astype("<f4").tobytes())


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors that `write_safetensors` wrote."""
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    header.pop("__metadata__", None)
    def tensor(entry):
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        return torch.frombuffer(bytearray(raw[begin:end]), dtype=torch.float32).view(entry["shape"])
    return {name: tensor(entry) for name, entry in header.items()}


def llada_config(c: dict) -> dict:
    return {
        "architectures": ["LLaDAModelLM"],
        "model_type": "llada",
        "activation_type": "silu",
        "block_type": "llama",
        "bos_token_id": 0,
        "d_model": c["d_model"],
        "embedding_size": c["vocab_size"],
        "eos_token_id": 1,
        "include_bias": False,
        "include_qkv_bias": False,
        "layer_norm_type": "rms",
        "layer_norm_with_affine": True,
        "mask_token_id": 5,
        "max_sequence_length": c["max_sequence_length"],
        "mlp_hidden_size": c["mlp_hidden_size"],
        "n_heads": c["n_heads"],
        "n_kv_heads": c["n_heads"],
        "n_layers": c["n_layers"],
        "pad_token_id": 1,
        "rms_norm_eps": c["rms_norm_eps"],
        "rope": True,
        "rope_theta": c["rope_theta"],
        "vocab_size": c["vocab_size"],
        "weight_tying": True,
    }


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--checkpoint", required=True)
    a.add_argument("--data", required=True, help="holds tokenizer.json")
    a.add_argument("--out", required=True)
    args = a.parse_args()
    saved = torch.load(args.checkpoint)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    write_safetensors(out / "model.safetensors", saved["model"])
    (out / "config.json").write_text(json.dumps(llada_config(saved["config"]), indent=2) + "\n")
    shutil.copy(Path(args.data) / "tokenizer.json", out / "tokenizer.json")
    log = Path(args.checkpoint).parent / "training-log.jsonl"
    if log.exists():
        shutil.copy(log, out / "training-log.jsonl")
    print("step", saved["step"], "tokens", saved["tokens"])


if __name__ == "__main__":
    main()
