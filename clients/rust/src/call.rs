//! One open `AnalyzeStream`.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::TryFutureExt;
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::Request;

use crate::attempt::Core;
use crate::error::SentimentError;
use crate::proto::sentiment::v1::{AnalyzeStreamRequest, AnalyzeStreamResponse};

/// Requests between the driver and the connection: what is beyond waits in the window.
const BUFFERED: usize = 16;
/// For the server to end the stream in good order when all is answered.
const END_TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) type Answer = Result<AnalyzeStreamResponse, SentimentError>;

pub(crate) struct Call {
    pub requests: mpsc::Sender<AnalyzeStreamRequest>,
    pub answers: BoxStream<'static, Answer>,
}

impl Call {
    /// It goes out when its answers are first waited for. The server may say nothing at all before it has a first answer, so requests
    /// are taken from now on.
    pub fn open(core: Arc<Core>, metadata: MetadataMap) -> Self {
        let (requests, receiver) = mpsc::channel(BUFFERED);
        let mut request = Request::new(ReceiverStream::new(receiver));
        *request.metadata_mut() = metadata;
        let opened = async move {
            let line = core.pool.pick().await?;
            let answer = core.stub(&line).analyze_stream(request).await.map_err(|status| core.error_of(&line, &status))?;
            Ok(answer.into_inner().map_err(move |status| core.error_of(&line, &status)))
        };
        Self { requests, answers: opened.try_flatten_stream().boxed() }
    }

    /// Else the server would count the stream as one whose client has left.
    pub async fn end(self) {
        drop(self.requests);
        let _ = timeout(END_TIMEOUT, self.answers.count()).await;
    }
}

/// For ever where there is no stream.
pub(crate) async fn next_of<T>(stream: Option<&mut BoxStream<'static, T>>) -> Option<T> {
    match stream {
        Some(stream) => stream.next().await,
        None => pending().await,
    }
}

/// For ever where there are no requests to come, or the call is over: its answers tell.
pub(crate) async fn room_in(requests: Option<&mpsc::Sender<AnalyzeStreamRequest>>) {
    match requests {
        Some(requests) if requests.reserve().await.is_ok() => {}
        _ => pending().await,
    }
}
