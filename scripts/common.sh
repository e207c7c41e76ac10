# shellcheck shell=bash
# What every script here needs; sourced, not run. Leaves the caller in the repository's root.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# rustup puts cargo here without touching the current shell's PATH.
export PATH="$HOME/.cargo/bin:$PATH"

# The programs that tests run beside cargo's own, at the versions the tests are known to pass with.
# shellcheck disable=SC2034 # read by the scripts that source this file
CARGO_NEXTEST_VERSION=0.9.143
# shellcheck disable=SC2034
CARGO_DENY_VERSION=0.20.2

# Announces a step, so that a long log can be searched for where it stopped.
step() {
    printf '\n==> %s\n' "$*" >&2
}

# Ends the script with a message that says what to do.
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}
