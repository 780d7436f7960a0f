# shellcheck shell=sh disable=SC2154
# Part of ./run: measures, and makes one table of it. Uses the functions of ./run.
. "$root/tools/run/fetch.sh"

# What others offer for a matrix product; PyTorch comes into an environment of its own, and compiles against Python.h.
get_peers() {
  has_python_h='import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'
  # shellcheck disable=SC2046
  install $(missing /dnnl.h=libdnnl-dev "/$(g++ -print-multiarch)/cblas.h=libopenblas-openmp-dev" python3=python3) \
    $(python3 -c "$has_python_h" 2>/dev/null || echo python3-dev)
  fetch_python peers torch 'torch==2.13.0 numpy' --index-url "${GT_PEERS_PIP:-}" GT_PEERS_PIP
}

# A row of each kind, for --quick.
quick_rows='^gemm_../cpu:[0-9]+/M2048,N1024,K256$|^gemm_y/cpu:[0-9]+/M(2048,N256,K1024|1000)|^(layer_norm|gelu)/|^adamw/
^attention.*/B8,H8,T256,D32$|^head_cross.*/M2048,V8192|^step/.*/C256|^tiny/.*/C32|^stage/.*/C256,L[36],|^generate/.*/C256
^prompt/.*/C256'

run_bench() {
  load=$(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo 0)
  filter='' peers=no profile=no minutes='about ten minutes; --quick: one'
  case ${1:--} in -*) ;; *) filter=$1 minutes='only what matches' && shift ;; esac
  for argument; do
    shift
    case $argument in
      --quick) set -- "$@" --benchmark_min_time=0.1 && minutes='about a minute' ;;
      --peers) peers=yes ;;
      --profile) profile=yes ;;
      --benchmark_*) set -- "$@" "$argument" ;;
      *) die "bench takes [FILTER] [--quick] [--peers] [--profile] [--benchmark_...=...], not '$argument'." ;;
    esac
  done
  if [ "$minutes" = 'about a minute' ] && [ ! "$filter" ]; then filter=$(printf '%s' "$quick_rows" | tr '\n' '|'); fi
  # shellcheck disable=SC2046,SC2086
  install $(missing $library_needs $bench_needs | sort -u)
  [ $peers = no ] || get_peers
  build release 'the benchmarks' benchmarks
  programs=$root/build/release/benchmarks out=$root/bench code=0
  if [ $profile = yes ]; then exec "$programs/bench_step" --profile; fi
  [ $peers = no ] || minutes="$minutes; and PyTorch, half an hour, a good part of which it compiles"
  say "measuring ($minutes) ..."
  if awk "BEGIN { exit !($load > 0.5) }"; then
    say "note: other programs are running (load average $load); the numbers suffer from them."
  fi

  rm -rf "$out/raw"
  mkdir -p "$out/raw"
  rows="^peak/|${filter:-.}"  # the limits once, and first
  for source in "$root"/benchmarks/*.cpp; do
    name=$(basename "$source" .cpp)
    [ "$("$programs/bench_$name" --benchmark_list_tests --benchmark_filter="${filter:-.}" 2>/dev/null)" ] || continue
    "$programs/bench_$name" --progress --benchmark_filter="$rows" \
      --benchmark_out="$out/raw/$name.json" --benchmark_out_format=json "$@" || code=1
    rows=${filter:-.}
  done
  [ "$rows" = "${filter:-.}" ] || die "no benchmark matches '$filter'."
  if [ $peers = yes ]; then
    "$python" "$root/benchmarks/peers/torch_peer.py" --programs "$programs" --rows "$out/raw" --out "$out/raw/torch.json" || code=1
  fi
  "$programs/bench_report" "$out" "load average before=$load" "threads wait=${OMP_WAIT_POLICY:-asleep after $GOMP_SPINCOUNT spins}"
  say "the same as a page, and as JSON: $out/report.html, $out/results.json"
  return $code
}
