//! The calls and the helpers against the real server, as it is without any settings. `test.sh` starts it.

mod support;

use futures_util::{StreamExt, TryStreamExt};
use sentiment_client::{
    AnalyzeOptions, BatchOptions, CallOptions, Code, Label, LongText, Outcome, Reason, SentimentError, StreamOptions, Tier,
};
use support::{assert_fits, client_of_the_server, millis, telling_texts};
use tokio_stream::iter;

async fn refused(text: &str, options: impl Into<CallOptions>) -> SentimentError {
    client_of_the_server().await.analyze(text, options).await.expect_err("a refusal")
}

fn with(analyze: AnalyzeOptions) -> CallOptions {
    CallOptions { tier: Tier::Fast, analyze, deadline: None }
}

#[tokio::test]
async fn one_text() {
    let analysis = client_of_the_server().await.analyze("I love this product!", Tier::Fast).await.expect("an answer");
    let sentiment = &analysis.sentiment;
    assert_eq!((sentiment.label(), sentiment.tier()), (Label::Positive, Tier::Fast));
    assert!(sentiment.score > 0.5 && sentiment.confidence > 0.5, "{sentiment:?}");
    assert!(analysis.timing.total.is_some());
}

#[tokio::test]
async fn sentences_and_words() {
    let analyze = AnalyzeOptions { sentences: true, explain: true, skip_cache: true, ..AnalyzeOptions::default() };
    let text = "I love the screen. I hate the battery.";
    let analysis = client_of_the_server().await.analyze(text, with(analyze)).await.expect("an answer");
    let sentences: Vec<Label> = analysis.sentiment.sentences.iter().map(sentiment_client::SentenceSentiment::label).collect();
    assert_eq!(sentences, [Label::Positive, Label::Negative]);
    assert!(analysis.sentiment.mixed);
    assert!(analysis.sentiment.attributions.iter().any(|word| word.token == "hate" && word.weight < 0.0));
}

#[tokio::test]
async fn a_batch_with_one_bad_text() {
    let outcomes = client_of_the_server().await.analyze_batch(["I love it", " ", "I hate it"], Tier::Fast).await.expect("outcomes");
    let labels: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().ok().map(sentiment_client::Sentiment::label)).collect();
    assert_eq!(labels, [Some(Label::Positive), None, Some(Label::Negative)]);
    let error = outcomes[1].as_ref().expect_err("an error");
    assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, Some(&Reason::TextEmpty)));
}

#[tokio::test]
async fn the_models() {
    let models = client_of_the_server().await.models().await.expect("models");
    assert_eq!(models.iter().map(sentiment_client::Model::tier).collect::<Vec<_>>(), [Tier::Fast, Tier::Balanced, Tier::Accurate]);
    assert!(models.iter().any(|model| model.default_tier && model.tier() == Tier::Fast));
}

#[tokio::test]
async fn an_empty_text_names_its_field() {
    let error = refused(" ", Tier::Fast).await;
    assert_eq!((error.code(), error.reason(), error.retry_after()), (Code::InvalidArgument, Some(&Reason::TextEmpty), None));
    assert_eq!(error.field_violations()[0].field, "text");
    assert!(!error.is_temporary() && error.to_string().starts_with("TEXT_EMPTY: "), "{error}");
}

#[tokio::test]
async fn texts_that_are_too_long() {
    assert_eq!(refused(&"a".repeat(10_001), Tier::Fast).await.reason(), Some(&Reason::TextTooLong));
    let reject = AnalyzeOptions { long_text: LongText::Reject.into(), ..AnalyzeOptions::default() };
    assert_eq!(refused(&"good ".repeat(600), with(reject)).await.reason(), Some(&Reason::TextTooLong));
}

#[tokio::test]
async fn options_that_are_none() {
    let unknown = AnalyzeOptions { long_text: 9, ..AnalyzeOptions::default() };
    assert_eq!(refused("fine", with(unknown)).await.reason(), Some(&Reason::OptionUnknown));
}

