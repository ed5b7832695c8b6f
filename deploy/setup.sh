#!/bin/sh
# Makes what compose.yaml needs for a first try: secrets and a self-signed certificate, in deploy/secrets.
# What is there already is kept, so that it can be run again, and a certificate of your own put in its place.
set -eu
umask 022
cd "$(dirname "$0")"
mkdir -p secrets
# Nobody else passes; the files below can be read by the containers' users, who are not you.
chmod 0700 secrets
cd secrets

random() { [ -s "$2" ] || openssl rand -hex "$1" >"$2"; }
keep() { [ -s "$1" ] || printf '%s\n' "$2" >"$1"; }

random 32 secret_key
random 24 metrics_token
random 24 postgres_password
random 24 earful_password
random 24 replicator_password
random 24 grafana_password
random 24 valkey_password
random 10 s3_access_key_id
random 24 s3_secret_access_key

password="$(cat earful_password)"
keep database_url "postgresql://earful:$password@pgbouncer:6432/earful"
keep database_direct_url "postgresql://earful:$password@postgres:5432/earful"
keep database_replica_url "postgresql://earful:$password@postgres-replica:5432/earful"
keep pgbouncer_users "\"earful\" \"$password\""
keep redis_url "redis://:$(cat valkey_password)@valkey:6379/0"
keep valkey_acl "user default on >$(cat valkey_password) ~* &* +@all"
s3="\"accessKey\": \"$(cat s3_access_key_id)\", \"secretKey\": \"$(cat s3_secret_access_key)\""
actions='"Admin", "Read", "Write", "List", "Tagging"'
keep s3_config "{\"identities\": [{\"name\": \"earful\", \"credentials\": [{$s3}], \"actions\": [$actions]}]}"

host="${1:-localhost}"
if [ ! -s tls_key ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=$host" \
        -addext "subjectAltName=DNS:$host,IP:127.0.0.1" -keyout tls_key -out tls_certificate 2>/dev/null
    chmod 0644 tls_key
fi
cat <<TEXT
deploy/secrets is there. Now:
  docker compose up --build --detach --wait
  docker compose exec api-1 python -m app create-user you@example.com
and https://$host is yours. Grafana is on http://127.0.0.1:3000 (admin, deploy/secrets/grafana_password).
TEXT
