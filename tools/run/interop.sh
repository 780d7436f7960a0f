# shellcheck shell=sh disable=SC2154
# Part of ./run: compares gt with the programs its files are for. Uses say, die, has, install, build, fetch_austen,
# fetch_font, root, cache and log of ./run.

# GT_INTEROP_PIP: what pip shall install, and from where.
setup_interop() {
  python=$cache/interop/bin/python
  if "$python" -c 'import gguf, peft, torch, transformers, xllamacpp' >/dev/null 2>&1; then return 0; fi
  # shellcheck disable=SC2046
  install $(python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv)
  say 'fetching PyTorch, transformers, peft and llama.cpp (once, about 300 MB) ...'
  rm -rf "$cache/interop"
  python3 -m venv "$cache/interop"
  packages='torch==2.13.0 numpy transformers==5.23.0 tokenizers safetensors peft==0.21.2 gguf xllamacpp==2026.10.11549'
  arguments="$packages --extra-index-url https://download.pytorch.org/whl/cpu"
  case $("$python" -m pip config list) in *index-url* | *find-links*) arguments=$packages ;; esac
  # shellcheck disable=SC2086
  "$python" -m pip install -q ${GT_INTEROP_PIP:-$arguments} >"$log" 2>&1 || {
    cat "$log" >&2
    die 'the Python packages could not be installed; what pip said stands above. GT_INTEROP_PIP names other arguments of pip install.'
  }
}

run_interop() {
  # shellcheck disable=SC2046,SC2086
  install $(missing $library_needs $test_needs $austen_needs python3=python3 | sort -u)
  setup_interop
  fetch_austen
  fetch_font || die 'the font GNU Unifont (package unifont) could not be fetched with apt-get (is there a network?).'
  build dev 'what is compared' grow generate import export interop_dump interop_adapt
  programs=$root/build/dev/interop work=$root/build/interop
  rm -rf "$programs" "$work"
  mkdir -p "$programs" "$work/hugging-face"
  for program in grow generate import export; do ln -s "$root/build/dev/examples/$program" "$programs/$program"; done
  for program in interop_dump interop_adapt; do ln -s "$root/build/dev/tests/$program" "$programs/$program"; done
  "$programs/grow" --corpus "$austen" --font "$GT_UNIFONT_HEX" --out "$work/run" --tokens 200000 --plan 1+1 --width 64 \
    --heads 4 --vocab 1024 --context 128 >"$log" 2>&1 || {
    cat "$log" >&2
    die 'the model to compare could not be grown; what grow said stands above.'
  }
  "$python" "$root/tests/interop/hugging_face.py" "$programs" "$work/run/model" "$work/hugging-face"
  for type in f32 f16 bf16 q8_0; do
    "$programs/export" "$work/run/model" --gguf "$work/$type.gguf" --type $type >/dev/null
  done
  "$python" "$root/tests/interop/gguf.py" "$work/run/model" --dump "$programs/interop_dump" --text "$austen" \
    "$work/f32.gguf" "$work/f16.gguf" "$work/bf16.gguf" "$work/q8_0.gguf"
}
