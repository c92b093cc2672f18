//! `analyze_all` against a server that refuses as it is told.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};
use sentiment_client::proto::sentiment::v1::AnalyzeBatchRequest;
use sentiment_client::{BatchOptions, CallOptions, Code, Outcome, Reason, SentimentError, Tier};
use support::scripted::{batch_of, refusal, refused, sentiment_of, Script, Scripted};
use support::{client_of, millis, silent_listener};
use tokio::io::AsyncReadExt;
use tokio_stream::iter;
use tonic::Status;

/// Of each its own number of bytes, which the scripted server gives back as tokens.
fn texts(count: usize) -> Vec<String> {
    (1..=count).map(|length| "a".repeat(length)).collect()
}

async fn analyze_all(server: &Scripted, count: usize, options: BatchOptions) -> Result<Vec<Outcome>, SentimentError> {
    client_of(&server.address).await.analyze_all(iter(texts(count)), options).try_collect().await
}

fn assert_in_order(outcomes: &[Outcome], count: usize) {
    let tokens: Vec<u32> = outcomes.iter().map(|outcome| outcome.as_ref().expect("an answer").token_count).collect();
    assert_eq!(tokens, (1..=u32::try_from(count).expect("few")).collect::<Vec<_>>());
}

/// A script whose batches are answered, or refused whole, by `answer`, which gets the number of the call.
fn batches(
    answer: impl Fn(usize, &AnalyzeBatchRequest) -> Result<Vec<Result<(), sentiment_client::proto::google::rpc::Status>>, Status>
        + Send
        + Sync
        + 'static,
) -> Script {
    let batch = move |number, request: AnalyzeBatchRequest| {
        let answered = answer(number, &request)
            .map(|outcomes| batch_of(outcomes.into_iter().zip(&request.texts).map(|(outcome, text)| outcome.map(|()| sentiment_of(text)))));
        let answered: futures_util::future::BoxFuture<'static, _> = Box::pin(async move { answered });
        answered
    };
    Script { batch: Box::new(batch), ..Script::default() }
}

#[tokio::test]
async fn calls_are_cut_bounded_and_in_order() {
    let under_way = Arc::new(AtomicUsize::new(0));
    let seen: Arc<Mutex<Vec<(usize, usize)>>> = Arc::default();
    let (counted, noted) = (under_way.clone(), seen.clone());
    let batch = move |number, request: AnalyzeBatchRequest| {
        let (counted, noted) = (counted.clone(), noted.clone());
        let answered: futures_util::future::BoxFuture<'static, _> = Box::pin(async move {
            let at_once = counted.fetch_add(1, Ordering::SeqCst) + 1;
            noted.lock().expect("no panic").push((request.texts.len(), at_once));
            // Later calls are answered sooner.
            tokio::time::sleep(millis(40 - 10 * (number as u64 % 4))).await;
            counted.fetch_sub(1, Ordering::SeqCst);
            Ok(batch_of(request.texts.iter().map(|text| Ok(sentiment_of(text)))))
        });
        answered
    };
    let server = Scripted::start(Script { batch: Box::new(batch), ..Script::default() }).await;
    let outcomes = analyze_all(&server, 1000, BatchOptions::default()).await.expect("all answered");
    assert_in_order(&outcomes, 1000);
    let seen = seen.lock().expect("no panic");
    assert_eq!(seen.len(), 32);
    assert_eq!(seen.iter().map(|(size, _)| *size).max(), Some(32));
    assert_eq!(seen.iter().map(|(_, at_once)| *at_once).max(), Some(4));
}

#[tokio::test]
async fn texts_without_end_are_read_as_they_are_needed_and_leaving_ends_the_calls() {
    let server = Scripted::start(Script::default()).await;
    let client = client_of(&server.address).await;
    let read = Arc::new(AtomicUsize::new(0));
    let reading = read.clone();
    let endless = iter(std::iter::repeat_with(move || {
        reading.fetch_add(1, Ordering::SeqCst);
        "a"
    }));
    let taken: Vec<_> = client.analyze_all(endless, Tier::Fast).take(100).try_collect().await.expect("answers");
    assert_eq!(taken.len(), 100);
    // Those of the outcomes taken, and of the calls under way.
    assert!(read.load(Ordering::SeqCst) <= 100 + 32 * 5, "{read:?} texts read");
    let calls = server.calls();
    tokio::time::sleep(millis(200)).await;
    assert_eq!(server.calls(), calls);
}

