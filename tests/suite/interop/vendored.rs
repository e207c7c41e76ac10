//! The socket.io client that the demo page ships.

use std::{fs, path::Path};

use super::node::scripts;

/// Browsers would look for a source map that is not shipped.
fn without_source_map(script: &str) -> String {
    let kept = script.lines().filter(|line| !line.starts_with("//# sourceMappingURL="));
    kept.map(|line| format!("{line}\n")).collect()
}

/// `scripts/vendor.sh` must be run when the version in `tests/interop/package.json` changes.
#[test]
fn is_the_tested_npm_package() {
    let package = scripts().join("node_modules/socket.io-client-4");
    let vendor = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/vendor");
    let read = |path: &Path| fs::read_to_string(path).expect("a file");
    assert_eq!(
        read(&vendor.join("socket.io.min.js")),
        without_source_map(&read(&package.join("dist/socket.io.min.js"))),
        "run scripts/vendor.sh"
    );
    assert_eq!(read(&vendor.join("socket.io.LICENSE")), read(&package.join("LICENSE")));
}
