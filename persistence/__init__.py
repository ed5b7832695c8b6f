"""The state Earful owns: Postgres, Redis and buckets. The only place with SQL."""
