"""What a training batch shows and what it asks for. src/train/objective.ts has the same definitions.

LLaDA: t ~ U(0, 1), every response token is masked with probability t, cross-entropy of the masked
tokens weighted 1 / max(t, T_MIN), the prompt is never masked. Four layouts of the same objective:

  canvas     all 128 response tokens; t applies to all of them
  suffix     a window of 32: before it visible, inside masked with probability t, after it masked
  truncated  the same, but the canvas ends where the window ends
  blocks     all windows of a response at once: rows are prompt, clean response, noisy response;
             an attention mask lets window i see the prompt, the clean tokens before it and itself,
             which is what decoding with a frozen prefix KV computes

Some visible tokens are replaced by another token; all visible ones also predict their original
token at a small weight, so that re-scoring a committed token means something.
"""
from dataclasses import dataclass

import torch

WINDOW = 32
T_MIN = 0.1
LAYOUTS = {"canvas": 0.25, "suffix": 0.15, "truncated": 0.2, "blocks": 0.4}
SLOPED_SHARE = 0.3  # of samples whose left tokens are revealed first, as in decoding
CORRUPTED_SHARE = 0.4  # of samples; their visible tokens are replaced at a rate of U(0, 0.15)
CORRUPTION_MAX = 0.15
VISIBLE_WEIGHT = 0.1


@dataclass
class Batch:
    layout: str
    ids: torch.Tensor  # [batch, rows]
    positions: torch.Tensor  # [rows]
    mask: torch.Tensor | None  # [rows, rows], added to the attention scores
    first: int  # the last rows, from this one on, have targets
    targets: torch.Tensor
    weights: torch.Tensor  # per target; masked ones sum to about 1
    masked: torch.Tensor


def stratified(count: int, generator: torch.Generator) -> torch.Tensor:
    """`count` values, each uniform in (0, 1), evenly spread as a group."""
    offset = torch.rand(1, generator=generator)
    order = torch.randperm(count, generator=generator)
    return (order + offset) / count


def sample_layout(generator: torch.Generator) -> str:
    weights = torch.tensor(list(LAYOUTS.values()))
    return list(LAYOUTS)[torch.multinomial(weights, 1, generator=generator)]


def window_start(length: int, generator: torch.Generator) -> int:
    """Half of the windows are decoding blocks, half start anywhere (sliding windows)."""
    if torch.rand(1, generator=generator) < 0.5:
        return WINDOW * int(torch.randint(length // WINDOW, (1,), generator=generator))
    return int(torch.randint(length - WINDOW + 1, (1,), generator=generator))


def mask_probability(t: torch.Tensor, place: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Probability per token; `place` is its place in the window, 0 to 1."""
    sloped = torch.rand(t.shape[0], 1, generator=generator) < SLOPED_SHARE
    return (t + sloped * (place - 0.5)).clamp(0, 1)


def corrupt(response: torch.Tensor, word_ids: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Replaces tokens: half by any word, half by another token of the same response."""
    batch, length = response.shape
    chosen = torch.rand(batch, 1, generator=generator) < CORRUPTED_SHARE
    rate = torch.rand(batch, 1, generator=generator) * CORRUPTION_MAX * chosen
    anything = word_ids[torch.randint(len(word_ids), (batch, length), generator=generator)]
    elsewhere = response.gather(1, torch.randint(length, (batch, length), generator=generator))
    other = torch.where(torch.rand(batch, length, generator=generator) < 0.5, anything, elsewhere)
    return torch.where(torch.rand(batch, length, generator=generator) < rate, other, response)


def make_batch(prompt, response, layout, mask_id, word_ids, generator) -> Batch:
    """`prompt` [batch, p] and `response` [batch, r], end-of-text filled, as token ids."""
    batch, p = prompt.shape
    length = response.shape[1]
    place = torch.arange(length)
    if layout == "blocks":
        offset = 0
        if torch.rand(1, generator=generator) < 0.5:
            offset = int(torch.randint(WINDOW, (1,), generator=generator))
        window = (place - offset).div(WINDOW, rounding_mode="floor") + 1  # a first part window is 0
        t = stratified(batch * (length // WINDOW + 1), generator).view(batch, -1)[:, window]
        inside = ((place - offset) % WINDOW) / (WINDOW - 1)
        begin = 0
        counted = torch.ones(length, dtype=torch.bool)
    elif layout == "canvas":
        t = stratified(batch, generator)[:, None].expand(batch, length)
        inside = torch.full((length,), 0.5)
        counted = torch.ones(length, dtype=torch.bool)
    else:
        begin = window_start(length, generator)
        if layout == "truncated":
            length = begin + WINDOW
            response, place = response[:, :length], place[:length]
        t = stratified(batch, generator)[:, None].expand(batch, length)
        inside = (place - begin) / (WINDOW - 1)
        counted = (place >= begin) & (place < begin + WINDOW)
    masked = torch.rand(batch, length, generator=generator) < mask_probability(t, inside, generator)
    if layout in ("suffix", "truncated"):
        masked = (masked & counted) | (place >= begin + WINDOW)
    noisy = corrupt(response, word_ids, generator).masked_fill(masked, mask_id)
    weights = torch.where(masked & counted, 1 / t.clamp(min=T_MIN) / counted.sum(), 0.0)
    visible = ~masked
    weights = weights + visible * (VISIBLE_WEIGHT / visible.sum(1, keepdim=True).clamp(min=1))
    weights = weights / batch
    if layout != "blocks":
        ids = torch.cat([prompt, noisy], 1)
        return Batch(layout, ids, torch.arange(p + length), None, p, response, weights, masked & counted)
    clean = int((window < window[-1]).sum())  # nothing looks at the last window's clean rows
    ids = torch.cat([prompt, response[:, :clean], noisy], 1)
    positions = torch.cat([torch.arange(p + clean), torch.arange(p, p + length)])
    return Batch(layout, ids, positions, blocks_mask(p, window, clean), p + clean, response, weights, masked)


def blocks_mask(p: int, window: torch.Tensor, clean: int) -> torch.Tensor:
    """Additive attention mask of the `blocks` layout; `window` is each response token's window."""
    step = torch.cat([torch.full((p,), -1), window[:clean]])  # prompt and clean rows
    sees_clean = torch.cat([step[:, None] >= step[None], window[:, None] > step[None]])
    sees_noisy = torch.cat([torch.zeros(p + clean, len(window), dtype=torch.bool), window[:, None] == window[None]])
    allowed = torch.cat([sees_clean, sees_noisy], 1)
    return torch.zeros(allowed.shape).masked_fill(~allowed, float("-inf"))
