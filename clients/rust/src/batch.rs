//! Texts without end, in calls of many.

use std::future::ready;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{iter, Stream, StreamExt, TryStreamExt};
use tokio::time::{sleep, Instant};
use tokio_util::task::AbortOnDropHandle;
use tonic::metadata::MetadataMap;

use crate::attempt::{closed, Overdue};
use crate::client::Client;
use crate::error::SentimentError;
use crate::options::{BatchOptions, CallOptions};
use crate::patience::{wait_after, Patience};
use crate::stream::joined;
use crate::{Outcome, Outcomes};

impl Client {
    /// The outcomes of all texts, in their order, as they come. Several calls of up to `batch_size` texts are under way at the same time,
    /// and no more is read of `texts` than they take. What is refused with UNAVAILABLE or RESOURCE_EXHAUSTED, a call or a text, is asked
    /// again when the server says, until `give_up_after`; so is a call without an answer within its deadline, over another connection.
    /// Dropping the stream ends the calls.
    ///
    /// Each call runs in a task of its own, so that a slow reader does not keep it waiting.
    pub fn analyze_all<T: Into<String> + 'static>(
        &self,
        texts: impl Stream<Item = T> + Send + 'static,
        options: impl Into<BatchOptions>,
    ) -> Outcomes {
        let options = options.into();
        let asking = Arc::new(Asking {
            client: self.clone(),
            metadata: self.core.metadata(),
            call: options.call,
            patience: Patience::new(options.give_up_after),
        });
        texts
            .map(Into::into)
            // What waits now: texts that come slowly are not held back until a call is full.
            .ready_chunks(options.batch_size.max(1))
            .map(move |texts| AbortOnDropHandle::new(tokio::spawn(asking.clone().ask(texts))).map(joined))
            .buffered(options.concurrency.max(1))
            .map_ok(|outcomes| iter(outcomes).map(Ok))
            .try_flatten()
            .scan(false, |has_failed, outcome| {
                let item = (!*has_failed).then_some(outcome);
                *has_failed = matches!(item, Some(Err(_)));
                ready(item)
            })
            .boxed()
    }
}

struct Asking {
    client: Client,
    metadata: MetadataMap,
    call: CallOptions,
    patience: Patience,
}

impl Asking {
    /// One outcome a text. Texts that are too large for a message together are asked in halves.
    fn ask(self: Arc<Self>, mut texts: Vec<String>) -> BoxFuture<'static, Result<Vec<Outcome>, SentimentError>> {
        let asked = async move {
            match self.ask_together(&texts).await {
                Err(error) if error.is_too_large() && texts.len() == 1 => Ok(vec![Err(error)]),
                Err(error) if error.is_too_large() => {
                    let second = texts.split_off(texts.len() / 2);
                    let mut outcomes = self.clone().ask(texts).await?;
                    outcomes.extend(self.ask(second).await?);
                    Ok(outcomes)
                }
                outcome => outcome,
            }
        };
        asked.boxed()
    }

    async fn ask_together(&self, texts: &[String]) -> Result<Vec<Outcome>, SentimentError> {
        let since = Instant::now();
        let mut outcomes: Vec<Option<Outcome>> = vec![None; texts.len()];
        tokio::select! {
            asked = self.ask_until_answered(texts, &mut outcomes) => asked?,
            () = self.client.core.closed.cancelled() => return Err(closed()),
            () = self.patience.end(since) => return Err(self.patience.given_up()),
        }
        Ok(outcomes.into_iter().flatten().collect())
    }

    async fn ask_until_answered(&self, texts: &[String], outcomes: &mut [Option<Outcome>]) -> Result<(), SentimentError> {
        let mut refusals = 0;
        while let Some(error) = self.ask_open(texts, outcomes).await? {
            refusals += 1;
            let wait = wait_after(&error, refusals);
            self.patience.refused(error);
            sleep(wait).await;
        }
        Ok(())
    }

    /// Asks for what is open: some may stay so, and then it is told why.
    async fn ask_open(&self, texts: &[String], outcomes: &mut [Option<Outcome>]) -> Result<Option<SentimentError>, SentimentError> {
        let open: Vec<usize> = (0..texts.len()).filter(|&index| outcomes[index].is_none()).collect();
        let asked = open.iter().map(|&index| texts[index].clone()).collect();
        let answers = match self.client.batch(asked, &self.call, self.metadata.clone(), Overdue::Drop).await {
            Err(error) if error.is_temporary() || error.is_overdue() => return Ok(Some(error)),
            answers => answers?,
        };
        let mut refused = None;
        for (index, answer) in open.into_iter().zip(answers) {
            match answer {
                Err(error) if error.is_temporary() => refused = Some(error),
                outcome => {
                    self.patience.heard();
                    outcomes[index] = Some(outcome);
                }
            }
        }
        Ok(refused)
    }
}
