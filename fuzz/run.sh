#!/usr/bin/env bash
# Builds the fuzz targets and runs each for so many seconds on its corpus: fuzz/run.sh 600 [TARGET ...]. What is found goes to target/fuzz-found/TARGET,
# an input that fails to the same folder (crash-...). With the stable compiler; `cargo +nightly fuzz run TARGET` has the address sanitizer too.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
export CARGO_TARGET_DIR="$PWD/target"
RUSTC_WRAPPER="$PWD/fuzz/rustc.sh" cargo build --locked --manifest-path fuzz/Cargo.toml
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(basename -s .rs -a fuzz/fuzz_targets/*.rs)
for target in "${targets[@]}"; do
    found="$CARGO_TARGET_DIR/fuzz-found/$target"
    mkdir -p "$found"
    corpus=("$found")
    [[ ! -d fuzz/corpus/$target ]] || corpus+=("fuzz/corpus/$target")
    if ! target/debug/"$target" "${corpus[@]}" -artifact_prefix="$found/" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 \
        -max_len=8192 -print_final_stats=1 >"$found.log" 2>&1; then
        tail -60 "$found.log"
        echo "$target failed: its last words are above, its input is below $found" >&2
        exit 1
    fi
    printf '%-14s %s\n' "$target" "$(grep '^Done' "$found.log")"
done
