# shellcheck shell=sh disable=SC2154
# Part of ./run: measures, and makes one table of it. Uses say, die, has, missing, install, build, root, cache and log of
# ./run.

# What others offer for a matrix product; PyTorch comes into an environment of its own.
peer_needs() {
  printf '%s\n' /dnnl.h=libdnnl-dev "/$(g++ -print-multiarch)/cblas.h=libopenblas-openmp-dev" python3=python3
}
# GT_PEERS_PIP: what pip shall install, and from where.
setup_torch() {
  torch=$cache/peers/bin/python
  if "$torch" -c 'import torch' >/dev/null 2>&1; then return 0; fi
  has_python_file='import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'
  # shellcheck disable=SC2046
  install $(python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv) \
    $(python3 -c "$has_python_file" || echo python3-dev) # torch.compile compiles against it
  say 'fetching PyTorch (once, about 200 MB) ...'
  rm -rf "$cache/peers"
  python3 -m venv "$cache/peers"
  arguments='torch==2.13.0 numpy --index-url https://download.pytorch.org/whl/cpu'
  case $("$torch" -m pip config list) in *index-url* | *find-links*) arguments='torch==2.13.0 numpy' ;; esac
  # shellcheck disable=SC2086
  "$torch" -m pip install -q ${GT_PEERS_PIP:-$arguments} >"$log" 2>&1 || {
    cat "$log" >&2
    die 'PyTorch could not be installed; what pip said stands above. GT_PEERS_PIP names other arguments of pip install.'
  }
}

# A row of each kind, for --quick.
quick_rows='^gemm_../cpu:[0-9]+/M2048,N1024,K256$|^gemm_y/cpu:[0-9]+/M(2048,N256,K1024|1000)|^(layer_norm|gelu)/|^adamw/
^attention.*/B8,H8,T256,D32$|^head_cross.*/M2048,V8192|^step/.*/C256|^tiny/.*/C32|^stage/.*/C256,L[36],|^generate/.*/C256
^prompt/.*/C256'

run_benchmarks() {
  load=$(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo 0)
  filter='' quick=no peers=no profile=no
  case ${1:--} in
    -*) ;;
    *)
      filter=$1
      shift
      ;;
  esac
  for argument; do
    shift
    case $argument in
      --quick) quick=yes ;;
      --peers) peers=yes ;;
      --profile) profile=yes ;;
      --benchmark_*) set -- "$@" "$argument" ;;
      *) die "bench takes [FILTER] [--quick] [--peers] [--profile] [--benchmark_...=...], not '$argument'." ;;
    esac
  done
  # shellcheck disable=SC2046,SC2086
  install $(missing $library_needs $bench_needs | sort -u)
  if [ $peers = yes ]; then
    # shellcheck disable=SC2046
    install $(missing $(peer_needs))
    setup_torch
  fi
  build release 'the benchmarks' benchmarks
  if [ $profile = yes ]; then exec "$root/build/release/benchmarks/bench_step" --profile; fi
  minutes='about ten minutes; --quick: one'
  if [ $quick = yes ]; then
    set -- --benchmark_min_time=0.1 "$@"
    minutes='about a minute'
    [ "$filter" ] || filter=$(printf '%s' "$quick_rows" | tr '\n' '|')
  elif [ "$filter" ]; then
    minutes='only what matches'
  fi
  [ $peers = no ] || minutes="$minutes; and PyTorch, half an hour, a good part of which it compiles"
  say "measuring ($minutes) ..."
  if awk "BEGIN { exit !($load > 0.5) }"; then
    say "note: other programs are running (load average $load); the numbers suffer from them."
  fi

  programs=$root/build/release/benchmarks out=$root/bench
  rm -rf "$out/raw"
  mkdir -p "$out/raw"
  code=0 rows="^peak/|${filter:-.}" # the limits once, and first
  for source in "$root"/benchmarks/*.cpp; do
    name=$(basename "$source" .cpp)
    [ "$("$programs/bench_$name" --benchmark_list_tests --benchmark_filter="${filter:-.}" 2>/dev/null)" ] || continue
    "$programs/bench_$name" --progress --benchmark_filter="$rows" \
      --benchmark_out="$out/raw/$name.json" --benchmark_out_format=json "$@" || code=1
    rows=${filter:-.}
  done
  [ "$rows" = "${filter:-.}" ] || die "no benchmark matches '$filter'."
  if [ $peers = yes ]; then
    "$torch" "$root/benchmarks/peers/torch_peer.py" --programs "$programs" --rows "$out/raw" --out "$out/raw/torch.json" || code=1
  fi
  "$programs/bench_report" "$out" "load average before=$load" "threads wait=${OMP_WAIT_POLICY:-asleep after $GOMP_SPINCOUNT spins}"
  say "the same as a page, and as JSON: $out/report.html, $out/results.json"
  return $code
}
