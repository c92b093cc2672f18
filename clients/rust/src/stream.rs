//! Texts without end, in one call.

use futures_util::stream::{once, Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;

use crate::client::Client;
use crate::driver::Driver;
use crate::options::StreamOptions;
use crate::Outcomes;

/// Outcomes that wait for the reader beside those that the window holds.
const WAITING: usize = 16;

impl Client {
    /// The outcomes of all texts, in their order, as they come, over one `AnalyzeStream`. At most `max_under_way` texts are sent and not
    /// yet handed out, and no more is read of `texts`. A stream that breaks is opened anew, and only what it has not answered is asked
    /// again, as is a text that is refused with UNAVAILABLE or RESOURCE_EXHAUSTED; each text has one outcome. It gives up after
    /// `give_up_after`. Dropping the stream ends the call.
    pub fn analyze_stream<T: Into<String> + 'static>(
        &self,
        texts: impl Stream<Item = T> + Send + 'static,
        options: impl Into<StreamOptions>,
    ) -> Outcomes {
        let (sender, outcomes) = mpsc::channel(WAITING);
        let driver = Driver::new(self.core.clone(), texts.map(Into::into).boxed(), options.into(), sender);
        let driving = AbortOnDropHandle::new(tokio::spawn(driver.run()));
        let end = once(driving).filter_map(|ended| async move { joined(ended).err().map(Err) });
        ReceiverStream::new(outcomes).map(Ok).chain(end).boxed()
    }
}

/// What a task has come to; its panic goes on in whoever waits for it.
pub(crate) fn joined<T>(ended: Result<T, JoinError>) -> T {
    ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
