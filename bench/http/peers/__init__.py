"""The servers that Earful is compared with."""
