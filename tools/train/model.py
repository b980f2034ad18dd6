"""The LLaDA architecture in PyTorch, with the tensor names of its public checkpoints."""
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab_size: int
    d_model: int = 128
    n_layers: int = 4
    n_heads: int = 4
    mlp_hidden_size: int = 384
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-5
    max_sequence_length: int = 256


def rope_tables(config: Config) -> tuple[torch.Tensor, torch.Tensor]:
    half = config.d_model // config.n_heads // 2
    frequency = config.rope_theta ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.arange(config.max_sequence_length, dtype=torch.float64)[:, None] * frequency
    return angle.cos().float(), angle.sin().float()


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Half-split rotary embedding: the pair of channel i is channel i + head_dim / 2."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def attend(q, k, v, mask):
    """Plain attention. PyTorch's fused CPU kernel has a backward pass three times slower than this."""
    batch, heads, rows, size = q.shape
    q, k, v = (x.reshape(batch * heads, rows, size) for x in (q * size ** -0.5, k, v))
    scores = torch.bmm(q, k.transpose(1, 2)).float()
    if mask is not None:
        scores = scores + mask
    out = torch.bmm(torch.softmax(scores, -1).to(v.dtype), v)
    return out.view(batch, heads, rows, size)


class Norm(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(config.d_model))
        self.eps = config.rms_norm_eps

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


class Block(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        d, hidden = config.d_model, config.mlp_hidden_size
        self.n_heads = config.n_heads
        self.attn_norm, self.ff_norm = Norm(config), Norm(config)
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(d, d, bias=False) for _ in range(3))
        self.attn_out = nn.Linear(d, d, bias=False)
        self.ff_proj, self.up_proj = (nn.Linear(d, hidden, bias=False) for _ in range(2))
        self.ff_out = nn.Linear(hidden, d, bias=False)

    def forward(self, x, cos, sin, mask):
        batch, rows, d = x.shape
        h = self.attn_norm(x)
        q, k, v = (p(h).view(batch, rows, self.n_heads, -1).transpose(1, 2)
                   for p in (self.q_proj, self.k_proj, self.v_proj))
        a = attend(rotate(q, cos, sin).to(v.dtype), rotate(k, cos, sin).to(v.dtype), v, mask)
        x = x + self.attn_out(a.transpose(1, 2).reshape(batch, rows, d))
        h = self.ff_norm(x)
        return x + self.ff_out(F.silu(self.ff_proj(h)) * self.up_proj(h))


class Transformer(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.wte = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.ln_f = Norm(config)


class LLaDA(nn.Module):
    """Bidirectional transformer; the head is the transposed embedding (weight_tying)."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.model = nn.ModuleDict({"transformer": Transformer(config)})
        cos, sin = rope_tables(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                scale = 0.02 if "wte" in name else p.shape[1] ** -0.5
                # Residual outputs start small so that depth does not inflate the stream.
                if "attn_out" in name or "ff_out" in name:
                    scale /= (2 * config.n_layers) ** 0.5
                nn.init.normal_(p, std=scale)

    def forward(self, ids, positions, mask=None, rows=None):
        """Logits of `rows` (a slice, default all) for token ids at the given positions."""
        t = self.model["transformer"]
        x = t.wte(ids)
        cos, sin = self.cos[positions], self.sin[positions]
        for block in t.blocks:
            x = block(x, cos, sin, mask)
        if rows is not None:
            x = x[:, rows]
        return F.linear(t.ln_f(x), t.wte.weight)
