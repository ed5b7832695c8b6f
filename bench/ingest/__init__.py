"""Signed webhooks that are stored and committed, by Earful, by Node, and by pgbench without a server."""
