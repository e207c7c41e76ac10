#!/usr/bin/env bash
# Builds the benchmarks (optimised) and runs them; prints Markdown tables on standard output.
# Needs two cores to itself for figures that mean something; docs/benchmarks.md tells the method.
#
#   scripts/bench.sh               all
#   scripts/bench.sh forward       one published video to 50 and 200 subscribers, about a minute
#   scripts/bench.sh signaling     acks and idle connections beside node's socket.io, half a minute
#   scripts/bench.sh heartbeats    of signaling, 500 sessions of the room-signal dialect alone
#   scripts/bench.sh mix           views beside compositor and audiomixer, three minutes

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

# No benchmark takes longer; one that does hangs.
SECONDS_MAX=300

# Two ends of 2 000 connections, and some.
OPEN_FILES=4096

PEER=benches/signaling/peer

main() {
    local benchmarks=(forward signaling mix)
    case "${1:-}" in
        '') ;;
        forward | signaling | heartbeats | mix) benchmarks=("$1") ;;
        *) die "unknown benchmark '$1' (known: forward, signaling, heartbeats, mix)" ;;
    esac
    have taskset || die "taskset is missing; it is in the package util-linux"

    step "Building"
    local program
    program=$(build)
    # The soft limit; a lower hard one makes for fewer idle connections.
    ulimit -S -n "$OPEN_FILES" 2>/dev/null || true
    for benchmark in "${benchmarks[@]}"; do
        if [[ $benchmark == signaling ]]; then install_peer; fi
        if [[ $benchmark == mix ]]; then build_mixer; fi
        step "Measuring: $benchmark"
        timeout "$SECONDS_MAX" "$program" "$benchmark"
    done
}

# Builds and prints the path of the benchmark program. Others may be at work on this machine, so
# the build gives way to them.
build() {
    nice cargo bench --package portico --bench bench --locked --no-run --message-format json |
        sed -n 's/.*"kind":\["bench"\].*"executable":"\([^"]*\)".*/\1/p'
}

# Builds the measured agent where the benchmark finds it.
build_mixer() {
    if ! have gst-launch-1.0; then die "mixing needs GStreamer: scripts/setup.sh --tests"; fi
    step "Building the mixing agent"
    nice cargo build --release --package portico-mixer --locked
    PORTICO_MIXER=$(cargo metadata --format-version 1 --no-deps |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/release/portico-mixer
    export PORTICO_MIXER
}

install_peer() {
    if ! have node || ! have npm; then die "the peer needs node and npm: scripts/setup.sh --tests"; fi
    if [[ $PEER/node_modules/.package-lock.json -nt $PEER/package-lock.json ]]; then return; fi
    step "Installing the peer of the signaling benchmark"
    npm ci --prefix "$PEER" --ignore-scripts --no-audit --no-fund >&2
    touch "$PEER/node_modules/.package-lock.json"
}

main "$@"
