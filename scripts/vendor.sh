#!/usr/bin/env bash
# Copies the browser's socket.io client from its npm package into web/vendor, where it is
# committed: a fresh clone builds and serves the demo page without npm.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

# The alias in tests/interop/package.json, so that page and tests use one version.
package=tests/interop/node_modules/socket.io-client-4

npm ci --prefix tests/interop --ignore-scripts --no-audit --no-fund --silent
mkdir -p web/vendor
# The source map is not shipped, so the pointer to it would only make browsers ask for it.
sed '/^\/\/# sourceMappingURL=/d' "$package/dist/socket.io.min.js" >web/vendor/socket.io.min.js
cp "$package/LICENSE" web/vendor/socket.io.LICENSE
head -n 5 web/vendor/socket.io.min.js | cut -c1-100
