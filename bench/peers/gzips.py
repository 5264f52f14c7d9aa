"""Compresses a file by what only Python has wheels of: `gzips.py COMPRESSOR LEVEL FILE` prints CPU seconds and bytes."""

import sys
import time
from pathlib import Path

BLOCK_BYTES = 256 << 10

compressor, level, path = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
if compressor == "isa-l":
    from isal.igzip import compress
else:
    from zlib_ng.gzip_ng import compress
content = path.read_bytes()
begun, size = time.process_time(), 0
for at in range(0, len(content), BLOCK_BYTES):
    size += len(compress(content[at:at + BLOCK_BYTES], compresslevel=level))
print(time.process_time() - begun, size)
