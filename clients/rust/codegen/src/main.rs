//! Writes the client's messages and calls, and for its tests the server's side, from the proto: `sentiment-client-codegen PROTO OUT`.

use std::error::Error;
use std::path::{Path, PathBuf};

const FILES: [&str; 2] = ["sentiment/v1/sentiment.proto", "google/rpc/error_details.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [proto, out] = folders.as_slice() else {
        return Err("usage: sentiment-client-codegen PROTO OUT".into());
    };
    let files = protox::compile(FILES, [proto])?;
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .include_file("mod.rs")
        .out_dir(folder(&out.join("src/gen"))?)
        .compile_fds(files.clone())?;
    // Its messages are the client's own, so it holds the services alone.
    tonic_prost_build::configure()
        .build_client(false)
        .extern_path(".sentiment.v1", "::sentiment_client::proto::sentiment::v1")
        .extern_path(".google.rpc", "::sentiment_client::proto::google::rpc")
        .out_dir(folder(&out.join("tests/support/gen"))?)
        .compile_fds(files)?;
    Ok(())
}

fn folder(path: &Path) -> std::io::Result<&Path> {
    std::fs::create_dir_all(path)?;
    Ok(path)
}
