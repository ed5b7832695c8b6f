"""The Dramatiq edge: the outbox relay, the actors, the schedules."""
