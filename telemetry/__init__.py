"""What work tells of itself while it is done: the trace it belongs to, lines in a log. It knows nothing of Earful."""
