//! When a unary call is tried again. tonic reads no service config, so this is what the README's would do:
//! UNAVAILABLE alone, five attempts, 0.1 s, three times as long each time, 2 s at most.

use std::time::Duration;

use tonic::metadata::MetadataMap;
use tonic::Code;

const MAX_ATTEMPTS: u32 = 5;
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(2);
const BACKOFF_MULTIPLIER: u32 = 3;
const JITTER: f64 = 0.2;

/// What the server says of another attempt (`grpc-retry-pushback-ms`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushback {
    Unsaid,
    After(Duration),
    Never,
}

impl Pushback {
    /// As gRPC reads it: what is negative, or no number, means never.
    pub fn of(trailers: &MetadataMap) -> Self {
        let Some(value) = trailers.get("grpc-retry-pushback-ms") else {
            return Self::Unsaid;
        };
        let millis = value.to_str().ok().and_then(|text| text.parse().ok());
        millis.map_or(Self::Never, |millis| Self::After(Duration::from_millis(millis)))
    }

    pub fn after(self) -> Option<Duration> {
        match self {
            Self::After(wait) => Some(wait),
            Self::Unsaid | Self::Never => None,
        }
    }
}

pub(crate) struct Retry {
    attempts: u32,
    backoff: Duration,
}

impl Retry {
    pub fn new() -> Self {
        Self { attempts: 0, backoff: INITIAL_BACKOFF }
    }

    /// How long to wait before the next attempt; none: there is no other.
    pub fn wait_after(&mut self, code: Code, pushback: Pushback) -> Option<Duration> {
        self.attempts += 1;
        if code != Code::Unavailable || self.attempts >= MAX_ATTEMPTS {
            return None;
        }
        match pushback {
            Pushback::Never => None,
            Pushback::After(wait) => {
                self.backoff = INITIAL_BACKOFF;
                Some(wait)
            }
            Pushback::Unsaid => {
                let wait = self.backoff.mul_f64(1.0 - JITTER + 2.0 * JITTER * fastrand::f64());
                self.backoff = (self.backoff * BACKOFF_MULTIPLIER).min(MAX_BACKOFF);
                Some(wait)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Duration, MetadataMap, Pushback, Retry};

    #[test]
    fn five_attempts_ever_further_apart() {
        let mut retry = Retry::new();
        for expected in [0.1, 0.3, 0.9, 2.0] {
            let wait = retry.wait_after(Code::Unavailable, Pushback::Unsaid).expect("another attempt").as_secs_f64();
            assert!((expected * 0.8..=expected * 1.2).contains(&wait), "{wait} is not about {expected}");
        }
        assert_eq!(retry.wait_after(Code::Unavailable, Pushback::Unsaid), None);
    }

    #[test]
    fn the_server_has_the_last_word_on_the_wait() {
        let mut retry = Retry::new();
        let wait = Duration::from_millis(1234);
        assert_eq!(retry.wait_after(Code::Unavailable, Pushback::After(wait)), Some(wait));
        assert_eq!(retry.wait_after(Code::Unavailable, Pushback::Never), None);
        assert_eq!(Retry::new().wait_after(Code::ResourceExhausted, Pushback::After(wait)), None);
    }

    #[test]
    fn a_pushback_is_read_as_grpc_reads_it() {
        let said = |value: &'static str| {
            let mut trailers = MetadataMap::new();
            trailers.insert("grpc-retry-pushback-ms", value.parse().expect("ASCII"));
            Pushback::of(&trailers)
        };
        assert_eq!(said("250"), Pushback::After(Duration::from_millis(250)));
        assert_eq!(said("-1"), Pushback::Never);
        assert_eq!(said("soon"), Pushback::Never);
        assert_eq!(Pushback::of(&MetadataMap::new()), Pushback::Unsaid);
    }
}
