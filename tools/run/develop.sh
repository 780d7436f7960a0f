# shellcheck shell=sh disable=SC2086,SC2154,SC2155
# Part of ./run: what developers measure, and ask of the sources. Uses the functions of ./run.
run_bench() {
  export GT_BENCH_LOAD="$(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo 0)"
  require $library_needs $bench_needs
  case " $* " in
    *' --peers '*)  # torch.compile compiles against Python.h
      fetch_python benchmarks/peers
      "$python" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null ||
        install python3-dev
      require /dnnl.h=libdnnl-dev "/$(g++ -print-multiarch)/cblas.h=libopenblas-openmp-dev"
      export GT_PEERS_PYTHON="$python"
      ;;
  esac
  build release 'the benchmarks' bench_report benchmarks
  exec "$build/release/benchmarks/bench_report" "$place/bench" "$@"
}

run_compile_cost() {
  require $library_needs $bench_needs
  build release 'what measures' compile_cost
  exec "$build/release/tools/compile_cost/compile_cost" "$@"
}

# run_sources COMMAND ARGUMENT...: what needs the sources alone.
run_sources() {
  require python3=python3
  case $1 in
    format) case $(clang-format --version 2>/dev/null) in *'version 14.'*) ;; *) require clang-format-14=clang-format-14 ;; esac ;;
    tidy) has clang-tidy-14 || require $library_needs clang-tidy=clang-tidy ;;
    docs) require doxygen=doxygen ;;
    amalgamate) require cmake=cmake ;;
  esac
  export GT_BUILD="$build" GT_VERSION="$(version)" GT_RUN_AS="$(quoted "$self")"
  exec python3 "$root/tools/sources.py" "$@"
}
