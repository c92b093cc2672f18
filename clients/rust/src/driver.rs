//! What happens between the texts, the stream of a server and the reader of the outcomes: one task for each `analyze_stream`.

use std::future::pending;
use std::sync::Arc;

use futures_util::stream::BoxStream;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, Instant};
use tonic::metadata::MetadataMap;
use tonic::Code;

use crate::attempt::{closed, Core};
use crate::call::{next_of, room_in, Answer, Call};
use crate::client::incomplete;
use crate::error::SentimentError;
use crate::options::StreamOptions;
use crate::patience::{from_now, wait_after, Patience};
use crate::proto::sentiment::v1::{analyze_stream_response, AnalyzeStreamRequest, AnalyzeStreamResponse};
use crate::window::Window;
use crate::Outcome;

pub(crate) struct Driver {
    core: Arc<Core>,
    metadata: MetadataMap,
    options: StreamOptions,
    /// None when all are read.
    texts: Option<BoxStream<'static, String>>,
    reader: mpsc::Sender<Outcome>,
    window: Window,
    call: Option<Call>,
    patience: Patience,
    /// Since when an answer has been owed.
    owed_since: Instant,
    /// Nothing is sent before.
    resumes_at: Instant,
    refusals: u32,
}

enum Event {
    Text(Option<String>),
    /// The connection takes another request.
    Room,
    Answer(Option<Answer>),
    /// The reader takes another outcome.
    Reader,
    ReaderLeft,
    Rested,
    GaveUp,
    Closed,
}

impl Driver {
    pub fn new(core: Arc<Core>, texts: BoxStream<'static, String>, options: StreamOptions, reader: mpsc::Sender<Outcome>) -> Self {
        let now = Instant::now();
        Self {
            metadata: core.metadata(),
            core,
            patience: Patience::new(options.give_up_after),
            options,
            texts: Some(texts),
            reader,
            window: Window::default(),
            call: None,
            owed_since: now,
            resumes_at: now,
            refusals: 0,
        }
    }

    /// Until all texts have their outcomes, or the reader has left. An error concerns all that are left.
    pub async fn run(mut self) -> Result<(), SentimentError> {
        let ended = self.drive().await;
        // Those whose turn it is have been answered all the same.
        while let Some(outcome) = self.window.take_outcome() {
            if self.reader.send(outcome).await.is_err() {
                break;
            }
        }
        ended
    }

    async fn drive(&mut self) -> Result<(), SentimentError> {
        while self.texts.is_some() || self.window.len() > 0 {
            if self.call.is_none() && self.may_send() {
                self.call = Some(Call::open(self.core.clone(), self.metadata.clone()));
            }
            match self.event().await {
                Event::Text(text) => self.read(text),
                Event::Room => self.send(),
                Event::Answer(answer) => self.heard(answer)?,
                Event::Reader => self.hand_out(),
                Event::ReaderLeft => return Ok(()),
                Event::Rested => {}
                Event::GaveUp => return Err(self.patience.given_up()),
                Event::Closed => return Err(closed()),
            }
        }
        if let Some(call) = self.call.take() {
            call.end().await;
        }
        Ok(())
    }

    #[expect(clippy::cognitive_complexity, reason = "it counts what select! expands to; there is no nesting")]
    async fn event(&mut self) -> Event {
        let may_read = self.window.len() < self.options.max_under_way.max(1);
        let may_send = self.may_send();
        let rests_until = (self.window.has_unsent() && !may_send).then_some(self.resumes_at);
        let gives_up_at = self.window.has_open().then(|| self.patience.gives_up_at(self.owed_since));
        let (requests, answers) = self.call.as_mut().map(|call| (&call.requests, &mut call.answers)).unzip();
        tokio::select! {
            () = self.core.closed.cancelled() => Event::Closed,
            permit = self.reader.reserve(), if self.window.has_outcome() => permit.map_or(Event::ReaderLeft, |_| Event::Reader),
            () = self.reader.closed() => Event::ReaderLeft,
            answer = next_of(answers) => Event::Answer(answer),
            () = room_in(requests), if may_send => Event::Room,
            text = next_of(self.texts.as_mut()), if may_read => Event::Text(text),
            () = moment(rests_until) => Event::Rested,
            () = moment(gives_up_at) => Event::GaveUp,
        }
    }

    fn may_send(&self) -> bool {
        self.window.has_unsent() && Instant::now() >= self.resumes_at
    }

    fn read(&mut self, text: Option<String>) {
        let Some(text) = text else {
            self.texts = None;
            return;
        };
        if !self.window.has_open() {
            self.owed_since = Instant::now();
        }
        self.window.push(text);
    }

    fn send(&mut self) {
        let Some(call) = &self.call else { return };
        if let Some((number, text)) = self.window.take_unsent() {
            let request = AnalyzeStreamRequest {
                id: number.to_string(),
                text: text.to_owned(),
                tier: self.options.tier.into(),
                options: Some(self.options.analyze),
            };
            // This task alone sends, and there is room. Where the call is over its end tells, and all is asked again.
            let _ = call.requests.try_send(request);
        }
    }

    fn hand_out(&mut self) {
        if let Some(outcome) = self.window.take_outcome() {
            // There is room, as above; a reader that has left is noticed by the next event.
            let _ = self.reader.try_send(outcome);
        }
    }

    fn heard(&mut self, answer: Option<Answer>) -> Result<(), SentimentError> {
        match answer {
            Some(Ok(answer)) => self.answered(answer),
            Some(Err(error)) => return self.broken(error),
            None => return self.broken(SentimentError::new(Code::Unavailable, "the server has ended the stream early")),
        }
        Ok(())
    }

    fn answered(&mut self, answer: AnalyzeStreamResponse) {
        let Ok(number) = answer.id.parse() else { return };
        let outcome = match answer.outcome {
            Some(analyze_stream_response::Outcome::Sentiment(sentiment)) => Ok(sentiment),
            Some(analyze_stream_response::Outcome::Error(status)) => Err(SentimentError::from(&status)),
            None => Err(incomplete("the text has no outcome")),
        };
        match outcome {
            Err(error) if error.is_temporary() => {
                self.window.ask_again(number);
                self.rest(error);
            }
            outcome => {
                if self.window.settle(number, outcome) {
                    self.patience.heard();
                    self.refusals = 0;
                }
            }
        }
    }

    fn broken(&mut self, error: SentimentError) -> Result<(), SentimentError> {
        self.call = None;
        if !self.window.has_open() {
            // The server ends a stream that says nothing for long. Whether it would take another text, that will tell.
            return Ok(());
        }
        // No deadline goes along: it is the server's, of a stream that said nothing until a moment ago.
        if error.is_temporary() || error.code() == Code::DeadlineExceeded {
            self.rest(error);
        } else if error.is_too_large() {
            self.window.settle_largest(error);
        } else {
            return Err(error);
        }
        self.window.ask_all_again();
        Ok(())
    }

    /// What is refused during a rest was sent before it, and says nothing new but how long.
    fn rest(&mut self, error: SentimentError) {
        if Instant::now() >= self.resumes_at {
            self.refusals += 1;
        }
        self.resumes_at = self.resumes_at.max(from_now(wait_after(&error, self.refusals)));
        self.patience.refused(error);
    }
}

/// For ever where there is none.
async fn moment(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
