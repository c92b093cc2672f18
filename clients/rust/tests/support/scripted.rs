//! A server inside the test that answers as it is told, and notes what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use prost::Message;
use prost_types::Any;
use sentiment_client::proto::google::rpc::{self, ErrorInfo, RetryInfo};
use sentiment_client::proto::sentiment::v1::{
    analyze_result, analyze_stream_response, AnalyzeBatchRequest, AnalyzeBatchResponse, AnalyzeRequest, AnalyzeResponse, AnalyzeResult,
    AnalyzeStreamRequest, AnalyzeStreamResponse, ListModelsRequest, ListModelsResponse, Sentiment,
};
use sentiment_client::Code;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::MetadataMap;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::gen::v1::sentiment_service_server::{SentimentService, SentimentServiceServer};

pub type Answer = Result<AnalyzeStreamResponse, Status>;
type Unary<M, R> = Box<dyn Fn(usize, M) -> BoxFuture<'static, Result<R, Status>> + Send + Sync>;
type Stream = Box<dyn Fn(usize, Streaming<AnalyzeStreamRequest>) -> BoxStream<'static, Answer> + Send + Sync>;

/// What it does at the call of that number, from 0.
pub struct Script {
    pub analyze: Unary<AnalyzeRequest, AnalyzeResponse>,
    pub batch: Unary<AnalyzeBatchRequest, AnalyzeBatchResponse>,
    pub stream: Stream,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            analyze: Box::new(|_, request| Box::pin(async move { Ok(answer_to(&request.text)) })),
            batch: Box::new(|_, request| Box::pin(async move { Ok(batch_of(request.texts.iter().map(|text| Ok(sentiment_of(text))))) })),
            stream: Box::new(|_, _| Box::pin(futures_util::stream::once(async { Err(Status::unimplemented("no script")) }))),
        }
    }
}

pub struct Scripted {
    pub address: String,
    seen: Arc<Mutex<Vec<MetadataMap>>>,
    /// Its own, so that its connections end with it.
    runtime: Option<Runtime>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Scripted {
    pub async fn start(script: Script) -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address"), script).await
    }

    pub async fn start_at(wanted: SocketAddr, script: Script) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let service = SentimentServiceServer::new(Service { script, seen: seen.clone() });
        let (bound, address) = tokio::sync::oneshot::channel();
        runtime.spawn(async move {
            let listener = TcpListener::bind(wanted).await.expect("a port");
            bound.send(listener.local_addr().expect("an address").to_string()).expect("somebody waits");
            Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)).await.expect("it serves");
        });
        Self { address: address.await.expect("it listens"), seen, runtime: Some(runtime) }
    }

    /// The metadata of each call, in the order in which they came.
    pub fn seen(&self) -> Vec<MetadataMap> {
        self.seen.lock().expect("nobody has panicked").clone()
    }

    pub fn calls(&self) -> usize {
        self.seen().len()
    }
}

struct Service {
    script: Script,
    seen: Arc<Mutex<Vec<MetadataMap>>>,
}

impl Service {
    /// Its number.
    fn note(&self, metadata: &MetadataMap) -> usize {
        let mut seen = self.seen.lock().expect("nobody has panicked");
        seen.push(metadata.clone());
        seen.len() - 1
    }
}

#[tonic::async_trait]
impl SentimentService for Service {
    type AnalyzeStreamStream = BoxStream<'static, Answer>;

    async fn analyze(&self, request: Request<AnalyzeRequest>) -> Result<Response<AnalyzeResponse>, Status> {
        let number = self.note(request.metadata());
        (self.script.analyze)(number, request.into_inner()).await.map(Response::new)
    }

    async fn analyze_batch(&self, request: Request<AnalyzeBatchRequest>) -> Result<Response<AnalyzeBatchResponse>, Status> {
        let number = self.note(request.metadata());
        (self.script.batch)(number, request.into_inner()).await.map(Response::new)
    }

    async fn analyze_stream(
        &self,
        request: Request<Streaming<AnalyzeStreamRequest>>,
    ) -> Result<Response<Self::AnalyzeStreamStream>, Status> {
        let number = self.note(request.metadata());
        Ok(Response::new((self.script.stream)(number, request.into_inner())))
    }

    async fn list_models(&self, _: Request<ListModelsRequest>) -> Result<Response<ListModelsResponse>, Status> {
        Err(Status::unimplemented("no script"))
    }
}

/// As many tokens as the text has bytes.
pub fn sentiment_of(text: &str) -> Sentiment {
    Sentiment { token_count: u32::try_from(text.len()).expect("a short text"), ..Sentiment::default() }
}

pub fn answer_to(text: &str) -> AnalyzeResponse {
    AnalyzeResponse { sentiment: Some(sentiment_of(text)), timing: None }
}

pub fn batch_of(outcomes: impl IntoIterator<Item = Result<Sentiment, rpc::Status>>) -> AnalyzeBatchResponse {
    let result = |(index, outcome)| AnalyzeResult {
        index,
        outcome: Some(match outcome {
            Ok(sentiment) => analyze_result::Outcome::Sentiment(sentiment),
            Err(status) => analyze_result::Outcome::Error(status),
        }),
    };
    AnalyzeBatchResponse { results: (0..).zip(outcomes).map(result).collect() }
}

pub fn streamed(id: &str, outcome: Result<Sentiment, rpc::Status>) -> AnalyzeStreamResponse {
    let outcome = Some(match outcome {
        Ok(sentiment) => analyze_stream_response::Outcome::Sentiment(sentiment),
        Err(status) => analyze_stream_response::Outcome::Error(status),
    });
    AnalyzeStreamResponse { id: id.to_owned(), outcome }
}

/// An error as the server makes them: of one text.
pub fn refusal(code: Code, reason: &str, retry_after_ms: Option<i32>) -> rpc::Status {
    let any = |name: &str, value| Any { type_url: format!("type.googleapis.com/google.rpc.{name}"), value };
    let info = ErrorInfo { reason: reason.to_owned(), domain: "sentiment.v1".to_owned(), ..ErrorInfo::default() };
    let mut details = vec![any("ErrorInfo", info.encode_to_vec())];
    if let Some(millis) = retry_after_ms {
        let delay = prost_types::Duration { seconds: i64::from(millis / 1000), nanos: millis % 1000 * 1_000_000 };
        details.push(any("RetryInfo", RetryInfo { retry_delay: Some(delay) }.encode_to_vec()));
    }
    rpc::Status { code: code as i32, message: format!("because of {reason}"), details }
}

/// The same of a whole call, with `grpc-retry-pushback-ms`.
pub fn refused(code: Code, reason: &str, retry_after_ms: Option<i32>, pushback: Option<&'static str>) -> Status {
    let refusal = refusal(code, reason, retry_after_ms);
    let mut status = Status::with_details(code, refusal.message.clone(), refusal.encode_to_vec().into());
    if let Some(pushback) = pushback {
        status.metadata_mut().insert("grpc-retry-pushback-ms", pushback.parse().expect("ASCII"));
    }
    status
}
