//! The details of an error: what travels in `grpc-status-details-bin`.

use std::time::Duration;

use prost::Message;
use prost_types::Any;

use crate::error::FieldViolation;
use crate::proto::google::rpc::{BadRequest, ErrorInfo, RetryInfo, Status};
use crate::reason::Reason;

#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    pub reason: Option<Reason>,
    pub retry_after: Option<Duration>,
    pub field_violations: Vec<FieldViolation>,
}

impl Details {
    /// From the trailer's bytes. What cannot be read is left out: the code and the message stand in other trailers.
    pub fn of_trailer(bytes: &[u8]) -> Self {
        Status::decode(bytes).map_or_else(|_| Self::default(), |status| Self::of(&status.details))
    }

    pub fn of(details: &[Any]) -> Self {
        let reason = find::<ErrorInfo>(details, "google.rpc.ErrorInfo").map(|info| Reason::from(info.reason.as_str()));
        let delay = find::<RetryInfo>(details, "google.rpc.RetryInfo").and_then(|info| info.retry_delay);
        let violations = find::<BadRequest>(details, "google.rpc.BadRequest").map_or_else(Vec::new, |bad| bad.field_violations);
        Self {
            reason,
            retry_after: delay.and_then(|delay| delay.try_into().ok()),
            field_violations: violations
                .into_iter()
                .map(|violation| FieldViolation { field: violation.field, description: violation.description })
                .collect(),
        }
    }
}

fn find<M: Message + Default>(details: &[Any], name: &str) -> Option<M> {
    let detail = details.iter().find(|detail| detail.type_url.ends_with(name))?;
    M::decode(detail.value.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::Details;

    #[test]
    fn bytes_that_are_no_status_are_no_details() {
        let details = Details::of_trailer(&[0xff; 7]);
        assert!(details.reason.is_none() && details.retry_after.is_none() && details.field_violations.is_empty());
    }
}
