//! A real server with keys, quotas and a limit of streams.

mod support;

use futures_util::{StreamExt, TryStreamExt};
use sentiment_client::{AnalyzeOptions, CallOptions, Client, Code, Options, Reason, SentimentError, StreamOptions, Tier};
use support::millis;
use support::real_server::{empty_folder, new_key, RealServer};
use tokio_stream::iter;

async fn with_key(server: &RealServer, key: &str) -> Client {
    Client::connect(&server.address, Options::default().api_key(key)).await.expect("a key that can be sent")
}

async fn refused(client: &Client) -> (Code, Option<Reason>) {
    let error = client.analyze("fine", Tier::Fast).await.expect_err("a refusal");
    (error.code(), error.reason().cloned())
}

#[tokio::test]
async fn who_may_call_is_told_apart() {
    let file = empty_folder("keys").join("keys.json");
    let good = new_key(&file, "good", &[]).await;
    let operator = new_key(&file, "operator", &["--rights", "admin"]).await;
    let server = RealServer::start(&[("API_KEYS_FILE", file.to_str().expect("UTF-8"))]).await;
    with_key(&server, &good).await.analyze("fine", Tier::Fast).await.expect("an answer");
    let anonymous = support::client_of(&server.address).await;
    assert_eq!(refused(&anonymous).await, (Code::Unauthenticated, Some(Reason::KeyMissing)));
    assert_eq!(refused(&with_key(&server, "sap_0123_nobodys").await).await, (Code::Unauthenticated, Some(Reason::KeyUnknown)));
    assert_eq!(refused(&with_key(&server, &operator).await).await, (Code::PermissionDenied, Some(Reason::NotAllowed)));
    for mut outcomes in [anonymous.analyze_all(iter(["fine"]), Tier::Fast), anonymous.analyze_stream(iter(["fine"]), Tier::Fast)] {
        let error = outcomes.next().await.expect("an item").expect_err("a refusal of all");
        assert_eq!(error.reason(), Some(&Reason::KeyMissing));
        assert!(outcomes.next().await.is_none());
    }
}

/// Each text costs about twenty tokens, and a minute has six hundred.
#[tokio::test]
async fn a_quota_is_told_of_and_waited_for() {
    let file = empty_folder("quota").join("keys.json");
    let key = new_key(&file, "small", &["--tokens-per-minute", "600"]).await;
    let server = RealServer::start(&[("API_KEYS_FILE", file.to_str().expect("UTF-8"))]).await;
    let client = with_key(&server, &key).await;
    let error = used_up(&client).await;
    assert_eq!((error.code(), error.reason(), error.is_temporary()), (Code::ResourceExhausted, Some(&Reason::RateLimited), true));
    assert!(error.retry_after().is_some_and(|wait| !wait.is_zero()), "{error:?}");
    // Refused at first, and let in some seconds later.
    let texts: Vec<String> = (0..2).map(|index| format!("Waited for number {index}")).collect();
    let outcomes: Vec<_> = client.analyze_all(iter(texts), Tier::Fast).try_collect().await.expect("outcomes");
    assert!(outcomes.len() == 2 && outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}

async fn used_up(client: &Client) -> SentimentError {
    let options =
        || CallOptions { tier: Tier::Fast, analyze: AnalyzeOptions { skip_cache: true, ..AnalyzeOptions::default() }, deadline: None };
    for _ in 0..200 {
        if let Err(error) =
            client.analyze("This costs about twenty tokens of the small quota that the key of this client has", options()).await
        {
            return error;
        }
    }
    panic!("a quota of 600 tokens let 200 texts in");
}

#[tokio::test]
async fn a_stream_that_is_one_too_many_waits_until_another_has_ended() {
    let server = RealServer::start(&[("MAX_STREAMS", "1")]).await;
    let client = support::client_of(&server.address).await;
    let mut first = client.analyze_stream(iter(["fine"]).chain(futures_util::stream::pending()), Tier::Fast);
    first.next().await.expect("an item").expect("no error of all").expect("an answer");
    let refused = StreamOptions { give_up_after: millis(500), ..StreamOptions::from(Tier::Fast) };
    let error = client.analyze_stream(iter(["fine"]), refused).next().await.expect("an item").expect_err("a refusal of all");
    assert_eq!((error.reason(), error.retry_after().is_some()), (Some(&Reason::Overloaded), true));
    let waiting = client.analyze_stream(iter(["fine"]), Tier::Fast).try_collect::<Vec<_>>();
    let (outcomes, ()) = tokio::join!(waiting, async {
        tokio::time::sleep(millis(500)).await;
        drop(first);
    });
    assert!(outcomes.expect("no error of all")[0].is_ok());
}
