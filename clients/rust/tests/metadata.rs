//! What goes along with a call: the key, the trace, and nothing else.

mod support;

use std::collections::HashMap;

use futures_util::TryStreamExt;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{global, Context};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use sentiment_client::{BatchOptions, Client, ConnectError, Options, Tier};
use support::scripted::{Script, Scripted};
use tonic::metadata::MetadataMap;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn text<'a>(metadata: &'a MetadataMap, name: &str) -> Option<&'a str> {
    metadata.get(name).map(|value| value.to_str().expect("ASCII"))
}

async fn client_of(server: &Scripted, options: Options) -> Client {
    Client::connect(&server.address, options).await.expect("good options")
}

#[tokio::test]
async fn the_key_goes_along_as_a_bearer_token() {
    let server = Scripted::start(Script::default()).await;
    let client = client_of(&server, Options::default().api_key("sap_0123_secret")).await;
    client.analyze("fine", Tier::Fast).await.expect("an answer");
    let seen = server.seen();
    assert_eq!(text(&seen[0], "authorization"), Some("Bearer sap_0123_secret"));
    assert!(text(&seen[0], "user-agent").expect("one").starts_with("sentiment-client-rust/"));
    assert_eq!(text(&seen[0], "traceparent"), None);
}

#[tokio::test]
async fn a_key_with_a_line_end_is_refused_before_any_call() {
    let refused = Client::connect("127.0.0.1:1", Options::default().api_key("sap_secret\n")).await;
    let error = refused.err().expect("a refusal");
    assert!(matches!(error, ConnectError::Key) && !error.to_string().contains("sap_secret"), "{error}");
    assert!(!format!("{:?}", Options::default().api_key("sap_secret")).contains("sap_secret"));
}

#[tokio::test]
async fn the_hooks_trace_goes_along_and_nothing_else_of_it() {
    let server = Scripted::start(Script::default()).await;
    let hook = || {
        let context = [("traceparent", TRACEPARENT), ("tracestate", "vendor=1"), ("baggage", "user=7"), ("authorization", "no")];
        context.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    };
    let client = client_of(&server, Options::default().trace_context(hook)).await;
    client.analyze("fine", Tier::Fast).await.expect("an answer");
    let seen = server.seen();
    assert_eq!((text(&seen[0], "traceparent"), text(&seen[0], "tracestate")), (Some(TRACEPARENT), Some("vendor=1")));
    assert_eq!((text(&seen[0], "baggage"), text(&seen[0], "authorization")), (None, None));
}

#[tokio::test]
async fn a_trace_that_metadata_cannot_carry_fails_no_call() {
    let server = Scripted::start(Script::default()).await;
    let hook = || HashMap::from([("traceparent".to_owned(), "line\nend".to_owned())]);
    let client = client_of(&server, Options::default().trace_context(hook)).await;
    client.analyze("fine", Tier::Fast).await.expect("an answer");
    assert_eq!(text(&server.seen()[0], "traceparent"), None);
}

/// As the README shows it. A helper's calls run in tasks of their own, where no span is entered: they carry the caller's.
#[tokio::test]
async fn opentelemetrys_active_span_goes_along() {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let server = Scripted::start(Script::default()).await;
    let hook = || {
        let mut carrier = HashMap::new();
        global::get_text_map_propagator(|propagator| propagator.inject_context(&Context::current(), &mut carrier));
        carrier
    };
    let client = client_of(&server, Options::default().trace_context(hook)).await;
    let trace = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").expect("hex");
    let span = SpanContext::new(trace, SpanId::from_hex("b7ad6b7169203331").expect("hex"), TraceFlags::SAMPLED, true, TraceState::NONE);
    let outcomes = {
        let _entered = Context::new().with_remote_span_context(span).attach();
        client.analyze_all(tokio_stream::iter(["one", "two"]), BatchOptions { batch_size: 1, ..BatchOptions::default() })
    };
    let outcomes: Vec<_> = outcomes.try_collect().await.expect("no error of all");
    assert_eq!(outcomes.len(), 2);
    assert_eq!(server.seen().iter().map(|metadata| text(metadata, "traceparent")).collect::<Vec<_>>(), [Some(TRACEPARENT); 2]);
}
