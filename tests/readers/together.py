"""Runs scripts one after the other, each in a process of its own that begins with a framework imported already.

    python together.py tensorflow,keras FOLDER/load.py OTHER/load.py

The import is most of what a small script costs. What a script prints and how it ended stand beside it in `load.out`
and `load.status`.
"""

import importlib
import os
import runpy
import sys
import traceback
from pathlib import Path


def run(script: Path) -> int:
    """In the child: the script as `python script` would run it."""
    out = os.open(script.with_suffix(".out"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.argv[:] = [str(script)]
    sys.path[0] = str(script.parent)
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as end:
        print(end)
        return 1 if end.code else 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    for name in sys.argv[1].split(","):
        importlib.import_module(name)
    for script in map(Path, sys.argv[2:]):
        child = os.fork()
        if child == 0:
            status = run(script)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        _, status = os.waitpid(child, 0)
        script.with_suffix(".status").write_text(str(os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    main()
