//! What a call, or one text of a call, ends with when there is no answer.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use tonic::{Code, Status};

use crate::details::Details;
use crate::proto::google::rpc;
use crate::reason::Reason;

/// Why a [`Client`](crate::Client) cannot be made. It never repeats the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The API key has characters that metadata cannot carry.
    #[error("the API key has a character that is no visible ASCII: pass the key as it was made, without spaces or line ends")]
    Key,
    /// The address cannot be understood.
    #[error("{0:?} is no address: {1}")]
    Address(String, &'static str),
    /// A certificate or a key cannot be read.
    #[error("{0} cannot be read: {1}")]
    File(PathBuf, #[source] std::io::Error),
    /// The certificates or keys cannot be used.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Why there is no answer: to a whole call, or to one text.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {}", self.name(), self.message())]
pub struct SentimentError(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    code: Code,
    message: String,
    details: Details,
}

/// A field of the request that the server refuses, as in `google.rpc.BadRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Such as `text` or `texts[3]`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

impl SentimentError {
    /// gRPC's status. `UNAVAILABLE` is also that of a server that cannot be reached, or died meanwhile.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The server's reason. None where it gave none: the connection, or a deadline here, has ended the call.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        self.0.details.reason.as_ref()
    }

    /// For people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// After how long it may be asked again, where the server says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.details.retry_after
    }

    /// The fields of the request that are wrong, where the server names them.
    #[must_use]
    pub fn field_violations(&self) -> &[FieldViolation] {
        &self.0.details.field_violations
    }

    /// The same request may be answered later: `UNAVAILABLE`, or `RESOURCE_EXHAUSTED` for load or a quota.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self.code() {
            Code::Unavailable => true,
            Code::ResourceExhausted => !self.is_too_large() && self.reason() != Some(&Reason::MetadataTooLarge),
            _ => false,
        }
    }

    /// No answer came in time, and no word of the server's about it.
    pub(crate) fn is_overdue(&self) -> bool {
        self.code() == Code::DeadlineExceeded && self.reason().is_none()
    }

    /// What the server's gRPC says of a message over its limit: it has no details then, and only the words tell. Or what the proxy in front of it says.
    pub(crate) fn is_too_large(&self) -> bool {
        self.code() == Code::ResourceExhausted
            && self.reason().map_or_else(|| self.message().contains("larger than"), |reason| reason.to_string() == "BODY_TOO_LARGE")
    }

    fn name(&self) -> String {
        self.reason().map_or_else(|| format!("{:?}", self.code()), ToString::to_string)
    }

    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Parts { code, message: message.into(), details: Details::default() }))
    }

    /// `pushback` stands in for RetryInfo where there is none.
    pub(crate) fn of_status(status: &Status, pushback: Option<Duration>) -> Self {
        let mut details = Details::of_trailer(status.details());
        details.retry_after = details.retry_after.or(pushback);
        if is_of_transport(status) {
            return Self(Box::new(Parts { code: Code::Unavailable, message: said_by(status), details }));
        }
        Self(Box::new(Parts { code: status.code(), message: status.message().to_owned(), details }))
    }
}

impl From<&rpc::Status> for SentimentError {
    fn from(status: &rpc::Status) -> Self {
        let details = Details::of(&status.details);
        Self(Box::new(Parts { code: Code::from_i32(status.code), message: status.message.clone(), details }))
    }
}

/// The connection failed, and no server has said this. tonic has codes of all kinds for that (UNKNOWN, INTERNAL, CANCELLED), where gRPC
/// has UNAVAILABLE.
pub(crate) fn is_of_transport(status: &Status) -> bool {
    status.source().is_some() || status.message().starts_with("Service was not ready")
}

/// tonic ends a call so whose `grpc-timeout` is over, whatever code it gives.
pub(crate) fn is_overdue(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<tonic::TimeoutExpired>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// A status' own text has all its parts, empty ones too.
fn said_by(status: &Status) -> String {
    let cause = status.source().map(causes).unwrap_or_default();
    match status.message() {
        "" => cause,
        message if cause.is_empty() || message.contains(&cause) => message.to_owned(),
        message if cause.contains(message) => cause,
        message => format!("{message}: {cause}"),
    }
}

/// An error's message and those of its causes: tonic's own ("transport error") hides what happened.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !message.contains(&said) {
            message = format!("{message}: {said}");
        }
        cause = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Code, SentimentError, Status};

    #[test]
    fn a_broken_connection_is_unavailable_and_says_why() {
        let mut status = Status::unknown("transport error");
        status.set_source(Arc::new(std::io::Error::other("connection reset")));
        let error = SentimentError::of_status(&status, None);
        assert_eq!(error.code(), Code::Unavailable);
        assert_eq!(error.to_string(), "Unavailable: transport error: connection reset");
    }

    #[test]
    fn a_message_that_is_too_large_stays_so() {
        for message in ["Received message larger than max (5 vs 4)", "Received message that decompresses to a size larger than 4"] {
            let error = SentimentError::new(Code::ResourceExhausted, message);
            assert!(error.is_too_large() && !error.is_temporary());
        }
        assert!(SentimentError::new(Code::ResourceExhausted, "slow down").is_temporary());
    }
}
