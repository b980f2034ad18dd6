"""Fixtures for the TypeScript tests, computed by PyTorch in float32.

  goldens.py gradients --out test/golden/tiny-llada-gradients.json
  goldens.py logits --checkpoint CHECKPOINT --data DATA --out test/golden/tiny-llada-logits.json
"""
import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F

from data import Problems
from evaluate import load
from model import Config, LLaDA
from objective import blocks_mask

ORIGIN = f"tools/train/goldens.py, PyTorch {torch.__version__.split('+')[0]}, float32, CPU"


def digits(tensor: torch.Tensor, count: int) -> list:
    return [float(f"{x:.{count}g}") for x in tensor.flatten().tolist()]


def gradients() -> dict:
    """Loss and gradients of a 2-layer model of width 16 on one small batch of the `blocks` layout."""
    torch.manual_seed(3)
    config = Config(vocab_size=24, d_model=16, n_layers=2, n_heads=2, mlp_hidden_size=24)
    model = LLaDA(config)
    with torch.no_grad():
        for name, p in model.named_parameters():
            spread = 0.3 if p.ndim == 2 else 0.1
            p.copy_(((p.ndim == 1) + spread * torch.randn_like(p)).mul(1000).round() / 1000)
    batch, p, length, mask_id = 2, 3, 8, 5
    window = torch.arange(length) // 4
    clean = 4
    prompt, response = torch.randint(6, 24, (batch, p)), torch.randint(6, 24, (batch, length))
    masked = torch.rand(batch, length) < 0.6
    ids = torch.cat([prompt, response[:, :clean], response.masked_fill(masked, mask_id)], 1)
    positions = torch.cat([torch.arange(p + clean), torch.arange(p, p + length)])
    mask = blocks_mask(p, window, clean)
    weights = torch.where(masked, 1.6, 0.1) / masked.numel()
    logits = model(ids, positions, mask, slice(p + clean, None))
    each = F.cross_entropy(logits.flatten(0, 1), response.flatten(), reduction="none")
    loss = (each * weights.flatten()).sum()
    loss.backward()
    return {
        "origin": ORIGIN,
        "config": vars(config),
        "batch": dict(sequences=batch, rows=ids.shape[1], first=p + clean, ids=ids.flatten().tolist(), positions=positions.tolist(),
                      visibility=(mask == 0).int().flatten().tolist(), targets=response.flatten().tolist(),
                      weights=digits(weights, 8)),
        "loss": float(loss),
        "weights": {n: digits(v, 6) for n, v in model.named_parameters()},
        "gradients": {n: digits(v.grad, 7) for n, v in model.named_parameters()},
    }


@torch.no_grad()
def logits(checkpoint: str, data: str) -> dict:
    """Logits of the first rows of the response, for a fully masked, a half finished and a finished canvas."""
    model, saved = load(checkpoint)
    problems = Problems(data, "short-heldout")
    mask_id, cases = problems.meta["mask_id"], []
    for index, shown in ((0, 0.0), (1, 0.5), (2, 1.0)):
        prompt, response = problems.rows([index])
        response = response[:, :32]
        hidden = torch.rand(response.shape, generator=torch.Generator().manual_seed(index)) >= shown
        ids = torch.cat([prompt, response.masked_fill(hidden, mask_id)], 1)
        first = prompt.shape[1]
        rows = slice(first, first + 4)
        out = model(ids, torch.arange(ids.shape[1]), None, rows)[0]
        cases.append(dict(ids=ids[0].tolist(), rows=list(range(first, first + 4)), logits=[digits(row, 7) for row in out]))
    return {"origin": f"{ORIGIN}; checkpoint of step {saved['step']}", "cases": cases}


def main():
    a = argparse.ArgumentParser()
    a.add_argument("what", choices=["gradients", "logits"])
    a.add_argument("--out", required=True)
    a.add_argument("--checkpoint")
    a.add_argument("--data")
    args = a.parse_args()
    torch.set_num_threads(1)
    result = gradients() if args.what == "gradients" else logits(args.checkpoint, args.data)
    Path(args.out).write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
