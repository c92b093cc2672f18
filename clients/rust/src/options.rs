//! What a client, a call and a helper can be told.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::proto::sentiment::v1::{AnalyzeOptions, Tier};
use crate::trace::TraceHook;

/// What holds for all calls of a [`Client`](crate::Client).
#[derive(Clone)]
pub struct Options {
    pub(crate) api_key: Option<String>,
    pub(crate) tls: Option<Tls>,
    pub(crate) deadline: Duration,
    pub(crate) max_message_bytes: usize,
    pub(crate) trace: Option<TraceHook>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            api_key: None,
            tls: None,
            deadline: Duration::from_secs(30),
            // A batch of 100 long texts with an explanation of each word takes over 10 MB.
            max_message_bytes: 32 * 1024 * 1024,
            trace: None,
        }
    }
}

impl Options {
    /// The key that goes along as `authorization: Bearer`. Default: none. Without [`Tls`] it travels as it is.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Default: none, plaintext.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// How long a call may take, all its tries together, unless it says otherwise. Default: 30 s.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The largest message that is taken from the server, in bytes. Default: 32 MiB.
    #[must_use]
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// Asked once a call, in the task that makes the call, for `traceparent` and `tracestate`; other names are passed over. A helper
    /// asks it when it is called, and all its calls carry the same. Default: no trace goes along.
    #[must_use]
    pub fn trace_context(mut self, hook: impl Fn() -> HashMap<String, String> + Send + Sync + 'static) -> Self {
        self.trace = Some(TraceHook::new(hook));
        self
    }
}

/// Without the key.
impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("api_key", &self.api_key.as_ref().map(|_| "..."))
            .field("tls", &self.tls)
            .field("deadline", &self.deadline)
            .field("max_message_bytes", &self.max_message_bytes)
            .field("trace", &self.trace)
            .finish()
    }
}

/// Whom to trust, and who the client is. The files are read when the client is made.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// Trusts the CAs of the system.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// Trusts the CAs of this PEM file alone.
    #[must_use]
    pub fn ca_file(path: impl Into<PathBuf>) -> Self {
        Self { ca_file: Some(path.into()), identity: None }
    }

    /// Shows this certificate, a PEM file, to servers that ask for one (mutual TLS); `key` is the PEM file of its key.
    #[must_use]
    pub fn identity(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.identity = Some((certificate.into(), key.into()));
        self
    }
}

/// How a call is answered. A [`Tier`] alone will do in its place.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// Default: the server's.
    pub tier: Tier,
    /// Default: none set.
    pub analyze: AnalyzeOptions,
    /// How long it may take, all tries together. Default: the client's.
    pub deadline: Option<Duration>,
}

/// How [`Client::analyze_all`](crate::Client::analyze_all) asks. A [`Tier`] alone will do in its place.
#[derive(Clone, Debug)]
pub struct BatchOptions {
    /// Of each of its calls.
    pub call: CallOptions,
    /// Texts of a call, at most: the server takes up to 100 unless it is set otherwise. Default: 32.
    pub batch_size: usize,
    /// Calls under way, at most. Default: 4.
    pub concurrency: usize,
    /// It gives up when so long nothing was answered. Default: 60 s.
    pub give_up_after: Duration,
}

/// How [`Client::analyze_stream`](crate::Client::analyze_stream) asks. A [`Tier`] alone will do in its place.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// Default: the server's.
    pub tier: Tier,
    /// Default: none set.
    pub analyze: AnalyzeOptions,
    /// Texts that are sent and not yet handed out, at most. Default: 256.
    pub max_under_way: usize,
    /// It gives up when so long nothing was answered. Default: 60 s.
    pub give_up_after: Duration,
}

const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

impl Default for BatchOptions {
    fn default() -> Self {
        Self { call: CallOptions::default(), batch_size: 32, concurrency: 4, give_up_after: GIVE_UP_AFTER }
    }
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self { tier: Tier::default(), analyze: AnalyzeOptions::default(), max_under_way: 256, give_up_after: GIVE_UP_AFTER }
    }
}

impl From<Tier> for CallOptions {
    fn from(tier: Tier) -> Self {
        Self { tier, ..Self::default() }
    }
}

impl From<Tier> for BatchOptions {
    fn from(tier: Tier) -> Self {
        Self { call: tier.into(), ..Self::default() }
    }
}

impl From<Tier> for StreamOptions {
    fn from(tier: Tier) -> Self {
        Self { tier, ..Self::default() }
    }
}
