//! Real servers that die, drain and send their clients away while they are asked: each text has one outcome, and no call is lost.

mod support;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use futures_util::StreamExt;
use sentiment_client::{Client, Outcomes, Tier};
use support::real_server::{free_port, RealServer};
use support::{assert_fits, client_of, millis, telling_texts};
use tokio_stream::iter;

const TEXTS: usize = 3000;
/// Outcomes after which the server dies, the first and the second time.
const DEATHS: [usize; 2] = [500, 1500];

async fn restarted_under(ask: impl FnOnce(&Client) -> Outcomes) {
    let port = free_port();
    // Else all but 39 texts would be answered from memory, too quickly to die among them.
    let settings = [("GRPC_PORT", port.as_str()), ("ENABLE_CACHING", "false")];
    let mut server = Some(RealServer::start(&settings).await);
    let client = client_of(&format!("127.0.0.1:{port}")).await;
    let mut outcomes = ask(&client);
    let mut count = 0;
    while let Some(outcome) = outcomes.next().await {
        assert_fits(count, &outcome.expect("no error of all").expect("an answer"));
        count += 1;
        if DEATHS.contains(&count) {
            server.take().expect("it serves").kill().await;
            tokio::time::sleep(millis(500)).await;
            server = Some(RealServer::start(&settings).await);
        }
    }
    assert_eq!(count, TEXTS);
}

#[tokio::test]
async fn in_batches() {
    restarted_under(|client| client.analyze_all(iter(telling_texts(TEXTS)), Tier::Fast)).await;
}

#[tokio::test]
async fn in_a_stream() {
    restarted_under(|client| client.analyze_stream(iter(telling_texts(TEXTS)), Tier::Fast)).await;
}

/// Single calls from now on, eight at once, until it is told to end them; how many were answered. One that is lost fails the test.
fn calling(client: &Client) -> (Arc<AtomicBool>, impl Future<Output = usize>) {
    let is_over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..8).map(|_| tokio::spawn(call_until(client.clone(), is_over.clone()))).collect();
    let answered = async {
        let mut answered = 0;
        for caller in callers {
            answered += caller.await.expect("no call was lost");
        }
        answered
    };
    (is_over, answered)
}

async fn call_until(client: Client, is_over: Arc<AtomicBool>) -> usize {
    let mut answered = 0;
    while !is_over.load(Ordering::Relaxed) {
        client.analyze("fine", Tier::Fast).await.expect("an answer");
        answered += 1;
    }
    answered
}

#[tokio::test]
async fn connections_that_age_lose_no_call() {
    let server = RealServer::start(&[("MAX_CONNECTION_AGE", "1")]).await;
    let (is_over, answered) = calling(&client_of(&server.address).await);
    tokio::time::sleep(millis(5000)).await;
    is_over.store(true, Ordering::Relaxed);
    assert!(answered.await > 100);
}

#[tokio::test]
async fn a_server_that_drains_loses_no_call_while_there_is_another() {
    let (steady, draining) = (RealServer::start(&[]).await, RealServer::start(&[]).await);
    let (is_over, answered) = calling(&client_of(&format!("ipv4:{},{}", steady.address, draining.address)).await);
    tokio::time::sleep(millis(1000)).await;
    draining.stop().await;
    tokio::time::sleep(millis(500)).await;
    is_over.store(true, Ordering::Relaxed);
    assert!(answered.await > 100);
}
