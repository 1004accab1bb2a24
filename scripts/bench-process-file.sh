#!/usr/bin/env bash
# Measures process-file on a generated CSV file, beside polars and DuckDB doing the same work, each on one core.
# usage: scripts/bench-process-file.sh [<megabytes>, 1000 by default]
# Takes about three times the file's size on the disk. Set BENCH_DIR to keep the files, PYTHON to a Python that has
# polars and duckdb; without it only process-file is measured.
set -euo pipefail
cd "$(dirname "$0")/.."

megabytes=${1:-1000}
directory=${BENCH_DIR:-$(mktemp -d)}
[[ -n ${BENCH_DIR:-} ]] || trap 'rm -rf "$directory"' EXIT
target=${CARGO_TARGET_DIR:-target}
csv=$directory/orders-$megabytes.csv

cargo build --release -p process-file --bin process-file --example generate_csv
cargo build --release -p function-kit --example measure
mkdir -p "$directory/output"
[[ -f $csv ]] || "$target/release/examples/generate_csv" $((megabytes * 1000000)) "$csv"
cat "$csv" > /dev/null # into the page cache, for all alike

"$target/release/examples/measure" "$target/release/process-file" "$csv" "$directory/output" taskset -c 0
if [[ -n ${PYTHON:-} ]]; then
  for tool in polars duckdb; do
    POLARS_MAX_THREADS=1 taskset -c 0 "$PYTHON" scripts/bench-process-file.py "$tool" "$csv" "$directory/output"
  done
fi
