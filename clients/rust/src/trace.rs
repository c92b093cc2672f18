//! What of a trace goes along with a call.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use tonic::metadata::{MetadataKey, MetadataMap};

/// The headers of W3C Trace Context: nothing else that a hook gives goes along.
const HEADERS: [&str; 2] = ["traceparent", "tracestate"];

/// Asked once a call, where the call is made.
#[derive(Clone)]
pub(crate) struct TraceHook(Arc<dyn Fn() -> HashMap<String, String> + Send + Sync>);

impl TraceHook {
    pub fn new(hook: impl Fn() -> HashMap<String, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// A value that metadata cannot carry is left out: a trace is no reason for a call to fail.
    pub fn add_to(&self, metadata: &mut MetadataMap) {
        let context = (self.0)();
        for header in HEADERS {
            if let Some(value) = context.get(header).and_then(|value| value.parse().ok()) {
                metadata.insert(MetadataKey::from_static(header), value);
            }
        }
    }
}

impl fmt::Debug for TraceHook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TraceHook")
    }
}
