"""Background jobs, ours and others': how many a second, what it costs to ask for one, and how soon one begins."""
