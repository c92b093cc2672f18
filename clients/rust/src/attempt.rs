//! How a call is made: who asks, on which connection, for how long, and how often.

use std::future::Future;
use std::time::Duration;

use tokio::time::{sleep, timeout_at, Instant};
use tokio_util::sync::CancellationToken;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

use crate::error::{is_of_transport, is_overdue, SentimentError};
use crate::patience::from_now;
use crate::pool::{Line, Pool};
use crate::proto::sentiment::v1::sentiment_service_client::SentimentServiceClient;
use crate::retry::{Pushback, Retry};
use crate::trace::TraceHook;

pub(crate) type Stub = SentimentServiceClient<Channel>;

/// What all clones of a client, and its helpers, have together.
pub(crate) struct Core {
    pub pool: Pool,
    pub authorization: Option<MetadataValue<Ascii>>,
    pub trace: Option<TraceHook>,
    pub deadline: Duration,
    pub max_message_bytes: usize,
    pub closed: CancellationToken,
}

/// What becomes of a connection over which a call had no answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// The server may only be slow: whoever asks it in a hurry must not connect anew for each call.
    Keep,
    /// A machine that has vanished says nothing either, not even that it has: what is asked again must not go to it.
    Drop,
}

struct Failed {
    error: SentimentError,
    pushback: Pushback,
}

impl Failed {
    /// No server has said so.
    fn here(error: SentimentError) -> Self {
        Self { error, pushback: Pushback::Unsaid }
    }
}

impl Core {
    /// What goes along with a call. Made in the task of the caller, whose trace it is.
    pub fn metadata(&self) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        if let Some(authorization) = &self.authorization {
            metadata.insert("authorization", authorization.clone());
        }
        if let Some(trace) = &self.trace {
            trace.add_to(&mut metadata);
        }
        metadata
    }

    pub fn stub(&self, line: &Line) -> Stub {
        SentimentServiceClient::new(line.channel.clone()).max_decoding_message_size(self.max_message_bytes)
    }

    /// The answer to a unary call, with as many attempts as UNAVAILABLE may take within the deadline.
    pub async fn unary<M, R, F>(
        &self,
        message: M,
        metadata: MetadataMap,
        deadline: Option<Duration>,
        overdue: Overdue,
        send: impl Fn(Stub, Request<M>) -> F,
    ) -> Result<R, SentimentError>
    where
        M: Clone,
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let by = from_now(deadline.unwrap_or(self.deadline));
        tokio::select! {
            biased;
            () = self.closed.cancelled() => Err(closed()),
            answer = self.with_retries(message, metadata, by, overdue, send) => answer,
        }
    }

    async fn with_retries<M, R, F>(
        &self,
        message: M,
        metadata: MetadataMap,
        by: Instant,
        overdue: Overdue,
        send: impl Fn(Stub, Request<M>) -> F,
    ) -> Result<R, SentimentError>
    where
        M: Clone,
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let mut retry = Retry::new();
        loop {
            let mut request = Request::new(message.clone());
            *request.metadata_mut() = metadata.clone();
            request.set_timeout(by.saturating_duration_since(Instant::now()));
            let failed = match self.attempt(request, by, overdue, &send).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            match retry.wait_after(failed.error.code(), failed.pushback) {
                Some(wait) if from_now(wait) < by => sleep(wait).await,
                // What would come after the deadline need not be waited for.
                _ => return Err(failed.error),
            }
        }
    }

    async fn attempt<M, R, F>(
        &self,
        request: Request<M>,
        by: Instant,
        overdue: Overdue,
        send: &impl Fn(Stub, Request<M>) -> F,
    ) -> Result<R, Failed>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let picked = timeout_at(by, self.pool.pick()).await.unwrap_or_else(|_| Err(unanswered()));
        let line = picked.map_err(Failed::here)?;
        match timeout_at(by, send(self.stub(&line), request)).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) if !is_overdue(&status) => {
                Err(Failed { pushback: Pushback::of(status.metadata()), error: self.error_of(&line, &status) })
            }
            // tonic and we have the same deadline, and either may be the first to notice.
            _ => {
                if overdue == Overdue::Drop {
                    self.pool.broken(&line);
                }
                Err(Failed::here(unanswered()))
            }
        }
    }

    /// What a call on this connection has ended with.
    pub fn error_of(&self, line: &Line, status: &Status) -> SentimentError {
        if is_of_transport(status) {
            self.pool.broken(line);
        }
        SentimentError::of_status(status, Pushback::of(status.metadata()).after())
    }
}

pub(crate) fn closed() -> SentimentError {
    SentimentError::new(Code::Cancelled, "the client is closed")
}

fn unanswered() -> SentimentError {
    SentimentError::new(Code::DeadlineExceeded, "no answer within the deadline")
}
