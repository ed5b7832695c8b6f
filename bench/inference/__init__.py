"""Scoring texts: the service path, a bare loop of onnxruntime over the same batches, and transformers on PyTorch."""

# Before onnxruntime, which it tells not to report to its makers.
import inference  # noqa: F401
