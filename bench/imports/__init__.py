"""Large files in and out, with a worker that is killed on the way."""
