#!/bin/sh
# Makes Earful's role and database, and the role that replicas copy with. The image runs it once, on an empty volume.
set -eu
# Earful's role is no superuser: row-level security does not bind those.
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres \
    -v earful="$(cat /run/secrets/earful_password)" -v replicator="$(cat /run/secrets/replicator_password)" <<'SQL'
CREATE ROLE earful LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'earful';
CREATE DATABASE earful OWNER earful;
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replicator';
SQL
