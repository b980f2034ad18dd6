"""Writes a checkpoint as safetensors and its config.json: LLaDA's tensor names, or those of Nemotron-Labs-Diffusion (dual)."""
import argparse
import json
import shutil
import struct
from pathlib import Path

import torch

BLOCK = 8  # of dual.py, which imports nothing that this file should need

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


def dual_config(c: dict) -> dict:
    """A model of dual.py in the family that is trained left to right and in blocks."""
    return {
        "architectures": ["NemotronLabsDiffusionModel"],
        "model_type": "nemotron_labs_diffusion",
        "attention_bias": False,
        "block_size": BLOCK,
        "bos_token_id": 0,
        "dlm_paradigm": "bidirectional",
        "eos_token_id": 1,
        "head_dim": c["d_model"] // c["n_heads"],
        "hidden_act": "silu",
        "hidden_size": c["d_model"],
        "intermediate_size": c["mlp_hidden_size"],
        "mask_token_id": 5,
        "max_position_embeddings": c["max_sequence_length"],
        "num_attention_heads": c["n_heads"],
        "num_hidden_layers": c["n_layers"],
        "num_key_value_heads": c["n_heads"],
        "rms_norm_eps": c["rms_norm_eps"],
        "rope_theta": c["rope_theta"],
        "tie_word_embeddings": False,
        "vocab_size": c["vocab_size"],
    }


DUAL_NAMES = {
    "attn_norm": "input_layernorm", "ff_norm": "post_attention_layernorm", "attn_out": "self_attn.o_proj",
    "q_proj": "self_attn.q_proj", "k_proj": "self_attn.k_proj", "v_proj": "self_attn.v_proj",
    "ff_proj": "mlp.gate_proj", "up_proj": "mlp.up_proj", "ff_out": "mlp.down_proj",
}


def dual_tensors(model: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors under the names of that family, whose head is stored by itself."""
    named = {}
    for name, tensor in model.items():
        parts = name.removeprefix("model.transformer.").split(".")
        if parts[0] == "blocks":
            named[f"encoder.layers.{parts[1]}.{DUAL_NAMES[parts[2]]}.weight"] = tensor
        else:
            named[{"wte": "encoder.embed_tokens.weight", "ln_f": "encoder.norm.weight"}[parts[0]]] = tensor
    return named | {"diffusion_head.weight": model["model.transformer.wte.weight"]}


def averaged(paths: list[str]) -> dict:
    """The newest checkpoint with the mean of the weights of all: what falling rates do, for runs that end before their decay."""
    saved = [torch.load(path) for path in paths]
    newest = max(saved, key=lambda each: each["step"])
    return newest | {"model": {name: sum(each["model"][name] for each in saved) / len(saved) for name in newest["model"]}}


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--checkpoint", required=True, nargs="+", help="of several the weights are averaged")
    a.add_argument("--objective", choices=["masked", "dual"], default="masked")
    a.add_argument("--data", required=True, help="holds tokenizer.json")
    a.add_argument("--out", required=True)
    args = a.parse_args()
    saved = averaged(args.checkpoint)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    dual = args.objective == "dual"
    write_safetensors(out / "model.safetensors", dual_tensors(saved["model"]) if dual else saved["model"])
    config = dual_config(saved["config"]) if dual else llada_config(saved["config"])
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    shutil.copy(Path(args.data) / "tokenizer.json", out / "tokenizer.json")
    log = Path(args.checkpoint[-1]).parent / "training-log.jsonl"
    if log.exists():
        shutil.copy(log, out / "training-log.jsonl")
    print("step", saved["step"], "tokens", saved["tokens"])


if __name__ == "__main__":
    main()
