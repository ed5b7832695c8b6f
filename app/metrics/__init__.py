"""`GET /metrics`: what processes count, and to whom they tell it."""
