"""Models that run in our own processes: arrays in, arrays out."""

import os

# ONNX Runtime reports to its makers as soon as it is imported, unless told not to before.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# The tokenizers would take a thread on every core for a few sentences; one reads here.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
