"""Logits of the families that neither libllama nor a Python package here runs, by modules written from what was published.

    pip install numpy
    python3 tools/golden/family_logits.py test/golden/family-logits.json

Written in float64 from modeling_llada2_moe.py of inclusionAI/LLaDA2.0-mini (gate, experts, attention), and for Nemotron from its
published configuration and the beginning of mlx_vlm/models/nemotron_labs_diffusion/language.py, with YaRN as transformers has it (from
memory, not read again); nothing of this project is used. Weights are a formula of their name and place, so that the file holds shapes and logits only.

The adapter as mlx_vlm has it (DraftLoRALinear, load_linear_spec_lora) and PEFT names it.

Made with Python 3.11, numpy 2.4.6.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

# Rank and alpha of the adapter: scale 3, which no shift of an exponent is.
RANK, ALPHA = 4, 12
IDS = [7, 8, 9, 20, 11, 5, 30, 6, 14, 25]


def weight(name, shape):
    """The same numbers from the same name, anywhere: a sine with a phase, gains near 1."""
    phase = sum((i + 1) * ord(c) for i, c in enumerate(name)) % 1000 / 7.0
    count = int(np.prod(shape))
    wave = np.sin(np.arange(count, dtype=np.float64) * 12.9898 + phase) * 43758.5453
    noise = 2.0 * (wave - np.floor(wave)) - 1.0
    if len(shape) == 1:
        values = 0.2 * noise if name.endswith("expert_bias") else 1.0 + 0.2 * noise
    else:
        values = math.sqrt(3.0 / shape[-1]) * noise
    return values.astype(np.float32).astype(np.float64).reshape(shape)


class Weights:
    def __init__(self):
        self.shapes = {}

    def __call__(self, name, *shape):
        self.shapes[name] = list(shape)
        return weight(name, shape)


def rms(x, gain, eps):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * gain


def silu(x):
    return x / (1.0 + np.exp(-x))


def rotate_half(x):
    half = x.shape[-1] // 2
    return np.concatenate([-x[..., half:], x[..., :half]], -1)


def rotary(x, frequencies, magnitude=1.0):
    """x [heads, rows, dim]; the first 2 * len(frequencies) channels turn."""
    dims = 2 * len(frequencies)
    angles = np.arange(x.shape[1])[:, None] * frequencies[None, :]
    angles = np.concatenate([angles, angles], -1)
    turned, rest = x[..., :dims], x[..., dims:]
    turned = turned * np.cos(angles) * magnitude + rotate_half(turned) * np.sin(angles) * magnitude
    return np.concatenate([turned, rest], -1)


def attend(q, k, v, visible):
    repeats = q.shape[0] // k.shape[0]
    k, v = np.repeat(k, repeats, 0), np.repeat(v, repeats, 0)
    scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
    scores = np.where(visible[None], scores, -np.inf)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    return (scores / scores.sum(-1, keepdims=True)) @ v


def heads_of(x, count):
    return x.reshape(x.shape[0], count, -1).transpose(1, 0, 2)


def block_causal(rows, block):
    at = np.arange(rows) // block
    return at[None, :] <= at[:, None]


def llada2():
    config = {
        "architectures": ["LLaDA2MoeModelLM"], "model_type": "llada2_moe", "hidden_size": 32, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 48, "vocab_size": 40,
        "rms_norm_eps": 1e-6, "rope_theta": 600000, "partial_rotary_factor": 0.5, "use_qk_norm": True, "hidden_act": "silu",
        "num_experts": 16, "num_experts_per_tok": 4, "moe_intermediate_size": 8, "num_shared_experts": 1,
        "first_k_dense_replace": 1, "n_group": 4, "topk_group": 2, "routed_scaling_factor": 2.5, "norm_topk_prob": True,
        "score_function": "sigmoid", "moe_router_enable_expert_bias": True, "tie_word_embeddings": False, "use_bias": False,
        "use_qkv_bias": False, "max_position_embeddings": 64, "pad_token_id": 1, "eos_token_id": 1, "mask_token_id": 5,
        "block_size": 4,
    }
    c = config
    w = Weights()
    d, h, kv, hd, eps = 32, 4, 2, 16, 1e-6
    frequencies = 1.0 / c["rope_theta"] ** (np.arange(0, 8, 2) / 8.0)
    x = w("model.word_embeddings.weight", 40, d)[IDS]
    visible = block_causal(len(IDS), c["block_size"])

    def mlp(prefix, x, width):
        gate = silu(x @ w(prefix + ".gate_proj.weight", width, d).T)
        return (gate * (x @ w(prefix + ".up_proj.weight", width, d).T)) @ w(prefix + ".down_proj.weight", d, width).T

    def gate(prefix, x):
        scores = 1.0 / (1.0 + np.exp(-(x @ w(prefix + ".weight", 16, d).T)))
        biased = scores + w(prefix + ".expert_bias", 16)
        groups = np.sort(biased.reshape(len(x), 4, -1), -1)[..., -2:].sum(-1)
        best = np.argsort(-groups, -1)[:, :2]
        open_ = np.zeros_like(groups, bool)
        np.put_along_axis(open_, best, True, 1)
        masked = np.where(np.repeat(open_, 4, 1), biased, -np.inf)
        chosen = np.argsort(-masked, -1)[:, :4]
        share = np.take_along_axis(scores, chosen, 1)
        return chosen, share / (share.sum(-1, keepdims=True) + 1e-20) * 2.5

    for layer in range(3):
        at = f"model.layers.{layer}"
        n = rms(x, w(at + ".input_layernorm.weight", d), eps)
        qkv = n @ w(at + ".attention.query_key_value.weight", (h + 2 * kv) * hd, d).T
        q, k, v = (heads_of(part, count) for part, count in zip(np.split(qkv, [h * hd, (h + kv) * hd], 1), (h, kv, kv)))
        q = rotary(rms(q, w(at + ".attention.query_layernorm.weight", hd), eps), frequencies)
        k = rotary(rms(k, w(at + ".attention.key_layernorm.weight", hd), eps), frequencies)
        mixed = attend(q, k, v, visible).transpose(1, 0, 2).reshape(len(IDS), -1)
        x = x + mixed @ w(at + ".attention.dense.weight", d, h * hd).T
        n = rms(x, w(at + ".post_attention_layernorm.weight", d), eps)
        if layer < 1:
            x = x + mlp(at + ".mlp", n, 48)
            continue
        chosen, share = gate(at + ".mlp.gate", n)
        experts = np.stack([mlp(f"{at}.mlp.experts.{e}", n, 8) for e in range(16)])
        routed = np.stack([sum(s * experts[e, row] for e, s in zip(chosen[row], share[row])) for row in range(len(IDS))])
        x = x + routed + mlp(at + ".mlp.shared_experts", n, 8)
    x = rms(x, w("model.norm.weight", d), eps)
    return config, w.shapes, x @ w("lm_head.weight", 40, d).T


def yarn(dim, base, factor, original, beta_fast, beta_slow):
    """_compute_yarn_parameters of transformers."""
    def correction(rotations):
        return dim * math.log(original / (rotations * 2 * math.pi)) / (2 * math.log(base))

    low, high = max(math.floor(correction(beta_fast)), 0), min(math.ceil(correction(beta_slow)), dim - 1)
    positions = base ** (np.arange(0, dim, 2) / dim)
    ramp = np.clip((np.arange(dim // 2) - low) / max(high - low, 0.001), 0, 1)
    return (1.0 / (factor * positions)) * ramp + (1.0 / positions) * (1 - ramp)


def nemotron(drafts=False):
    """With `drafts` as in a draft pass: all rows see each other, and linear_spec_lora is added to o_proj (peft's LoRA layer: x A^T B^T alpha / r)."""
    config = {
        "architectures": ["NemotronLabsDiffusionModel"], "model_type": "nemotron_labs_diffusion", "hidden_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 48,
        "vocab_size": 40, "rms_norm_eps": 1e-5, "hidden_act": "silu", "max_position_embeddings": 512, "attention_bias": False,
        "mlp_bias": False, "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 11, "mask_token_id": 5,
        "block_size": 4, "dlm_paradigm": "bidirectional", "sliding_window": None,
        "rope_parameters": {"rope_type": "yarn", "rope_theta": 1000.0, "factor": 16.0, "original_max_position_embeddings": 32,
                            "beta_fast": 8.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1},
    }
    w, adapter = Weights(), Weights()
    d, h, kv, hd, eps = 32, 4, 2, 16, 1e-5
    frequencies = yarn(hd, 1000.0, 16.0, 32, 8.0, 1.0)
    visible = block_causal(len(IDS), len(IDS) if drafts else 4)
    x = w("encoder.embed_tokens.weight", 40, d)[IDS]
    for layer in range(2):
        at = f"encoder.layers.{layer}"
        n = rms(x, w(at + ".input_layernorm.weight", d), eps)
        q = rotary(heads_of(n @ w(at + ".self_attn.q_proj.weight", h * hd, d).T, h), frequencies)
        k = rotary(heads_of(n @ w(at + ".self_attn.k_proj.weight", kv * hd, d).T, kv), frequencies)
        v = heads_of(n @ w(at + ".self_attn.v_proj.weight", kv * hd, d).T, kv)
        mixed = attend(q, k, v, visible).transpose(1, 0, 2).reshape(len(IDS), -1)
        projected = mixed @ w(at + ".self_attn.o_proj.weight", d, h * hd).T
        if drafts:
            lora = f"base_model.model.{at}.self_attn.o_proj.lora_"
            projected = projected + mixed @ adapter(lora + "A.weight", RANK, h * hd).T @ adapter(lora + "B.weight", d, RANK).T * (ALPHA / RANK)
        x = x + projected
        n = rms(x, w(at + ".post_attention_layernorm.weight", d), eps)
        gated = silu(n @ w(at + ".mlp.gate_proj.weight", 48, d).T) * (n @ w(at + ".mlp.up_proj.weight", 48, d).T)
        x = x + gated @ w(at + ".mlp.down_proj.weight", d, 48).T
    x = rms(x, w("encoder.norm.weight", d), eps)
    logits = x @ w("diffusion_head.weight", 40, d).T
    return (config, w.shapes, logits) if not drafts else (adapter.shapes, logits)


def rounded(logits):
    return [[float(f"{v:.7g}") for v in row] for row in logits.tolist()]


out = {"origin": "tools/golden/family_logits.py", "ids": IDS, "models": {}}
for name, make in (("llada2", llada2), ("nemotron-labs-diffusion", nemotron)):
    config, shapes, logits = make()
    out["models"][name] = {"config": config, "tensors": shapes, "logits": rounded(logits)}
shapes, logits = nemotron(drafts=True)
out["adapter"] = {
    "model": "nemotron-labs-diffusion",
    "config": {"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA, "target_modules": ["o_proj"], "lora_dropout": 0.0, "bias": "none"},
    "tensors": shapes, "logits": rounded(logits),
}
Path(sys.argv[1]).write_text(json.dumps(out, separators=(",", ":")) + "\n")
