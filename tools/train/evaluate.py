"""Decodes held-out problems and writes the texts' ids for the scorer in src/train/score.ts.

Policies (blocks of 32, highest confidence first): "one" commits one token per step; a number is a
threshold, all tokens at or above it are committed and at least one. Views: "truncated" shows the
prompt, finished blocks and the current block; "suffix" also the masks after it; "frozen" is
truncated with the key/value entries of earlier blocks as they were when their block ended.
"""
import argparse
import json
from pathlib import Path

import torch

from data import Problems
from model import Config, LLaDA
from objective import blocks_mask

BLOCK = 32


def view_inputs(view, prompt, canvas, begin, p):
    end = begin + BLOCK
    if view == "suffix":
        ids = torch.cat([prompt, canvas], 1)
    else:
        ids = torch.cat([prompt, canvas[:, :end]], 1)
    mask = None
    if view == "frozen":
        window = torch.arange(end) // BLOCK
        mask = blocks_mask(p, window, end)[: p + end, : p + end]
    return ids, mask


@torch.no_grad()
def decode(model, prompt, length, policy, view, meta):
    """Returns final ids, forwards per sample, commit step per position, and flipped positions."""
    batch, p = prompt.shape
    canvas = torch.full((batch, length), meta["mask_id"])
    forwards = torch.zeros(batch)
    commit_step = torch.zeros(batch, length)
    flipped = torch.zeros(batch, length, dtype=torch.bool)
    threshold = 2.0 if policy == "one" else float(policy)
    rows = torch.arange(batch)
    for begin in range(0, length, BLOCK):
        window = canvas[:, begin:begin + BLOCK]
        step = 0
        while True:
            masked = window == meta["mask_id"]
            active = masked.any(1)
            ids, mask = view_inputs(view, prompt, canvas, begin, p)
            logits = model(ids, torch.arange(ids.shape[1]), mask, slice(p + begin, p + begin + BLOCK)).float()
            logits[..., meta["mask_id"]] = -torch.inf
            confidence, token = logits.softmax(-1).max(-1)
            # The pass after the last commit only re-scores; it is not counted as a forward.
            flipped[:, begin:begin + BLOCK] |= ~masked & (token != window)
            if not active.any():
                break
            confidence = confidence.masked_fill(~masked, -1)
            commit = confidence >= threshold
            commit[rows, confidence.argmax(1)] = True
            commit &= masked
            window[commit] = token[commit]
            step += 1
            commit_step[:, begin:begin + BLOCK][commit] = step
            forwards += active
    return canvas, forwards, commit_step, flipped


def load(path):
    saved = torch.load(path)
    model = LLaDA(Config(**saved["config"]))
    model.load_state_dict(saved["model"])
    return model.eval(), saved


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--data", required=True)
    a.add_argument("--checkpoint", required=True)
    a.add_argument("--out", required=True, help="JSON Lines: one decoded problem per line")
    a.add_argument("--set", default="long")
    a.add_argument("--count", type=int, default=128)
    a.add_argument("--policies", nargs="+", default=["one", "0.9"])
    a.add_argument("--views", nargs="+", default=["truncated"])
    a.add_argument("--threads", type=int, default=1)
    args = a.parse_args()
    torch.set_num_threads(args.threads)
    problems = Problems(args.data, f"{args.set}-heldout")
    model, saved = load(args.checkpoint)
    with open(args.out, "w") as out:
        for view in args.views:
            for policy in args.policies:
                run(model, problems, args, policy, view, out)


def run(model, problems, args, policy, view, out):
    total = dict(text=0, canvas=0, forwards=0.0, flipped=0)
    steps, counts = torch.zeros(BLOCK), torch.zeros(BLOCK)
    for p, indices in problems.by_prompt_length(0, args.count).items():
        for k in range(0, len(indices), 64):
            part = indices[k:k + 64]
            prompt, _ = problems.rows(part)
            ids, forwards, commit_step, flipped = decode(model, prompt, problems.canvas, policy, view, problems.meta)
            text = ids != problems.meta["end_id"]
            total["text"] += int(text.sum())
            total["canvas"] += ids.numel()
            total["forwards"] += float(forwards.sum())
            total["flipped"] += int((flipped & text).sum())
            steps += (commit_step * text).view(-1, BLOCK).sum(0)
            counts += text.view(-1, BLOCK).sum(0)
            for i, row in zip(part, ids.tolist()):
                out.write(json.dumps(dict(set=args.set, view=view, policy=policy, index=i, ids=row)) + "\n")
    print(json.dumps(dict(set=args.set, view=view, policy=policy, problems=args.count,
                          forwards=round(total["forwards"] / args.count, 2),
                          tokens_per_forward=round(total["canvas"] / total["forwards"], 2),
                          text_per_forward=round(total["text"] / total["forwards"], 2),
                          text_tokens=round(total["text"] / args.count, 1),
                          flipped_share=round(total["flipped"] / max(1, total["text"]), 4),
                          # Step within the block at which the text of each quarter of a block is committed, on average.
                          commit_step_by_quarter=[round(float(a.sum() / b.sum()), 2) for a, b in zip(steps.view(4, -1), counts.view(4, -1))])), flush=True)


if __name__ == "__main__":
    main()
