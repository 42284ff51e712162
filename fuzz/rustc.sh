#!/bin/sh
# rustc for fuzzing (RUSTC_WRAPPER): this project's crates count which branches inputs take, others are compiled as ever.
case " $* " in
*" --crate-name dbtrail_"* | *" fuzz_targets/"* | *" fuzz/fuzz_targets/"*)
    exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
*) exec "$@" ;;
esac
