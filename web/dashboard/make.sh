#!/bin/sh
# Builds the dashboard if npm is there and something has changed; says so when it cannot, and never fails.
cd "$(dirname "$0")" || exit 0
stamp=dist/server.json

without() {
    if [ -f "$stamp" ]; then
        echo "  $1: the dashboard is the one that was built before"
    else
        echo "  $1: GraphiQL is served alone, without the dashboard"
    fi
    exit 0
}

limited() {
    if command -v timeout >/dev/null; then timeout 240 "$@"; else "$@"; fi
}

changed=$(find src build ./*.json ./*.ts index.html public ../../schema.graphql ../../CHANGELOG.md -path src/gql -prune -o -type f -newer "$stamp" -print 2>/dev/null | head -n 1)
[ -f "$stamp" ] && [ -z "$changed" ] && exit 0
command -v npm >/dev/null || without "npm is not there"

mkdir -p node_modules
log=node_modules/.make.log
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    echo "  Installing what the dashboard is built with (once)"
    limited npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries=1 --fetch-timeout=30000 >"$log" 2>&1 ||
        without "npm could not install (npm ci in web/dashboard says why)"
    touch node_modules/.package-lock.json
    mkdir -p node_modules
fi
echo "  Building the dashboard"
limited npm run build >"$log" 2>&1 || without "The dashboard could not be built (web/dashboard/$log says why)"
