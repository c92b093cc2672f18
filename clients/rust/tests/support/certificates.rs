//! Certificates of a CA, of a server on this machine, of a client, and of a CA that nobody trusts, by openssl.

use std::path::Path;
use std::process::Command;

const MAKE: &str = r#"
set -euo pipefail
ec=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
for ca in ca stranger; do
  openssl req -x509 "${ec[@]}" -days 2 -subj "/CN=$ca" -keyout $ca.key -out $ca.pem
done
for name in server client; do
  openssl req "${ec[@]}" -subj "/CN=$name" -keyout $name.key -out $name.csr
  openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile <(echo 'subjectAltName=IP:127.0.0.1,DNS:localhost') -out $name.pem
done
"#;

/// Writes `ca.pem`, `stranger.pem`, and `.pem` and `.key` of `server` and `client`.
pub fn make(folder: &Path) {
    let made = Command::new("bash").args(["-c", MAKE]).current_dir(folder).output().expect("bash starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
