//! What a unary call does about refusals, against a server that refuses as it is told.

mod support;

use std::time::Instant;

use sentiment_client::{CallOptions, Client, Code, Reason, SentimentError, Tier};
use support::scripted::{answer_to, refused, Script, Scripted};
use support::{client_of, millis};
use tonic::Status;

/// A server that refuses the first calls with what `refuse` says, and answers from then on.
async fn refusing(times: usize, refuse: impl Fn() -> Status + Send + Sync + 'static) -> (Scripted, Client) {
    let script = Script {
        analyze: Box::new(move |number, request| {
            let answer = if number < times { Err(refuse()) } else { Ok(answer_to(&request.text)) };
            Box::pin(async move { answer })
        }),
        ..Script::default()
    };
    let server = Scripted::start(script).await;
    let client = client_of(&server.address).await;
    (server, client)
}

async fn error_of(client: &Client, options: impl Into<CallOptions>) -> SentimentError {
    client.analyze("fine", options).await.expect_err("a refusal")
}

#[tokio::test]
async fn unavailable_is_tried_again_until_it_is_answered() {
    let (server, client) = refusing(2, || refused(Code::Unavailable, "DRAINING", None, None)).await;
    client.analyze("fine", Tier::Fast).await.expect("an answer");
    assert_eq!(server.calls(), 3);
}

#[tokio::test]
async fn it_is_tried_five_times_in_all() {
    let (server, client) = refusing(usize::MAX, || refused(Code::Unavailable, "BACKEND_DOWN", None, Some("1"))).await;
    let error = error_of(&client, Tier::Fast).await;
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, Some(&Reason::BackendDown)));
    assert_eq!(server.calls(), 5);
}

#[tokio::test]
async fn the_servers_pushback_is_waited_for() {
    let (server, client) = refusing(1, || refused(Code::Unavailable, "BACKEND_DOWN", None, Some("700"))).await;
    let began = Instant::now();
    client.analyze("fine", Tier::Fast).await.expect("an answer");
    assert!(began.elapsed() >= millis(700), "{:?}", began.elapsed());
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn a_negative_pushback_means_never() {
    let (server, client) = refusing(usize::MAX, || refused(Code::Unavailable, "BACKEND_DOWN", None, Some("-1"))).await;
    assert_eq!(error_of(&client, Tier::Fast).await.code(), Code::Unavailable);
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn resource_exhausted_is_the_callers_to_try_again() {
    let (server, client) = refusing(usize::MAX, || refused(Code::ResourceExhausted, "OVERLOADED", Some(1250), Some("1250"))).await;
    let error = error_of(&client, Tier::Fast).await;
    assert_eq!((error.reason(), error.retry_after()), (Some(&Reason::Overloaded), Some(millis(1250))));
    assert!(error.is_temporary());
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn a_pushback_stands_in_for_retry_info() {
    let (_server, client) = refusing(usize::MAX, || refused(Code::ResourceExhausted, "OVERLOADED", None, Some("300"))).await;
    assert_eq!(error_of(&client, Tier::Fast).await.retry_after(), Some(millis(300)));
}

#[tokio::test]
async fn the_deadline_holds_for_all_tries_together_and_goes_along() {
    let (server, client) = refusing(usize::MAX, || refused(Code::Unavailable, "BACKEND_DOWN", None, None)).await;
    let began = Instant::now();
    let error = error_of(&client, CallOptions { deadline: Some(millis(300)), ..CallOptions::default() }).await;
    assert_eq!(error.code(), Code::Unavailable);
    assert!(began.elapsed() < millis(400), "{:?}", began.elapsed());
    assert!(server.seen().iter().all(|metadata| metadata.contains_key("grpc-timeout")));
}

#[tokio::test]
async fn a_server_that_says_nothing_meets_the_deadline() {
    let script = Script { analyze: Box::new(|_, _| Box::pin(std::future::pending())), ..Script::default() };
    let server = Scripted::start(script).await;
    let client = client_of(&server.address).await;
    let error = error_of(&client, CallOptions { deadline: Some(millis(200)), ..CallOptions::default() }).await;
    assert_eq!((error.code(), error.reason()), (Code::DeadlineExceeded, None));
}

#[tokio::test]
async fn closing_ends_calls_under_way_and_those_to_come() {
    let script = Script { analyze: Box::new(|_, _| Box::pin(std::future::pending())), ..Script::default() };
    let server = Scripted::start(script).await;
    let client = client_of(&server.address).await;
    let closing = client.clone();
    let (error, ()) = tokio::join!(error_of(&client, Tier::Fast), async {
        tokio::time::sleep(millis(200)).await;
        closing.close();
        closing.close();
    });
    assert_eq!((server.calls(), error.code()), (1, Code::Cancelled));
    assert_eq!(error_of(&client, Tier::Fast).await.code(), Code::Cancelled);
}
