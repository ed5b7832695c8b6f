"""Models that run in our own processes: arrays in, arrays out."""
