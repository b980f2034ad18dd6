"""Writes MODEL_CARD.md from the training log, the decoding dynamics and the scores.

  card.py --model models/tiny-llada --dynamics DYNAMICS.jsonl --scores SCORES.json --notes tools/train/card-notes.md
"""
import argparse
import hashlib
import json
import math
from pathlib import Path


def wilson(k: int, n: int) -> str:
    """A share with its 95 % Wilson interval, in percent."""
    z, p = 1.959964, k / n
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((centre + s * half) / (1 + z * z / n) for s in (-1, 1))
    return f"{100 * p:.1f} ({100 * low:.1f}-{100 * high:.1f})"


def table(head: list[str], rows: list[list]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def loss_table(log: list[dict], points: int = 14) -> str:
    picks = sorted({round(i * (len(log) - 1) / (points - 1)) for i in range(points)})
    keys = ["loss", "canvas", "suffix", "truncated", "blocks", "visible"]
    rows = [[log[i]["step"], f"{log[i]['tokens'] / 1e6:.1f} M", log[i]["rate"], *(log[i].get(k, "") for k in keys)] for i in picks]
    return table(["step", "tokens", "rate", *keys], rows)


def main():
    a = argparse.ArgumentParser()
    for name in ("model", "dynamics", "scores", "notes"):
        a.add_argument(f"--{name}", required=True)
    args = a.parse_args()
    model = Path(args.model)
    config = json.loads((model / "config.json").read_text())
    log = [json.loads(line) for line in (model / "training-log.jsonl").read_text().splitlines()]
    dynamics = {(d["set"], d["view"], d["policy"]): d for d in map(json.loads, Path(args.dynamics).read_text().splitlines())}
    scores = json.loads(Path(args.scores).read_text())
    decodings, tasks = [], []
    for s in scores:
        d = dynamics[s["set"], s["view"], s["policy"]]
        n = s["problems"]
        decodings.append([s["set"], s["view"], s["policy"], n, wilson(s["exact"], n), wilson(s["strict"], n), wilson(s["consistent"], n),
                          d["forwards"], d["tokens_per_forward"], d["text_per_forward"], f"{100 * d['flipped_share']:.2f}",
                          " / ".join(map(str, d["commit_step_by_quarter"]))])
        tasks.append([s["set"], s["view"], s["policy"], *(wilson(*s["tasks"][k].values()) for k in sorted(s["tasks"]))])
    hashes = [[f"`{f.name}`", f.stat().st_size, f"`{hashlib.sha256(f.read_bytes()).hexdigest()}`"]
              for f in sorted(model.iterdir()) if f.name != "MODEL_CARD.md"]
    last = log[-1]
    one = next(s for s in scores if (s["set"], s["view"], s["policy"]) == ("long", "truncated", "one"))
    values = dict(
        decodings=table(["set", "view", "policy", "n", "exact %", "strict %", "consistent %", "forwards", "tokens / forward",
                         "text / forward", "changed later %", "commit step by quarter"], decodings),
        tasks=table(["set", "view", "policy", *sorted(scores[0]["tasks"])], tasks),
        headline=wilson(one["exact"], one["problems"]), loss=loss_table(log), hashes=table(["file", "bytes", "SHA-256"], hashes),
        steps=last["step"], tokens=f"{last['tokens'] / 1e6:.1f} M", minutes=round(last["seconds"] / 60),
        layers=config["n_layers"], width=config["d_model"], heads=config["n_heads"], hidden=config["mlp_hidden_size"],
        vocab=config["vocab_size"], parameters=f"{((model / 'model.safetensors').stat().st_size // 4) / 1e6:.2f} M",
    )
    (model / "MODEL_CARD.md").write_text(Path(args.notes).read_text().format(**values))


if __name__ == "__main__":
    main()
