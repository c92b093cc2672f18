//! Says whether texts are negative, neutral or positive, and how sure it is, by asking a Sentiment Analyzer Pro server.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use sentiment_client::{Client, Options, Tier};
//!
//! let client = Client::connect("127.0.0.1:50051", Options::default()).await?;
//! let analysis = client.analyze("I love this product!", Tier::Fast).await?;
//! println!("{} {}", analysis.sentiment.label().as_str_name(), analysis.sentiment.score);
//! # Ok(())
//! # }
//! ```
//!
//! [`Client`] has the calls: single texts, batches, and two streams, [`Client::analyze_all`] and [`Client::analyze_stream`], for texts
//! without end. [`SentimentError`] is what a call, or one text, ends with when there is no answer.

mod attempt;
mod batch;
mod call;
mod client;
mod details;
mod driver;
mod error;
mod identity;
mod options;
mod patience;
mod pool;
mod reason;
mod retry;
mod stream;
mod target;
mod trace;
mod transport;
mod window;

/// The messages and calls of the API, generated from `sentiment.proto`.
#[allow(missing_docs, rustdoc::invalid_html_tags, clippy::all, clippy::pedantic, clippy::nursery)]
#[rustfmt::skip]
#[path = "gen/mod.rs"]
pub mod proto;

pub use client::{Analysis, Client};
pub use error::{ConnectError, FieldViolation, SentimentError};
pub use options::{BatchOptions, CallOptions, Options, StreamOptions, Tls};
pub use reason::Reason;
pub use tonic::Code;

pub use proto::sentiment::v1::{
    AnalyzeOptions, CacheTier, Label, LongText, Model, Probabilities, SentenceSentiment, Sentiment, Tier, Timing, TokenAttribution,
};

/// What became of one text: its sentiment, or why there is none.
pub type Outcome = Result<Sentiment, SentimentError>;

/// Outcomes in the order of their texts. An `Err` outside concerns all of them and is the last item.
pub type Outcomes = futures_util::stream::BoxStream<'static, Result<Outcome, SentimentError>>;

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
