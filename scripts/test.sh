#!/usr/bin/env bash
# Installs what is missing for tests, then checks format, lints, documentation, dependencies and
# scripts, and runs every test. The test runner's summary is the last line.
#
#   scripts/test.sh           everything CI runs
#   scripts/test.sh --long    also the soak tests (marked #[ignore] in the code)

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

ADVISORIES=https://github.com/rustsec/advisory-db
ADVISORIES_SECONDS_MAX=10

main() {
    local ignored=default
    case "${1:-}" in
        '') ;;
        --long) ignored=all ;;
        *) die "unknown argument '$1' (known: --long)" ;;
    esac

    scripts/setup.sh --tests

    step "Format"
    cargo fmt --all --check

    step "Scripts"
    shellcheck --external-sources scripts/*.sh .ci/run

    step "Dependencies: licences, bans, sources"
    cargo deny --workspace --locked check --hide-inclusion-graph licenses bans sources
    check_advisories

    step "Lints"
    cargo clippy --workspace --all-targets --locked -- -D warnings

    step "Documentation"
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --document-private-items

    step "Documentation examples"
    cargo test --workspace --doc --locked --quiet

    step "Tests"
    cargo nextest run --workspace --locked --run-ignored "$ignored"
}

# The advisory database lives on GitHub, which a closed network does not reach; a build must not
# depend on it, but where it is there, it counts.
check_advisories() {
    step "Dependencies: security advisories"
    if timeout "$ADVISORIES_SECONDS_MAX" git ls-remote --quiet --exit-code "$ADVISORIES" HEAD \
        >/dev/null 2>&1; then
        cargo deny --workspace --locked check --hide-inclusion-graph advisories
    else
        echo "skipped: $ADVISORIES is not reachable from here" >&2
    fi
}

main "$@"
