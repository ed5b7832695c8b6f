"""The servers that Earful's subscriptions are compared with."""
