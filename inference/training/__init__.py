"""How the sentiment model was made: read, fine-tune, export, measure, describe."""