#[tokio::test]
async fn batches_that_are_too_large_or_empty() {
    let client = client_of_the_server().await;
    let error = client.analyze_batch(vec!["fine"; 101], Tier::Fast).await.expect_err("a refusal");
    assert_eq!((error.reason(), error.field_violations()[0].field.as_str()), (Some(&Reason::BatchTooLarge), "texts"));
    let error = client.analyze_batch(Vec::<String>::new(), Tier::Fast).await.expect_err("a refusal");
    assert_eq!(error.reason(), Some(&Reason::BatchEmpty));
}

#[tokio::test]
async fn a_deadline_that_is_too_short() {
    let options = CallOptions { deadline: Some(millis(0)), ..CallOptions::default() };
    assert_eq!(refused("fine", options).await.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_message_over_the_servers_limit() {
    let error = refused(&"a".repeat(5_000_000), Tier::Fast).await;
    assert_eq!((error.code(), error.is_temporary()), (Code::ResourceExhausted, false));
}

fn assert_all_fit(outcomes: &[Outcome], count: usize) {
    assert_eq!(outcomes.len(), count);
    for (index, outcome) in outcomes.iter().enumerate() {
        assert_fits(index, outcome.as_ref().expect("an answer"));
    }
}

#[tokio::test]
async fn a_thousand_texts_in_batches() {
    let client = client_of_the_server().await;
    let outcomes: Vec<_> = client.analyze_all(iter(telling_texts(1000)), Tier::Fast).try_collect().await.expect("outcomes");
    assert_all_fit(&outcomes, 1000);
}

#[tokio::test]
async fn a_thousand_texts_in_a_stream() {
    let client = client_of_the_server().await;
    let outcomes: Vec<_> = client.analyze_stream(iter(telling_texts(1000)), Tier::Fast).try_collect().await.expect("outcomes");
    assert_all_fit(&outcomes, 1000);
}

#[tokio::test]
async fn bad_texts_between_good_ones_in_both() {
    let client = client_of_the_server().await;
    let texts = || iter((0..100).map(|index| if index % 10 == 3 { String::new() } else { "I love it".to_owned() }));
    let batches: Vec<_> = client.analyze_all(texts(), BatchOptions::from(Tier::Fast)).try_collect().await.expect("outcomes");
    let streamed: Vec<_> = client.analyze_stream(texts(), StreamOptions::from(Tier::Fast)).try_collect().await.expect("outcomes");
    for outcomes in [batches, streamed] {
        let bad = |outcome: &Outcome| outcome.as_ref().err().and_then(SentimentError::reason) == Some(&Reason::TextEmpty);
        assert_eq!(outcomes.iter().map(bad).collect::<Vec<_>>(), (0..100).map(|index| index % 10 == 3).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_text_over_the_servers_limit_fails_alone_in_both() {
    let client = client_of_the_server().await;
    let texts = || iter((0..40).map(|index| if index == 20 { "a".repeat(5_000_000) } else { "I love it".to_owned() }));
    let batches: Vec<_> = client.analyze_all(texts(), Tier::Fast).try_collect().await.expect("outcomes");
    let streamed: Vec<_> = client.analyze_stream(texts(), Tier::Fast).try_collect().await.expect("outcomes");
    for outcomes in [batches, streamed] {
        let failed: Vec<_> =
            outcomes.iter().enumerate().filter_map(|(index, outcome)| Some((index, outcome.as_ref().err()?.code()))).collect();
        assert_eq!((outcomes.len(), failed), (40, vec![(20, Code::ResourceExhausted)]));
    }
}

#[tokio::test]
async fn leaving_early_leaves_a_client_that_works() {
    let client = client_of_the_server().await;
    let endless = || iter((0..).map(support::telling_text));
    let batches: Vec<_> = client.analyze_all(endless(), Tier::Fast).take(100).try_collect().await.expect("outcomes");
    assert_all_fit(&batches, 100);
    let streamed: Vec<_> = client.analyze_stream(endless(), Tier::Fast).take(100).try_collect().await.expect("outcomes");
    assert_all_fit(&streamed, 100);
    client.analyze("fine", Tier::Fast).await.expect("an answer");
}
