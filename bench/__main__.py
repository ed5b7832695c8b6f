"""`make bench`: run every benchmark and print its table."""

import asyncio

from bench import writes

asyncio.run(writes.main())
