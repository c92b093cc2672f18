//! The built server, with its real models, as a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

pub struct RealServer {
    process: Child,
    pub address: String,
}

impl RealServer {
    /// With these settings; ready when it returns. It is killed when it is dropped.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new("node")
            .arg("dist/server/main.js")
            .current_dir(repository())
            .envs([("GRPC_PORT", "0"), ("HTTP_PORT", "0"), ("PREFETCH_MODELS", "false"), ("DEFAULT_TIER", "fast")])
            .envs([("MAX_WORKERS", "1"), ("WARM_UP_FILE", "/dev/null")])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let address = address_in(&mut lines).await;
        // Else a log that nobody reads could fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { process, address }
    }

    /// As an operator would: it drains.
    pub async fn stop(mut self) {
        let id = self.process.id().expect("it runs").to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().await.expect("there is a kill");
        assert!(told.success() && self.process.wait().await.expect("it ends").success());
    }

    /// As the kernel would, without a word to its clients.
    pub async fn kill(mut self) {
        self.process.kill().await.expect("it can be killed");
    }
}

async fn address_in(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    while let Some(line) = lines.next_line().await.expect("a log") {
        if let Some((_, rest)) = line.split_once("\"address\":\"") {
            return rest.split('"').next().expect("a first part").to_owned();
        }
    }
    panic!("the server ended before it was ready");
}

/// From 32768 on the kernel gives ports to outgoing connections, and one of those could be quicker.
pub fn free_port() -> String {
    loop {
        let port = fastrand::u16(20_000..32_768);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port.to_string();
        }
    }
}

/// A key of the key file `file`, with the options of `sentiment-keys new`.
pub async fn new_key(file: &Path, name: &str, options: &[&str]) -> String {
    let mut command = Command::new("node");
    command.arg("dist/server/keys-cli.js").args(["new", "--name", name, "--file"]).arg(file).args(options);
    let said = command.current_dir(repository()).output().await.expect("node starts");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).expect("a key is ASCII").trim().to_owned()
}

/// A folder of one test, empty.
pub fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
