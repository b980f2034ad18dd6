"""The objective of a model that reads left to right and in blocks (arXiv:2607.05722 and 2512.22737): one set of weights, three layouts.

A row that is fed a token is about the next token, a row that is fed the mask is about its own. Prompt and clean response come first,
then the noisy response, whose rows have the positions of the clean ones; an additive mask says who sees whom:

  causal   clean rows see what is left of them, and predict the next token; noisy windows of random width and place see themselves
           and the clean rows before them, their first row is a token: the draft pass of self-speculation
  blocks   clean rows see their block of 8, from position 0, and what is left of it; so do noisy ones: block-causal decoding
  stream   clean rows are causal; in noisy windows tokens see the tokens before them, masks all tokens of the window and the masks
           before them: what a causal pass computes when tokens come before masks
"""
import torch

from objective import Batch, T_MIN, corrupt, mask_probability, stratified

BLOCK = 8
LAYOUTS = {"causal": 0.4, "blocks": 0.4, "stream": 0.2}
# Windows of drafts and of streams, widest included.
WIDTHS = {"causal": (8, 32), "stream": (8, 24)}
NEXT_WEIGHT = 1.0  # of the mean loss of next tokens, beside that of masks


def sample_layout(generator: torch.Generator) -> str:
    weights = torch.tensor(list(LAYOUTS.values()))
    return list(LAYOUTS)[torch.multinomial(weights, 1, generator=generator)]


def windows(layout: str, length: int, generator: torch.Generator) -> torch.Tensor:
    """Window of every noisy row, rising from 0."""
    place = torch.arange(length)
    if layout == "blocks":
        return place // BLOCK
    narrowest, widest = WIDTHS[layout]
    width = int(torch.randint(narrowest, widest + 1, (1,), generator=generator))
    return (place + int(torch.randint(width, (1,), generator=generator))) // width


def visibility(layout: str, p: int, window: torch.Tensor, masked: torch.Tensor) -> torch.Tensor:
    """Who sees whom, [rows, rows]: `p` prompt rows, clean rows, noisy rows; `masked` of one sample, for streams."""
    length = len(window)
    place, order = torch.arange(p + length), torch.arange(length)
    step = place // BLOCK if layout == "blocks" else place
    clean = torch.cat([torch.full((p,), -1), window])  # the prompt is before every window
    own = window[:, None] == window[None]
    if layout == "stream":
        before = order[:, None] >= order[None]
        own = own & torch.where(masked[None], masked[:, None] & before, masked[:, None] | before)
    return torch.cat([
        torch.cat([step[:, None] >= step[None], torch.zeros(p + length, length, dtype=torch.bool)], 1),
        torch.cat([window[:, None] > clean[None], own], 1),
    ])


def make_batch(prompt, response, layout, mask_id, word_ids, generator) -> Batch:
    """`prompt` [batch, p] and `response` [batch, r], end-of-text filled, as token ids."""
    batch, p = prompt.shape
    # The last block of the prompt may be shared with the response; its rows are computed with it, and never masked.
    shared = p % BLOCK if layout == "blocks" else 0
    prompt, response = prompt[:, :p - shared], torch.cat([prompt[:, p - shared:], response], 1)
    p, length = prompt.shape[1], response.shape[1]
    window = windows(layout, length, generator)
    count = int(window[-1]) + 1
    first = torch.cat([torch.ones(1, dtype=torch.bool), window[1:] != window[:-1]])
    sizes = torch.bincount(window)[window]
    inside = (torch.arange(length) - torch.nonzero(first).flatten()[window]) / sizes
    # In a stream one draw for all samples: who sees whom depends on it.
    draws = 1 if layout == "stream" else batch
    t = stratified(draws * count, generator).view(draws, count)[:, window]
    masked = torch.rand(draws, length, generator=generator) < mask_probability(t, inside, generator)
    if layout == "causal":
        # Half of the samples are a draft as it is made: a token, then masks.
        whole = torch.rand(batch, 1, generator=generator) < 0.5
        masked = (masked | whole) & ~first
        t = torch.where(whole, 1.0, t)
    masked[:, :shared] = False
    noisy = response if layout == "stream" else corrupt(response, word_ids, generator)
    noisy = torch.cat([response[:, :shared], noisy[:, shared:]], 1).masked_fill(masked, mask_id)
    allowed = visibility(layout, p, window, masked[0])
    mask = torch.zeros(allowed.shape).masked_fill(~allowed, float("-inf"))
    masked = masked.expand(batch, length)
    own = torch.where(masked, 1 / t.clamp(min=T_MIN), 0.0) / (length * batch)
    ids = torch.cat([prompt, response, noisy], 1)
    positions = torch.cat([torch.arange(p + length), torch.arange(p, p + length)])
    if layout == "blocks":
        return Batch(layout, ids, positions, mask, p + length, response, own, masked)
    # Rows from the prompt's last to the last but one are about the next token; then come the noisy ones.
    following = torch.full((batch, length), NEXT_WEIGHT / (length * batch))
    targets = torch.cat([response, response[:, :1], response], 1)
    weights = torch.cat([following, torch.zeros(batch, 1), own], 1)
    of_masks = torch.cat([torch.zeros(batch, length + 1, dtype=torch.bool), masked], 1)
    return Batch(layout, ids, positions, mask, p - 1, targets, weights, of_masks)
