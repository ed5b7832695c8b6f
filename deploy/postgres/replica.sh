#!/bin/sh
# Copies the primary into an empty volume, then follows it: what the service postgres-replica runs.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA" && chmod 0700 "$PGDATA"
    PGPASSWORD="$(cat /run/secrets/replicator_password)" pg_basebackup --host=postgres --username=replicator \
        --pgdata="$PGDATA" --write-recovery-conf --wal-method=stream --checkpoint=fast
fi
exec postgres -c config_file=/etc/postgresql/postgresql.conf
