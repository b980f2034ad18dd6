"""Logits of llama.cpp for the small random models of test/engine/libllama.test.ts.

  npm i --prefix /tmp/llama --ignore-scripts node-llama-cpp@3.22.1
  DLLM_GGUF_DIRECTORY=/tmp/gguf npx vitest run test/engine/libllama.test.ts
  python3 tools/golden/libllama_logits.py /tmp/llama /tmp/gguf > test/golden/libllama-logits.json

Calls the prebuilt libllama directly. Its parameter structs are passed by value and grow from version to version, so
they are treated as arrays that are at least as large; only the leading fields of the context are touched.
"""
import ctypes as C
import json
import sys
from pathlib import Path

IDS = [11, 8, 5, 2, 39, 36, 33, 30, 27, 24, 5, 5]
VOCAB = 40


class ModelParams(C.Structure):
    _fields_ = [("words", C.c_int64 * 64)]


class ContextParams(C.Structure):
    """Leading fields: n_ctx, n_batch, n_ubatch."""
    _fields_ = [("fields", C.c_int32 * 128)]


class Batch(C.Structure):
    _fields_ = [("n_tokens", C.c_int32), ("token", C.POINTER(C.c_int32)), ("embd", C.c_void_p),
                ("pos", C.POINTER(C.c_int32)), ("n_seq_id", C.POINTER(C.c_int32)),
                ("seq_id", C.POINTER(C.POINTER(C.c_int32))), ("logits", C.POINTER(C.c_int8))]


def load_library(install: Path):
    binaries = next(install.glob("node_modules/@node-llama-cpp/linux-x64/bins/linux-x64"))
    for path in sorted(binaries.glob("libggml*.so*")):
        try:
            ggml = C.CDLL(str(path), mode=C.RTLD_GLOBAL)
        except OSError:
            continue
        if hasattr(ggml, "ggml_backend_load_all_from_path"):
            ggml.ggml_backend_load_all_from_path(str(binaries).encode())
    path = next(binaries.glob("libllama.v*.so"))
    llama = C.CDLL(str(path))
    llama.llama_model_default_params.restype = ModelParams
    llama.llama_context_default_params.restype = ContextParams
    llama.llama_model_load_from_file.restype = C.c_void_p
    llama.llama_model_load_from_file.argtypes = [C.c_char_p, ModelParams]
    llama.llama_init_from_model.restype = C.c_void_p
    llama.llama_init_from_model.argtypes = [C.c_void_p, ContextParams]
    llama.llama_batch_init.restype = Batch
    llama.llama_batch_init.argtypes = [C.c_int32] * 3
    llama.llama_decode.argtypes = [C.c_void_p, Batch]
    llama.llama_get_logits_ith.restype = C.POINTER(C.c_float)
    llama.llama_get_logits_ith.argtypes = [C.c_void_p, C.c_int32]
    return llama, path.name


def logits(llama, path: Path) -> list[float]:
    model = llama.llama_model_load_from_file(str(path).encode(), llama.llama_model_default_params())
    if not model:
        raise SystemExit(f"llama.cpp does not load {path}")
    params = llama.llama_context_default_params()
    params.fields[0] = params.fields[1] = params.fields[2] = 64
    # Four enums default to -1; the last is flash attention, whose f16 K and V would cost three digits: off.
    params.fields[[i for i in range(4, 14) if params.fields[i] == -1][-1]] = 0
    context = llama.llama_init_from_model(model, params)
    batch = llama.llama_batch_init(len(IDS), 0, 1)
    batch.n_tokens = len(IDS)
    for i, token in enumerate(IDS):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, i, 1, 0, 1
    if llama.llama_decode(context, batch) != 0:
        raise SystemExit(f"llama.cpp does not run {path}")
    return [float(f"{x:.7g}") for i in range(len(IDS)) for x in llama.llama_get_logits_ith(context, i)[:VOCAB]]


def main():
    install, directory = Path(sys.argv[1]), Path(sys.argv[2])
    llama, version = load_library(install)
    quiet = C.CFUNCTYPE(None, C.c_int, C.c_char_p, C.c_void_p)(lambda level, text, data: None)
    llama.llama_log_set(quiet, None)
    llama.llama_backend_init()
    result = {path.stem: logits(llama, path) for path in sorted(directory.glob("*.gguf"))}
    origin = f"tools/golden/libllama_logits.py, {version} of node-llama-cpp 3.22.1, f32 on CPU, flash attention off"
    print(json.dumps({"origin": origin, "ids": IDS, "logits": result}, separators=(",", ":")))


if __name__ == "__main__":
    main()
