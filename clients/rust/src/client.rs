//! The client, and its unary calls.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::Code;

use crate::attempt::{Core, Overdue};
use crate::error::{ConnectError, SentimentError};
use crate::identity::bearer;
use crate::options::{CallOptions, Options};
use crate::pool::Pool;
use crate::proto::sentiment::v1::{
    analyze_result, AnalyzeBatchRequest, AnalyzeRequest, AnalyzeResult, ListModelsRequest, Model, Sentiment, Timing,
};
use crate::target::Target;
use crate::transport::Transport;
use crate::Outcome;

/// A connection to each address of a server, and the calls. Clones share it and cost nothing; the last one to go closes it.
#[derive(Clone)]
pub struct Client {
    pub(crate) core: Arc<Core>,
}

/// The answer to [`Client::analyze`].
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// The verdict.
    pub sentiment: Sentiment,
    /// Where the time went.
    pub timing: Timing,
}

impl Client {
    /// The address of the environment variable `SENTIMENT_ADDRESS`, else, or where that is empty, `127.0.0.1:50051`.
    #[must_use]
    pub fn default_address() -> String {
        address_or_default(std::env::var("SENTIMENT_ADDRESS").ok())
    }

    /// `address` is a target of gRPC: `host:port`, `dns:///host:port`, `ipv4:1.2.3.4:port,5.6.7.8:port` or `[::1]:port`. Calls go to all
    /// addresses of a name in turn. It waits for no server: a call tells of one that cannot be reached. It needs tokio's runtime, and
    /// lives in the one that it was made in.
    ///
    /// # Errors
    /// A key that metadata cannot carry, an address that is none, certificates that cannot be read or used.
    pub async fn connect(address: impl AsRef<str>, options: Options) -> Result<Self, ConnectError> {
        let authorization = options.api_key.as_deref().map(bearer).transpose()?;
        let transport = Transport::new(Target::parse(address.as_ref())?, options.tls.as_ref()).await?;
        let core = Core {
            pool: Pool::new(transport),
            authorization,
            trace: options.trace,
            deadline: options.deadline,
            max_message_bytes: options.max_message_bytes,
            closed: CancellationToken::new(),
        };
        Ok(Self { core: Arc::new(core) })
    }

    /// One text. `options` may be a [`Tier`](crate::Tier) alone. UNAVAILABLE is tried again, up to five times in all.
    ///
    /// # Errors
    /// What the server refuses, a deadline that is over, a server that cannot be reached.
    pub async fn analyze(&self, text: impl Into<String>, options: impl Into<CallOptions>) -> Result<Analysis, SentimentError> {
        let CallOptions { tier, analyze, deadline } = options.into();
        let request = AnalyzeRequest { text: text.into(), tier: tier.into(), options: Some(analyze) };
        let send = |mut stub: crate::attempt::Stub, request| async move { stub.analyze(request).await };
        let answer = self.core.unary(request, self.core.metadata(), deadline, Overdue::Keep, send).await?;
        let sentiment = answer.sentiment.ok_or_else(|| incomplete("the answer has no sentiment"))?;
        Ok(Analysis { sentiment, timing: answer.timing.unwrap_or_default() })
    }

    /// Up to 100 texts in one call, unless the server is set otherwise: one outcome a text, in their order. A bad text has an error of
    /// its own. [`Client::analyze_all`] takes any number.
    ///
    /// # Errors
    /// What concerns the whole call, as [`Client::analyze`].
    pub async fn analyze_batch<T: Into<String>>(
        &self,
        texts: impl IntoIterator<Item = T>,
        options: impl Into<CallOptions>,
    ) -> Result<Vec<Outcome>, SentimentError> {
        let texts = texts.into_iter().map(Into::into).collect();
        self.batch(texts, &options.into(), self.core.metadata(), Overdue::Keep).await
    }

    pub(crate) async fn batch(
        &self,
        texts: Vec<String>,
        options: &CallOptions,
        metadata: MetadataMap,
        overdue: Overdue,
    ) -> Result<Vec<Outcome>, SentimentError> {
        let count = texts.len();
        let request = AnalyzeBatchRequest { texts, tier: options.tier.into(), options: Some(options.analyze) };
        let send = |mut stub: crate::attempt::Stub, request| async move { stub.analyze_batch(request).await };
        let answer = self.core.unary(request, metadata, options.deadline, overdue, send).await?;
        if answer.results.len() != count {
            return Err(incomplete(&format!("{} outcomes for {count} texts", answer.results.len())));
        }
        Ok(answer.results.into_iter().map(outcome_of).collect())
    }

    /// The models that are served, tier by tier.
    ///
    /// # Errors
    /// As [`Client::analyze`].
    pub async fn models(&self) -> Result<Vec<Model>, SentimentError> {
        let send = |mut stub: crate::attempt::Stub, request| async move { stub.list_models(request).await };
        let answer = self.core.unary(ListModelsRequest {}, self.core.metadata(), None, Overdue::Keep, send).await?;
        Ok(answer.models)
    }

    /// Ends all calls that are under way, of all clones, with CANCELLED, and the connections. It may be called more than once.
    pub fn close(&self) {
        self.core.closed.cancel();
        self.core.pool.close();
    }
}

fn address_or_default(said: Option<String>) -> String {
    said.filter(|address| !address.is_empty()).unwrap_or_else(|| "127.0.0.1:50051".to_owned())
}

fn outcome_of(result: AnalyzeResult) -> Outcome {
    match result.outcome {
        Some(analyze_result::Outcome::Sentiment(sentiment)) => Ok(sentiment),
        Some(analyze_result::Outcome::Error(status)) => Err(SentimentError::from(&status)),
        None => Err(incomplete("the text has no outcome")),
    }
}

pub(crate) fn incomplete(message: &str) -> SentimentError {
    SentimentError::new(Code::Internal, message)
}

#[cfg(test)]
mod tests {
    use super::address_or_default;

    #[test]
    fn an_empty_address_is_none() {
        for (said, address) in [(None, "127.0.0.1:50051"), (Some(""), "127.0.0.1:50051"), (Some("there:1"), "there:1")] {
            assert_eq!(address_or_default(said.map(str::to_owned)), address);
        }
    }
}
