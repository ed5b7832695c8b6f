"""One event to thousands of subscribers, ours and others': what a delivered message costs each server."""