#[tokio::test]
async fn a_text_that_is_refused_for_now_is_asked_again_alone() {
    let server = Scripted::start(batches(|number, request| {
        let refuse = |text: &String| number == 0 && text.len().is_multiple_of(10);
        Ok(request
            .texts
            .iter()
            .map(|text| if refuse(text) { Err(refusal(Code::Unavailable, "BACKEND_DOWN", None)) } else { Ok(()) })
            .collect())
    }))
    .await;
    let outcomes = analyze_all(&server, 32, BatchOptions::default()).await.expect("all answered");
    assert_in_order(&outcomes, 32);
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn a_texts_own_error_is_its_outcome() {
    let server = Scripted::start(batches(|_, request| {
        Ok(request.texts.iter().map(|text| if text.len() == 7 { Err(refusal(Code::Internal, "BUG", None)) } else { Ok(()) }).collect())
    }))
    .await;
    let outcomes = analyze_all(&server, 10, BatchOptions::default()).await.expect("all answered");
    let failed: Vec<_> =
        outcomes.iter().enumerate().filter_map(|(place, outcome)| Some((place, outcome.as_ref().err()?.reason()?))).collect();
    assert_eq!(failed, [(6, &Reason::Bug)]);
}

#[tokio::test]
async fn a_refused_call_is_asked_again_after_the_servers_time() {
    let server = Scripted::start(batches(|number, request| {
        if number == 0 {
            return Err(refused(Code::ResourceExhausted, "RATE_LIMITED", Some(600), None));
        }
        Ok(vec![Ok(()); request.texts.len()])
    }))
    .await;
    let began = Instant::now();
    let outcomes = analyze_all(&server, 10, BatchOptions::default()).await.expect("all answered");
    assert_in_order(&outcomes, 10);
    assert!(began.elapsed() >= millis(600), "{:?}", began.elapsed());
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn it_gives_up_when_nothing_is_answered_for_long() {
    let server = Scripted::start(batches(|_, _| Err(refused(Code::ResourceExhausted, "OVERLOADED", Some(100), None)))).await;
    let began = Instant::now();
    let options = BatchOptions { give_up_after: millis(1000), ..BatchOptions::default() };
    let error = analyze_all(&server, 500, options).await.expect_err("given up");
    assert_eq!(error.reason(), Some(&Reason::Overloaded));
    assert!((millis(900)..millis(1500)).contains(&began.elapsed()), "{:?}", began.elapsed());
}

fn with_deadline(deadline: Duration) -> BatchOptions {
    let call = CallOptions { deadline: Some(deadline), ..CallOptions::default() };
    BatchOptions { call, batch_size: 1, concurrency: 1, ..BatchOptions::default() }
}

#[tokio::test]
async fn a_call_without_an_answer_in_time_is_asked_again_and_its_connection_given_up() {
    let server = Scripted::start(Script::default()).await;
    let (vanishing, address) = silent_listener().await;
    let client = client_of(&format!("ipv4:{address},{}", server.address)).await;
    let (mut connection, _) = vanishing.accept().await.expect("a connection");
    // Until both connections stand.
    tokio::time::sleep(millis(300)).await;
    drop(vanishing);
    let outcomes: Vec<_> = client.analyze_all(iter(texts(10)), with_deadline(millis(1000))).try_collect().await.expect("all answered");
    assert_in_order(&outcomes, 10);
    let mut sent = Vec::new();
    tokio::time::timeout(millis(5000), connection.read_to_end(&mut sent)).await.expect("the client leaves it").expect("in good order");
}

#[tokio::test]
async fn it_gives_up_in_time_on_a_server_that_says_nothing() {
    let (_listener, address) = silent_listener().await;
    let client = client_of(&address).await;
    for (deadline, code) in [(300, Code::DeadlineExceeded), (30_000, Code::Unavailable)] {
        let began = Instant::now();
        let options = BatchOptions { give_up_after: millis(1000), ..with_deadline(millis(deadline)) };
        let error = client.analyze_all(iter(texts(3)), options).try_collect::<Vec<_>>().await.expect_err("given up");
        assert_eq!(error.code(), code);
        assert!((millis(1000)..millis(1500)).contains(&began.elapsed()), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_refusal_from_before_the_last_answer_is_not_why_it_gives_up() {
    let batch = |number, request: AnalyzeBatchRequest| {
        let answered: futures_util::future::BoxFuture<'static, _> = Box::pin(async move {
            match number {
                0 => Err(refused(Code::ResourceExhausted, "OVERLOADED", Some(100), None)),
                1 => Ok(batch_of(request.texts.iter().map(|text| Ok(sentiment_of(text))))),
                _ => std::future::pending().await,
            }
        });
        answered
    };
    let server = Scripted::start(Script { batch: Box::new(batch), ..Script::default() }).await;
    let options = BatchOptions { give_up_after: millis(1000), ..with_deadline(millis(30_000)) };
    let error = analyze_all(&server, 2, options).await.expect_err("given up");
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, None));
}

#[tokio::test]
async fn another_error_of_a_call_is_the_last_item() {
    let server = Scripted::start(batches(|_, _| Err(refused(Code::Unauthenticated, "KEY_UNKNOWN", None, None)))).await;
    let client = client_of(&server.address).await;
    let items: Vec<_> = client.analyze_all(iter(texts(500)), Tier::Fast).collect().await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].as_ref().err().and_then(SentimentError::reason), Some(&Reason::KeyUnknown));
}

