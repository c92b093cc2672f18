//! What the tests share. Each test file is a crate of its own and uses a part.
#![allow(dead_code, missing_docs)]

pub mod certificates;
pub mod real_server;
pub mod scripted;

#[allow(clippy::all, clippy::pedantic, clippy::nursery)]
#[rustfmt::skip]
pub mod gen {
    pub mod v1 {
        include!("gen/sentiment.v1.rs");
    }
}

use std::time::Duration;

use sentiment_client::{Client, Options};
use tokio::net::TcpListener;

/// A client of that address, without a key and TLS.
pub async fn client_of(address: &str) -> Client {
    Client::connect(address, Options::default()).await.expect("a good address")
}

/// The server that `test.sh` has started for those who need nothing special of one.
pub async fn client_of_the_server() -> Client {
    assert!(std::env::var("SENTIMENT_ADDRESS").is_ok(), "no SENTIMENT_ADDRESS: run these tests by clients/rust/test.sh");
    client_of(&Client::default_address()).await
}

/// Takes connections and never says a word on them: a server that is stopped. When it is dropped, one whose machine has vanished: it takes
/// no more connections, and those that it had are not reset.
pub async fn silent_listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Texts of which each has a label and a number of tokens that tell it from its neighbours.
pub fn telling_texts(count: usize) -> Vec<String> {
    (0..count).map(telling_text).collect()
}

pub fn telling_text(index: usize) -> String {
    let verdict = if is_good(index) { "I love it, it is wonderful" } else { "I hate it, it is terrible" };
    format!("{verdict}{}", " indeed".repeat(index % 13))
}

/// Whether the text's place can be the place of this answer.
pub fn assert_fits(index: usize, sentiment: &sentiment_client::Sentiment) {
    let tokens = 7 + u32::try_from(index % 13).expect("a small number");
    assert_eq!((sentiment.score > 0.0, sentiment.token_count), (is_good(index), tokens), "outcome {index}");
}

fn is_good(index: usize) -> bool {
    index.is_multiple_of(3)
}
