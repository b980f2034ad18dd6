"""Reads the problems written by src/train/export-data.ts, grouped so that no row is padding."""
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch


class Problems:
    def __init__(self, directory: str, name: str):
        meta = json.loads((Path(directory) / "meta.json").read_text())
        self.meta, self.set = meta, name.split("-")[0]
        self.canvas = meta["limits"][self.set]["canvas"]
        self.tokens = np.memmap(Path(directory) / f"{name}.tokens.u16", dtype="<u2", mode="r")
        self.lengths = np.fromfile(Path(directory) / f"{name}.index.u32", dtype="<u4").reshape(-1, 2).astype(np.int64)
        self.starts = np.concatenate([[0], self.lengths.sum(1).cumsum()])

    def __len__(self) -> int:
        return len(self.lengths)

    def rows(self, indices) -> tuple[torch.Tensor, torch.Tensor]:
        """Prompts (all of one length) and responses filled with end-of-text."""
        prompts, responses = [], np.full((len(indices), self.canvas), self.meta["end_id"])
        for row, i in enumerate(indices):
            p, r = self.lengths[i]
            text = self.tokens[self.starts[i]:self.starts[i] + p + r]
            prompts.append(text[:p].astype(np.int64))
            responses[row, :r] = text[p:]
        return torch.from_numpy(np.stack(prompts)), torch.from_numpy(responses)

    def by_prompt_length(self, first: int, last: int) -> dict[int, list[int]]:
        groups = defaultdict(list)
        for i in range(first, last):
            groups[int(self.lengths[i, 0])].append(i)
        return groups


def batches(problems: Problems, size: int, seed: int, chunk: int = 16384):
    """Every problem once, in batches of one prompt length; a short rest joins the next chunk."""
    rest = defaultdict(list)
    for first in range(0, len(problems), chunk):
        ready = []
        for length, indices in problems.by_prompt_length(first, min(first + chunk, len(problems))).items():
            rest[length] += indices
            while len(rest[length]) >= size:
                ready.append(rest[length][:size])
                del rest[length][:size]
        order = np.random.default_rng([seed, first]).permutation(len(ready))
        for k in order:
            yield ready[k]
