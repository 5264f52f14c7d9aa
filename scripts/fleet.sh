#!/usr/bin/env bash
# `fleet.sh up`: private servers, a dispatcher and two workers on this machine, in the background, until
# `fleet.sh down`. What runs, and how to reach it, stands in target/fleet/.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/target/fleet

# Runs inside with-servers, which has started the servers and tells their addresses.
inside() {
    export DATABASE_URL=$SPANFLEET_TEST_POSTGRES_URL AMQP_URL=$SPANFLEET_TEST_AMQP_URL
    export ARTIFACTS_URL=file://$folder/artifacts SPANFLEET_DATA_DIR=$folder/data
    local spanfleet=$PWD/target/debug/spanfleet
    "$spanfleet" migrate
    "$spanfleet" import examples/harbour/harbour.jsonl --project harbour
    mkdir -p "$folder/data"
    (umask 077; "$spanfleet" token create --user local --project harbour --admin >"$folder/data/token")
    "$spanfleet" dispatcher >"$folder/dispatcher.log" 2>&1 &
    "$spanfleet" worker --metrics-listen 127.0.0.1:9091 >"$folder/worker-1.log" 2>&1 &
    "$spanfleet" worker --metrics-listen 127.0.0.1:9092 >"$folder/worker-2.log" 2>&1 &
    # The token stays in its file; the link with it is printed for the person at the terminal alone.
    printf 'http://127.0.0.1:8080/#token=%s\n' "$(cat "$folder/data/token")" >"$folder/address"
    trap 'kill $(jobs -p)' TERM INT
    wait
    wait
}

case ${1:-} in
up)
    if [ -f "$folder/pid" ] && kill -0 "$(cat "$folder/pid")" 2>/dev/null; then
        echo "it is up already: $(cat "$folder/address")"
        exit
    fi
    mkdir -p "$folder"
    rm -f "$folder/address"
    setsid target/debug/with-servers --without-radosgw -- "$0" inside >"$folder/servers.log" 2>&1 </dev/null &
    echo $! >"$folder/pid"
    until [ -f "$folder/address" ]; do
        kill -0 "$(cat "$folder/pid")" || { tail "$folder/servers.log"; exit 1; }
        sleep 0.2
    done
    echo "up: $(cat "$folder/address")"
    ;;
down)
    [ -f "$folder/pid" ] || { echo 'nothing is up'; exit; }
    pid=$(cat "$folder/pid")
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
    rm -rf "$folder"
    echo 'down'
    ;;
inside) inside ;;
*)
    echo "usage: $0 up|down" >&2
    exit 2
    ;;
esac
