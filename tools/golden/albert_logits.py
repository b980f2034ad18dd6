"""Logits of ALBERT by the transformers library (FlaxAlbertForMaskedLM, jax on the CPU, float32): the reference for family albert.

    pip install "jax<0.5" "flax==0.10.2" "transformers==4.46.3" safetensors numpy
    python3 tools/golden/albert_logits.py tiny test/golden/tiny-albert         # a random model and its logits
    python3 tools/golden/albert_logits.py FOLDER test/golden/rxnmapper.json    # of models fetch rxnmapper

Made with Python 3.11, jax 0.4.38, flax 0.10.2, transformers 4.46.3.
"""

import json
import sys
from pathlib import Path

import jax
import numpy as np
from safetensors.numpy import load_file, save_file
from transformers import AlbertConfig, FlaxAlbertForMaskedLM

jax.config.update("jax_default_matmul_precision", "highest")

TINY = dict(vocab_size=20, embedding_size=8, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=24,
            max_position_embeddings=32, type_vocab_size=2, hidden_act="gelu_new", layer_norm_eps=1e-12)
IGNORED = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout_prob")
REACTIONS = [
    "CC(C)S.CN(C)C=O.Fc1cccnc1F.O=C([O-])[O-].[K+].[K+]>>CC(C)Sc1ncccc1F",
    "CC[O-]~[Na+].BrCC.[Na+]~[H-]>>CCOCC",
]


def flax_name(name):
    """albert.embeddings.LayerNorm.weight is albert/embeddings/LayerNorm/scale there."""
    *path, leaf = name.split(".")
    if name == "predictions.bias":
        return (*path, leaf)
    if path[-1].endswith("embeddings"):
        return (*path, "embedding")
    if path[-1].endswith(("LayerNorm", "layer_norm")):
        return (*path, "scale" if leaf == "weight" else "bias")
    return (*path, "kernel" if leaf == "weight" else "bias")


def model_of(config, tensors):
    model = FlaxAlbertForMaskedLM(config, dtype=np.float32)
    params = {}
    for name, value in tensors.items():
        if name == "predictions.decoder.weight":
            continue
        path = flax_name(name)
        at = params
        for step in path[:-1]:
            at = at.setdefault(step, {})
        at[path[-1]] = value.T if path[-1] == "kernel" else value
    # Of whole sequences; in no logits.
    params["albert"]["pooler"] = model.params["albert"].get("pooler", {})
    if not params["albert"]["pooler"]:
        del params["albert"]["pooler"]
    wanted, given = jax.tree_util.tree_structure(model.params), jax.tree_util.tree_structure(params)
    if wanted != given:
        raise SystemExit(f"parameters differ:\n{wanted}\n{given}")
    shape = lambda tree: jax.tree_util.tree_map(np.shape, tree)
    if shape(model.params) != shape(params):
        raise SystemExit("shapes differ")
    return lambda ids: np.asarray(model(np.array([ids]), params=params, train=False).logits[0])


def tiny(folder):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    config = AlbertConfig(**TINY)
    e, h, f, v = 8, 16, 24, 20
    layer = "albert.encoder.albert_layer_groups.0.albert_layers.0."
    shapes = {
        "albert.embeddings.word_embeddings.weight": (v, e),
        "albert.embeddings.position_embeddings.weight": (32, e),
        "albert.embeddings.token_type_embeddings.weight": (2, e),
        "albert.embeddings.LayerNorm.weight": (e,), "albert.embeddings.LayerNorm.bias": (e,),
        "albert.encoder.embedding_hidden_mapping_in.weight": (h, e), "albert.encoder.embedding_hidden_mapping_in.bias": (h,),
        **{f"{layer}attention.{n}.weight": (h, h) for n in ("query", "key", "value", "dense")},
        **{f"{layer}attention.{n}.bias": (h,) for n in ("query", "key", "value", "dense", "LayerNorm")},
        f"{layer}attention.LayerNorm.weight": (h,),
        f"{layer}ffn.weight": (f, h), f"{layer}ffn.bias": (f,), f"{layer}ffn_output.weight": (h, f), f"{layer}ffn_output.bias": (h,),
        f"{layer}full_layer_layer_norm.weight": (h,), f"{layer}full_layer_layer_norm.bias": (h,),
        "predictions.dense.weight": (e, h), "predictions.dense.bias": (e,),
        "predictions.LayerNorm.weight": (e,), "predictions.LayerNorm.bias": (e,), "predictions.bias": (v,),
    }
    tensors = {n: (rng.normal(size=s) * (1.0 if len(s) == 1 else 0.8)).astype(np.float32) for n, s in shapes.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    json_config = {"architectures": ["AlbertForMaskedLM"], "model_type": "albert", **TINY, "mask_token_id": 19, "bos_token_id": 2, "eos_token_id": 3}
    (folder / "config.json").write_text(json.dumps(json_config, indent=1) + "\n")
    run = model_of(config, tensors)
    cases = [[2, 5, 19, 7, 19, 3], [2, 19, 19, 19, 4, 11, 12, 13, 19, 18, 17, 3], [19]]
    logits = [{"ids": ids, "rows": list(range(len(ids))), "logits": np.round(run(ids), 6).tolist()} for ids in cases]
    write(folder / "logits.json", logits)


def trained(folder, out):
    described = json.loads((folder / "config.json").read_text())
    words = json.loads((folder / "tokenizer.json").read_text())
    import re
    pattern = re.compile(words["pre_tokenizer"]["pattern"]["Regex"])
    vocab = words["model"]["vocab"]
    keep = {k: described[k] for k in TINY}
    run = model_of(AlbertConfig(**keep), load_file(folder / "model.safetensors"))
    cases = []
    for reaction in REACTIONS:
        ids = [vocab["[CLS]"], *(vocab[t] for t in pattern.findall(reaction)), vocab["[SEP]"]]
        masked = [vocab["[MASK]"] if i % 4 == 2 else id for i, id in enumerate(ids)]
        rows = [i for i, id in enumerate(masked) if id == vocab["[MASK]"]][:2] + [0]
        cases.append({"text": reaction, "tokens": ids, "ids": masked, "rows": rows, "logits": np.round(run(masked)[rows], 5).tolist()})
    write(out, cases)


def write(path, cases):
    origin = "tools/golden/albert_logits.py: FlaxAlbertForMaskedLM of transformers 4.46.3, jax 0.4.38 on the CPU, float32"
    path.write_text(json.dumps({"origin": origin, "cases": cases}) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    what, target = sys.argv[1], Path(sys.argv[2])
    tiny(target) if what == "tiny" else trained(Path(what), target)
