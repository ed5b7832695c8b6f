#!/bin/sh
# Exchanges the APIs one by one while clients are served: deploy/rolling.sh, after `docker compose build` or `pull`.
# The gateway sends nothing new to the one that goes; that one ends what it has, and its live clients resume at the other.
set -eu
cd "$(dirname "$0")/.."
upstreams=deploy/gateway/upstreams.conf

change() {
    # Written in place: another file of the same name would not reach the container.
    sed "$1" "$upstreams" >"$upstreams.new"
    cat "$upstreams.new" >"$upstreams"
    rm "$upstreams.new"
    docker compose exec -T gateway nginx -p /tmp -c /etc/nginx/earful/nginx.conf -s reload
    # Done a moment later: what was under way goes on as before.
    sleep 1
}
keep_out() { change "/# $1\$/s/;/ down;/"; }
let_in() { change "/# $1\$/s/ down;/;/"; }

# What the new version needs of the database is added first; the old one does not mind (docs/deployment.md).
docker compose run --rm migrate
for api in api-1 api-2; do
    trap 'let_in "$api"' EXIT
    keep_out "$api"
    docker compose up --detach --no-deps --wait "$api"
    let_in "$api"
    trap - EXIT
done
docker compose up --detach --no-deps --wait worker relay
