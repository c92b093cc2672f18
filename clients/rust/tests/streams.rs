//! `analyze_stream` against a server that breaks and refuses as it is told.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::future::ready;
use futures_util::stream::{once, BoxStream};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use sentiment_client::proto::sentiment::v1::AnalyzeStreamRequest;
use sentiment_client::{Code, Outcome, Reason, SentimentError, StreamOptions, Tier};
use support::scripted::{refusal, refused, sentiment_of, streamed, Answer, Script, Scripted};
use support::{client_of, millis};
use tokio_stream::iter;
use tonic::{Status, Streaming};

/// The texts that were asked, stream by stream.
type Asked = Arc<Mutex<Vec<Vec<String>>>>;

fn texts(count: usize) -> Vec<String> {
    (1..=count).map(|length| "a".repeat(length)).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a stream of answers is made of")]
fn answer(request: &AnalyzeStreamRequest) -> Answer {
    Ok(streamed(&request.id, Ok(sentiment_of(&request.text))))
}

/// A script whose streams are what `answers` makes of the requests; it gets the number of the stream.
fn streams(
    answers: impl Fn(usize, BoxStream<'static, AnalyzeStreamRequest>) -> BoxStream<'static, Answer> + Send + Sync + 'static,
) -> (Script, Asked) {
    let asked = Asked::default();
    let noted = asked.clone();
    let stream = move |number: usize, requests: Streaming<AnalyzeStreamRequest>| {
        noted.lock().expect("no panic").push(Vec::new());
        let noted = noted.clone();
        let requests = requests.take_while(|request| ready(request.is_ok())).map(move |request| {
            let request = request.expect("one that is not Ok ends it");
            noted.lock().expect("no panic")[number].push(request.text.clone());
            request
        });
        answers(number, requests.boxed())
    };
    (Script { stream: Box::new(stream), ..Script::default() }, asked)
}

async fn analyze_stream(server: &Scripted, count: usize, options: StreamOptions) -> Result<Vec<Outcome>, SentimentError> {
    client_of(&server.address).await.analyze_stream(iter(texts(count)), options).try_collect().await
}

fn assert_in_order(outcomes: &[Outcome], count: usize) {
    let tokens: Vec<u32> = outcomes.iter().map(|outcome| outcome.as_ref().expect("an answer").token_count).collect();
    assert_eq!(tokens, (1..=u32::try_from(count).expect("few")).collect::<Vec<_>>());
}

#[tokio::test]
async fn answers_out_of_order_come_in_order() {
    // Two by two, the second first.
    let swapped = |pair: Vec<AnalyzeStreamRequest>| iter(pair.iter().rev().map(answer).collect::<Vec<_>>());
    let (script, asked) = streams(move |_, requests| requests.chunks(2).flat_map(swapped).boxed());
    let server = Scripted::start(script).await;
    let outcomes = analyze_stream(&server, 1000, StreamOptions::default()).await.expect("all answered");
    assert_in_order(&outcomes, 1000);
    assert_eq!((server.calls(), asked.lock().expect("no panic")[0].len()), (1, 1000));
}

#[tokio::test]
async fn no_more_is_under_way_than_it_may_be() {
    // The first is never answered: what is read stops there.
    let (script, asked) = streams(|_, requests| requests.skip(1).map(|request| answer(&request)).boxed());
    let server = Scripted::start(script).await;
    let read = Arc::new(AtomicUsize::new(0));
    let reading = read.clone();
    let endless = iter(std::iter::repeat_with(move || {
        reading.fetch_add(1, Ordering::SeqCst);
        "a"
    }));
    let client = client_of(&server.address).await;
    let mut outcomes = client.analyze_stream(endless, StreamOptions { max_under_way: 50, ..StreamOptions::default() });
    assert!(tokio::time::timeout(millis(500), outcomes.next()).await.is_err());
    assert_eq!((read.load(Ordering::SeqCst), asked.lock().expect("no panic")[0].len()), (50, 50));
}

#[tokio::test]
async fn a_broken_stream_is_opened_anew_and_only_the_unanswered_is_asked_again() {
    let (script, asked) = streams(|number, requests| {
        let answers = requests.map(|request| answer(&request));
        match number {
            0 => answers.take(10).chain(once(ready(Err(refused(Code::Unavailable, "DRAINING", None, None))))).boxed(),
            1 => answers.take(10).boxed(),
            // Ends with RST_STREAM, when what it has answered is on its way.
            2 => answers.take(10).chain(once(tokio::time::sleep(millis(200)).map(|()| panic!("as the script says")))).boxed(),
            _ => answers.boxed(),
        }
    });
    let server = Scripted::start(script).await;
    let outcomes = analyze_stream(&server, 100, StreamOptions::default()).await.expect("all answered");
    assert_in_order(&outcomes, 100);
    let asked = asked.lock().expect("no panic");
    assert_eq!(asked.len(), 4);
    let firsts: Vec<usize> = asked.iter().map(|texts| texts[0].len()).collect();
    assert_eq!((firsts, asked[3].len()), (vec![1, 11, 21, 31], 70));
}

#[tokio::test]
async fn a_text_that_is_refused_for_now_is_asked_again_on_the_same_stream() {
    let (script, asked) = streams(|_, requests| {
        let mut refused = false;
        let answers = requests.map(move |request| {
            if request.text.len() == 5 && !std::mem::replace(&mut refused, true) {
                return Ok(streamed(&request.id, Err(refusal(Code::ResourceExhausted, "RATE_LIMITED", Some(500)))));
            }
            answer(&request)
        });
        answers.boxed()
    });
    let server = Scripted::start(script).await;
    let began = Instant::now();
    let outcomes = analyze_stream(&server, 20, StreamOptions::default()).await.expect("all answered");
    assert_in_order(&outcomes, 20);
    assert!(began.elapsed() >= millis(500), "{:?}", began.elapsed());
    assert_eq!((server.calls(), asked.lock().expect("no panic")[0].len()), (1, 21));
}

#[tokio::test]
async fn a_stream_that_the_server_ends_while_nothing_is_owed_is_opened_anew() {
    let (script, _) = streams(|_, requests| {
        requests.take(1).map(|request| answer(&request)).chain(once(ready(Err(Status::deadline_exceeded("nothing was sent"))))).boxed()
    });
    let server = Scripted::start(script).await;
    let client = client_of(&server.address).await;
    let slowly = tokio_stream::StreamExt::throttle(iter(texts(3)), millis(200));
    let outcomes: Vec<_> = client.analyze_stream(slowly, Tier::Fast).try_collect().await.expect("all answered");
    assert_in_order(&outcomes, 3);
    assert_eq!(server.calls(), 3);
}

#[tokio::test]
async fn it_gives_up_when_nothing_is_answered_for_long() {
    let (script, _) = streams(|_, _| once(ready(Err(refused(Code::Unavailable, "BACKEND_DOWN", None, None)))).boxed());
    let server = Scripted::start(script).await;
    let began = Instant::now();
    let error = analyze_stream(&server, 500, StreamOptions { give_up_after: millis(1000), ..StreamOptions::default() })
        .await
        .expect_err("given up");
    assert_eq!(error.reason(), Some(&Reason::BackendDown));
    assert!((millis(900)..millis(1500)).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert!((3..=6).contains(&server.calls()), "{} streams", server.calls());
}

#[tokio::test]
async fn a_refusal_from_before_the_last_answer_is_not_why_it_gives_up() {
    let (script, _) = streams(|number, requests| match number {
        0 => once(ready(Err(refused(Code::ResourceExhausted, "OVERLOADED", Some(100), None)))).boxed(),
        _ => requests.filter_map(|request| ready((request.text.len() == 1).then(|| answer(&request)))).boxed(),
    });
    let server = Scripted::start(script).await;
    let options = StreamOptions { give_up_after: millis(1000), ..StreamOptions::default() };
    let error = analyze_stream(&server, 2, options).await.expect_err("given up");
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, None));
}

#[tokio::test]
async fn it_gives_up_on_a_server_that_says_nothing() {
    let (script, _) = streams(|_, requests| requests.filter_map(|_| ready(None)).boxed());
    let server = Scripted::start(script).await;
    let error =
        analyze_stream(&server, 3, StreamOptions { give_up_after: millis(500), ..StreamOptions::default() }).await.expect_err("given up");
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().starts_with("no answer for"), "{error}");
}

