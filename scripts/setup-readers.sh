#!/bin/sh
# Makes what reads the exports back: .venv/readers with the libraries of tests/readers/requirements.txt, and
# .venv/torch on Debian's PyTorch, which other versions of some of them go with. Makes only what is missing or
# was changed, starts no service, and says nothing when there is nothing to do. Debian's package is installed as
# root or through sudo; everything else stays in .venv. With --for-bench it makes .venv/bench instead, which holds
# what exports are measured against.
set -eu

cd "$(dirname "$0")/.."
log=$(mktemp)
made_policy=""
restore() {
    rm -f "$log"
    [ -z "$made_policy" ] || as_root rm -f "$made_policy"
}
trap restore EXIT
trap 'exit 130' INT TERM

quietly() { # the output of a command only when it fails
    "$@" >"$log" 2>&1 </dev/null || {
        cat "$log" >&2
        exit 1
    }
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "cannot run \`$*\`: run this as root" >&2
        return 1
    fi
}

# uv installs all of it in a minute; pip takes twenty.
uv=$(command -v uv || echo .venv/uv/bin/uv)

need_uv() {
    [ -x "$uv" ] && return 0
    quietly python3 -m venv .venv/uv
    quietly .venv/uv/bin/pip install uv
}

# An environment carries the list that it was made from.
is_made() { # is_made ENVIRONMENT REQUIREMENTS
    [ -x "$1/bin/python" ] && cmp -s "$2" "$1/requirements.txt"
}

make_environment() { # make_environment ENVIRONMENT REQUIREMENTS ARGUMENT-OF-VENV…
    environment=$1 requirements=$2
    shift 2
    echo "making $environment"
    need_uv
    quietly "$uv" venv --clear "$@" "$environment"
    quietly "$uv" pip install --python "$environment/bin/python" -r "$requirements"
    cp "$requirements" "$environment/requirements.txt"
}

need_torch() {
    [ -d /usr/lib/python3/dist-packages/torch ] && return 0
    command -v apt-get >/dev/null || {
        echo "cannot install python3-torch: no apt-get here, install it by hand" >&2
        exit 1
    }
    echo "installing python3-torch"
    # The packages that it brings along would start their services.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        made_policy=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >"$log"
        as_root install -m 755 "$log" "$made_policy"
    fi
    quietly as_root apt-get update -q
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends python3-torch
}

if [ "${1:-}" = --for-bench ]; then
    peers=bench/peers/requirements.txt
    is_made .venv/bench $peers || make_environment .venv/bench $peers
    exit
fi
readers=tests/readers/requirements.txt
torch=tests/readers/requirements-torch.txt
is_made .venv/readers $readers || make_environment .venv/readers $readers
is_made .venv/torch $torch || {
    need_torch
    make_environment .venv/torch $torch --python /usr/bin/python3 --system-site-packages
}
