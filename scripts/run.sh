#!/usr/bin/env bash
# Installs what is missing, builds Portico (release) and runs it in the foreground.
#
#   scripts/run.sh [--config FILE]
#
# Without --config it uses portal.toml of this repository, which keeps the server's state in data/.
# PORTICO__SECTION__KEY environment variables override the configuration, as everywhere.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

READY_SECONDS_MAX=30
CALLED_FROM=$OLDPWD

main() {
    local config=portal.toml
    while (($# > 0)); do
        case "$1" in
            --config) config=$(path_from_caller "${2:?--config needs a file}"); shift 2 ;;
            --config=*) config=$(path_from_caller "${1#--config=}"); shift ;;
            *) die "unknown argument '$1' (known: --config FILE)" ;;
        esac
    done
    [[ -r $config ]] || die "cannot read the configuration '$config'"

    scripts/setup.sh --mixing
    step "Building"
    cargo build --release --workspace --quiet
    serve "$config"
}

path_from_caller() {
    (cd "$CALLED_FROM" && realpath --no-symlinks "$1")
}

serve() {
    local config=$1 url server status=0
    url=$(portal_url "$config")
    target/release/portico serve --config "$config" &
    server=$!
    # A background process of a script ignores Ctrl-C, so it is passed on.
    trap 'kill -TERM "$server" 2>/dev/null' INT TERM

    local deadline=$((SECONDS + READY_SECONDS_MAX))
    until curl --silent --insecure --fail --output /dev/null --max-time 2 "$url/readyz"; do
        if ! kill -0 "$server" 2>/dev/null; then
            wait "$server" || status=$?
            exit "$status"
        fi
        if ((SECONDS >= deadline)); then
            kill -TERM "$server"
            die "the server did not become ready within $READY_SECONDS_MAX s at $url"
        fi
        sleep 0.2
    done
    printf '\nPortico is ready: %s/, dashboard: %s/admin\n' "$url" "$url"
    print_first_key "$config"
    printf 'Press Ctrl-C to stop it.\n\n'

    # A signal interrupts `wait`; the second one collects the server's own exit code.
    wait "$server" || status=$?
    if kill -0 "$server" 2>/dev/null; then
        status=0
        wait "$server" || status=$?
    fi
    exit "$status"
}

# Makes a service if there is none, so that somebody can sign in to the dashboard, and prints its key
# this once. A server that has one keeps it to itself.
print_first_key() {
    local config=$1 services
    services=$(target/release/portico service --config "$config" list) || return 0
    [[ -z $services ]] || return 0
    printf '\nThe first service, for the dashboard and the management REST (shown only now):\n'
    target/release/portico service --config "$config" create admin
    printf '\n'
}

# Where the portal answers on this machine, from the configuration and the environment.
portal_url() {
    local config=$1 scheme=http host port
    host=${PORTICO__PORTAL__IP_ADDRESS:-$(portal_key "$config" ip_address)}
    port=${PORTICO__PORTAL__PORT:-$(portal_key "$config" port)}
    if [[ ${PORTICO__PORTAL__SSL:-$(portal_key "$config" ssl)} == true ]]; then scheme=https; fi
    # Browsers give camera and microphone only to https and to localhost.
    case "$host" in
        '' | 0.0.0.0 | :: | '[::]' | 127.0.0.1 | ::1) host=localhost ;;
        *:*) host="[$host]" ;;
    esac
    printf '%s://%s:%s' "$scheme" "$host" "${port:-8080}"
}

# The value of one key of the [portal] table; empty where the file leaves it to its default.
portal_key() {
    awk -v wanted="$2" '
        /^[ \t]*\[/ { in_portal = ($1 == "[portal]") }
        in_portal && $1 == wanted && $2 == "=" { gsub(/"/, "", $3); print $3; exit }
    ' "$1"
}

main "$@"
