"""Trains the tiny models on CPU. See README.md for the commands; interrupt and run again to resume."""
import argparse
import json
import time
from pathlib import Path

import torch
import torch._inductor.config
import torch.nn.functional as F

from data import Problems, batches
from export import read_safetensors
from model import Config, LLaDA
from muon import Muon
import dual
import objective


def parse():
    a = argparse.ArgumentParser()
    a.add_argument("--data", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--steps", type=int, required=True)
    a.add_argument("--batch", type=int, default=64)
    a.add_argument("--layers", type=int, default=4)
    a.add_argument("--width", type=int, default=128)
    a.add_argument("--hidden", type=int, default=384)
    a.add_argument("--muon-lr", type=float, default=0.02)
    a.add_argument("--adam-lr", type=float, default=3e-3)
    a.add_argument("--warmup", type=int, default=100)
    a.add_argument("--decay", type=float, default=0.4, help="last share of the steps, linear to zero")
    a.add_argument("--short", type=float, default=0.25, help="share of batches from the short set")
    a.add_argument("--seed", type=int, default=7)
    a.add_argument("--threads", type=int, default=1)
    a.add_argument("--save-minutes", type=float, default=3)
    a.add_argument("--fp32", action="store_true")
    a.add_argument("--objective", choices=["masked", "dual"], default="masked", help="objective.py or dual.py")
    a.add_argument("--init", help="safetensors of a model of the same shape to begin from")
    return a.parse_args()


def rate(step: int, args) -> float:
    """Warm-up, constant, then linear decay."""
    decay_from = args.steps * (1 - args.decay)
    return min(1.0, (step + 1) / args.warmup, max(0.0, (args.steps - step) / (args.steps - decay_from)))


def main():
    args = parse()
    goal = {"masked": objective, "dual": dual}[args.objective]
    torch.set_num_threads(args.threads)
    # Compiled kernels otherwise use every core, and wait for each other when something else runs beside them.
    torch._inductor.config.cpp.threads = args.threads
    torch.manual_seed(args.seed)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    sets = {name: Problems(args.data, f"{name}-train") for name in ("long", "short")}
    streams = {name: batches(problems, args.batch, args.seed) for name, problems in sets.items()}
    meta = sets["long"].meta
    word_ids = torch.tensor(meta["word_ids"] + [meta["end_id"]])
    model = LLaDA(Config(meta["vocab_size"], args.width, args.layers, mlp_hidden_size=args.hidden))
    hidden = [p for n, p in model.named_parameters() if p.ndim == 2 and "wte" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "wte" in n]
    optimizers = [Muon(hidden, lr=args.muon_lr), torch.optim.AdamW(others, lr=args.adam_lr, betas=(0.9, 0.98), weight_decay=0.0)]
    base = [o.param_groups[0]["lr"] for o in optimizers]
    step, tokens, seconds = 0, 0, 0.0
    taken = {name: 0 for name in sets}
    if args.init and not (out / "checkpoint.pt").exists():
        model.load_state_dict(read_safetensors(Path(args.init)))
    if (out / "checkpoint.pt").exists():
        saved = torch.load(out / "checkpoint.pt")
        model.load_state_dict(saved["model"])
        for optimizer, state in zip(optimizers, saved["optimizers"]):
            optimizer.load_state_dict(state)
        step, tokens, seconds, taken = (saved[k] for k in ("step", "tokens", "seconds", "taken"))
        for name, count in taken.items():
            for _ in range(count):
                next(streams[name])
    print("parameters", sum(p.numel() for p in model.parameters()), "from step", step, flush=True)

    def loss_of(ids, positions, mask, first, targets, weights):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not args.fp32):
            logits = model(ids, positions, mask, slice(first, None))
        each = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="none").view(targets.shape)
        return (each * weights).sum(), each.detach()

    loss_of = torch.compile(loss_of, dynamic=True)

    def save():
        state = dict(model=model.state_dict(), optimizers=[o.state_dict() for o in optimizers], step=step,
                     tokens=tokens, seconds=seconds, taken=taken, config=vars(model.config))
        torch.save(state, out / "checkpoint.tmp")
        (out / "checkpoint.tmp").rename(out / "checkpoint.pt")

    log = open(out / "training-log.jsonl", "a")
    sums, saved_at, began = {}, time.time(), time.time()
    while step < args.steps:
        # One generator per step: a resumed run draws what an uninterrupted one would have drawn.
        generator = torch.Generator().manual_seed(args.seed * 1_000_003 + step)
        name = "short" if torch.rand(1, generator=generator) < args.short else "long"
        prompt, response = sets[name].rows(next(streams[name]))
        taken[name] += 1
        b = goal.make_batch(prompt, response, goal.sample_layout(generator), meta["mask_id"], word_ids, generator)
        loss, each = loss_of(b.ids, b.positions, b.mask, b.first, b.targets, b.weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, lr in zip(optimizers, base):
            optimizer.param_groups[0]["lr"] = lr * rate(step, args)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step, tokens = step + 1, tokens + b.ids.numel()
        sums.setdefault("loss", []).append(loss.item())
        sums.setdefault(b.layout, []).append(each[b.masked].mean().item())
        seen = each[~b.masked & (b.weights > 0)]
        if seen.numel() > 0:
            sums.setdefault("visible", []).append(seen.mean().item())
        if step % 100 == 0 or step == args.steps:
            line = dict(step=step, tokens=tokens, seconds=round(seconds + time.time() - began, 1), rate=round(rate(step, args), 4),
                        **{k: round(sum(v) / len(v), 4) for k, v in sums.items()})
            print(json.dumps(line), flush=True)
            log.write(json.dumps(line) + "\n")
            log.flush()
            sums = {}
        if time.time() - saved_at > 60 * args.save_minutes or step == args.steps:
            seconds, began = seconds + time.time() - began, time.time()
            save()
            saved_at = time.time()


if __name__ == "__main__":
    main()
