"""Turns the file that `manage.py demo` wrote into one bootstrap file and one key file for each demo edge (0600)."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(demo: Path, backend: str) -> None:
    os.umask(0o077)
    for edge in json.loads(demo.read_text())["edges"]:
        name = edge["site_key"]
        key = demo.with_name(f"{name}.key")
        key.write_text(edge["key"])
        demo.with_name(f"{name}.yaml").write_text(f"url: {backend}\nkey_file: {key}\nstore: /data/{name}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
