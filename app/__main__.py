"""`python -m app`."""

import gc
import sys

from app.cli import main

# What is imported stays: to look through it again and again took a sixth of the time to start.
gc.set_threshold(50_000, 20, 50)
sys.exit(main())
