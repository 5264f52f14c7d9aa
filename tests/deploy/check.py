#!/usr/bin/env python3
"""Everything under deploy/ and helm/, checked without a cluster: scripts/check-deploy.sh runs it with what it needs.

A check is a generator of sentences: each says what is wrong where, and the mend. To add one, write it in the module
that it belongs to and list it in that module's CHECKS. Names on the command line choose checks.
"""

import sys
import time

import binary
import chart
import images
import live
import monitoring
import release
import scaler

MODULES = [images, chart, monitoring, live, scaler, release]


def main():
    if not binary.BINARY.exists():
        sys.exit(f"`{binary.BINARY}` is not there; build it (`cargo build -p spanfleet`) or name another in SPANFLEET_BIN")
    wanted = set(sys.argv[1:])
    wrong = 0
    for module in MODULES:
        for check in module.CHECKS:
            name = f"{module.__name__}.{check.__name__}"
            if wanted and not wanted & {name, module.__name__}:
                continue
            begin = time.monotonic()
            findings = list(check())
            print(f"{'wrong' if findings else 'ok   '} {name} ({time.monotonic() - begin:.1f} s)", flush=True)
            for finding in findings:
                print(f"      {finding}", flush=True)
            wrong += len(findings)
    if wrong:
        sys.exit(f"{wrong} findings")


if __name__ == "__main__":
    main()
