# shellcheck shell=sh disable=SC2154
# Part of ./run: sets up what is measured, and what others offer beside it. Uses the functions of ./run.
. "$root/tools/run/fetch.sh"

run_bench() {
  GT_BENCH_LOAD=$(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo 0)
  export GT_BENCH_LOAD
  # shellcheck disable=SC2046,SC2086
  install $(missing $library_needs $bench_needs | sort -u)
  case " $* " in
    *' --peers '*)  # torch.compile compiles against Python.h
      fetch_python benchmarks/peers
      install $(missing /dnnl.h=libdnnl-dev "/$(g++ -print-multiarch)/cblas.h=libopenblas-openmp-dev") $("$python" -c '
import os, sysconfig; os.path.exists(sysconfig.get_path("include") + "/Python.h") or print("python3-dev")')
      export GT_PEERS_PYTHON="$python"
      ;;
  esac
  build release 'the benchmarks' benchmarks
  exec "$root/build/release/benchmarks/bench_report" "$root/bench" "$@"
}
