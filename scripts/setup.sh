#!/usr/bin/env bash
# Installs what Portico needs on Debian 12 and is not there yet. Safe to run again; quick when nothing is missing.
#
#   scripts/setup.sh             what building needs
#   scripts/setup.sh --mixing    also GStreamer's plugins, which portico-mixer uses at run time
#   scripts/setup.sh --tests     also Chromium, the npm clients, cargo-nextest and cargo-deny

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

BUILD_PACKAGES=(
    gcc libc6-dev pkg-config curl ca-certificates
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev
)
MIXING_PACKAGES=(
    gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-nice
)
TEST_PACKAGES=(chromium fonts-dejavu-core fonts-liberation git shellcheck)
NODE_MAJOR_MIN=18

main() {
    local mixing=false tests=false
    for argument in "$@"; do
        case "$argument" in
            --mixing) mixing=true ;;
            --tests) mixing=true tests=true ;;
            *) die "unknown argument '$argument' (known: --mixing, --tests)" ;;
        esac
    done

    local packages=("${BUILD_PACKAGES[@]}")
    if $mixing; then packages+=("${MIXING_PACKAGES[@]}"); fi
    if $tests; then
        packages+=("${TEST_PACKAGES[@]}")
        # A Node.js from elsewhere (nvm, NodeSource) serves as well as Debian's.
        have node || packages+=(nodejs)
        have npm || packages+=(npm)
    fi
    install_debian_packages "${packages[@]}"
    install_rust
    if $tests; then
        check_node
        install_npm_clients
        install_cargo_program cargo-nextest "$CARGO_NEXTEST_VERSION"
        install_cargo_deny
    fi
}

install_debian_packages() {
    local missing=()
    for package in "$@"; do
        # dpkg also knows removed packages whose configuration stayed; only "installed" counts.
        if [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) != installed ]]
        then
            missing+=("$package")
        fi
    done
    if ((${#missing[@]} == 0)); then return; fi

    local as_root=()
    if ((EUID != 0)); then
        if ! have sudo || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
            die "some Debian packages are missing and this user may not install them. As root, run:

    apt-get update && apt-get install --yes --no-install-recommends ${missing[*]}

then start this script again."
        fi
        as_root=(sudo)
    fi
    step "Installing Debian packages: ${missing[*]}"
    "${as_root[@]}" apt-get update --quiet >/dev/null
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --quiet --no-install-recommends "${missing[@]}" >/dev/null
}

install_rust() {
    local wanted have_version
    wanted=$(sed -n 's/^rust-version = "\([0-9.]*\)"$/\1/p' Cargo.toml)
    if ! have cargo; then
        step "Installing the Rust toolchain with rustup, for this user"
        curl --proto '=https' --tlsv1.2 --silent --show-error --fail https://sh.rustup.rs |
            sh -s -- -y --profile minimal --component clippy,rustfmt --no-modify-path >&2 ||
            die "rustup could not be installed. Install Rust $wanted or newer as https://rustup.rs says."
    fi
    have_version=$(rustc --version | cut -d' ' -f2)
    if [[ $(printf '%s\n' "$wanted" "$have_version" | sort -V | head -n1) != "$wanted" ]]; then
        die "rustc $have_version is too old, $wanted is needed. Run: rustup update stable"
    fi
}

check_node() {
    local major
    major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
    if ((major < NODE_MAJOR_MIN)); then
        die "Node.js $(node --version) is too old for the tests, $NODE_MAJOR_MIN or newer is needed."
    fi
}

# npm writes node_modules/.package-lock.json last, so it is as new as what was installed.
install_npm_clients() {
    local lock=tests/interop/package-lock.json
    if [[ tests/interop/node_modules/.package-lock.json -nt $lock ]]; then return; fi
    step "Installing the npm clients of tests/interop"
    npm ci --prefix tests/interop --ignore-scripts --no-audit --no-fund >&2
    touch tests/interop/node_modules/.package-lock.json
}

# Compiles a program from crates.io unless some version of it is there.
install_cargo_program() {
    local name=$1 version=$2
    shift 2
    if have "$name"; then return; fi
    step "Compiling $name $version"
    cargo install --locked --version "$version" "$@" "$name"
}

# A debug build: the checks take seconds either way, but an optimised build takes minutes longer.
install_cargo_deny() {
    install_cargo_program cargo-deny "$CARGO_DENY_VERSION" --debug --no-default-features
}

main "$@"