#[tokio::test]
async fn what_the_server_says_for_good_is_not_asked_again() {
    for (code, reason) in [(Code::ResourceExhausted, Reason::MetadataTooLarge), (Code::DeadlineExceeded, Reason::Deadline)] {
        let said = reason.clone();
        let server = Scripted::start(batches(move |_, _| Err(refused(code, said.as_str(), None, None)))).await;
        let options = BatchOptions { give_up_after: millis(1000), ..BatchOptions::default() };
        let error = analyze_all(&server, 3, options).await.expect_err("a refusal of all");
        assert_eq!((error.reason(), server.calls()), (Some(&reason), 1));
    }
}

#[tokio::test]
async fn only_the_text_that_is_too_large_for_a_message_fails() {
    let server = Scripted::start(batches(|_, request| {
        if request.texts.iter().any(|text| text.len() == 21) {
            return Err(Status::resource_exhausted("Received message larger than max (21 vs 20)"));
        }
        Ok(vec![Ok(()); request.texts.len()])
    }))
    .await;
    let outcomes = analyze_all(&server, 32, BatchOptions::default()).await.expect("all answered");
    let failed: Vec<_> = outcomes.iter().enumerate().filter_map(|(place, outcome)| Some((place, outcome.as_ref().err()?.code()))).collect();
    assert_eq!((outcomes.len(), failed), (32, vec![(20, Code::ResourceExhausted)]));
}

#[tokio::test]
async fn a_slow_reader_costs_no_call_its_deadline() {
    let server = Scripted::start(batches(|number, request| {
        if number == 1 {
            return Err(refused(Code::Unavailable, "BACKEND_DOWN", None, Some("50")));
        }
        Ok(vec![Ok(()); request.texts.len()])
    }))
    .await;
    let client = client_of(&server.address).await;
    let call = sentiment_client::CallOptions { deadline: Some(millis(500)), ..Default::default() };
    let mut outcomes = client.analyze_all(iter(texts(64)), BatchOptions { call, ..BatchOptions::default() });
    let first = outcomes.next().await.expect("an item").expect("no error of all");
    assert!(first.is_ok());
    tokio::time::sleep(millis(1000)).await;
    let rest: Vec<_> = outcomes.try_collect().await.expect("no error of all");
    assert_eq!(rest.len(), 63);
}