#[tokio::test]
async fn another_error_of_the_stream_is_the_last_item() {
    let (script, _) = streams(|_, requests| {
        requests
            .take(200)
            .map(|request| answer(&request))
            .chain(once(ready(Err(refused(Code::Unauthenticated, "KEY_UNKNOWN", None, None)))))
            .boxed()
    });
    let server = Scripted::start(script).await;
    let client = client_of(&server.address).await;
    let items: Vec<_> = client.analyze_stream(iter(texts(250)), Tier::Fast).collect().await;
    assert_eq!(items.len(), 201);
    assert_eq!(items[200].as_ref().err().and_then(SentimentError::reason), Some(&Reason::KeyUnknown));
}

#[tokio::test]
async fn only_the_text_that_is_too_large_for_a_message_fails() {
    let (script, _) = streams(|_, requests| {
        let too_large = || Err(Status::resource_exhausted("Received message larger than max (21 vs 20)"));
        requests.map(move |request| if request.text.len() > 20 { too_large() } else { answer(&request) }).boxed()
    });
    let server = Scripted::start(script).await;
    let outcomes = analyze_stream(&server, 22, StreamOptions::default()).await.expect("all answered");
    let failed: Vec<_> = outcomes.iter().enumerate().filter_map(|(place, outcome)| Some((place, outcome.as_ref().err()?.code()))).collect();
    assert_eq!(failed, [(20, Code::ResourceExhausted), (21, Code::ResourceExhausted)]);
}

#[tokio::test]
async fn leaving_ends_the_call() {
    let (script, asked) = streams(|_, requests| requests.map(|request| answer(&request)).boxed());
    let server = Scripted::start(script).await;
    let client = client_of(&server.address).await;
    let endless = iter(std::iter::repeat("a"));
    let taken: Vec<_> = client.analyze_stream(endless, Tier::Fast).take(1000).try_collect().await.expect("answers");
    assert_eq!(taken.len(), 1000);
    tokio::time::sleep(millis(300)).await;
    let count = asked.lock().expect("no panic")[0].len();
    tokio::time::sleep(millis(300)).await;
    assert_eq!(asked.lock().expect("no panic")[0].len(), count);
}

#[tokio::test]
async fn closing_the_client_ends_it() {
    let (script, _) = streams(|_, requests| requests.filter_map(|_| ready(None)).boxed());
    let server = Scripted::start(script).await;
    let client = client_of(&server.address).await;
    let items = client.analyze_stream(iter(texts(3)), Tier::Fast).collect::<Vec<_>>();
    let (items, ()) = tokio::join!(items, async {
        tokio::time::sleep(millis(200)).await;
        client.close();
    });
    assert_eq!(items[0].as_ref().err().map(SentimentError::code), Some(Code::Cancelled));
}
