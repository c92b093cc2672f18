//! The reasons of the server's errors.

use std::fmt;

macro_rules! reasons {
    ($($name:ident = $text:literal: $meaning:literal;)+) => {
        /// Why the server refused a call or a text: `google.rpc.ErrorInfo.reason`. [`Reason::as_str`] is its name in the API.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $meaning] $name,)+
            /// A reason that this version of the client does not know.
            Other(String),
        }

        impl Reason {
            /// As the API writes it, such as `TEXT_EMPTY`.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for Reason {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$name,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

reasons! {
    TextEmpty = "TEXT_EMPTY": "The text is empty or white space.";
    TextTooLong = "TEXT_TOO_LONG": "The text has more code points than the server takes, or more tokens than the model reads.";
    TextNotUtf8 = "TEXT_NOT_UTF8": "The text is not UTF-8: this client cannot send such a one.";
    TierUnknown = "TIER_UNKNOWN": "No such tier.";
    OptionUnknown = "OPTION_UNKNOWN": "No such option.";
    IdTooLong = "ID_TOO_LONG": "The id of a streamed text is too long.";
    BatchEmpty = "BATCH_EMPTY": "A batch without texts.";
    BatchTooLarge = "BATCH_TOO_LARGE": "A batch of more texts than the server takes, 100 unless set.";
    KeyMissing = "KEY_MISSING": "The server wants a key.";
    KeyUnknown = "KEY_UNKNOWN": "The key is unknown, revoked or expired.";
    NotAllowed = "NOT_ALLOWED": "The key lacks the right.";
    TensorInvalid = "TENSOR_INVALID": "Of the KServe protocol: wrong inputs or outputs.";
    ModelUnknown = "MODEL_UNKNOWN": "Of the KServe protocol: no such model.";
    ModelUnusable = "MODEL_UNUSABLE": "Of an admin's call: the model cannot be served.";
    NotImplemented = "NOT_IMPLEMENTED": "A call that the server does not serve.";
    ProfileUnwritable = "PROFILE_UNWRITABLE": "Of an admin's call: the profile cannot be written.";
    MetadataTooLarge = "METADATA_TOO_LARGE": "Over 16 KB of metadata.";
    Overloaded = "OVERLOADED": "The server has too much to do: ask again after `retry_after`.";
    RateLimited = "RATE_LIMITED": "The caller's quota is used up: ask again after `retry_after`.";
    Deadline = "DEADLINE": "No answer within the server's time limit.";
    BackendDown = "BACKEND_DOWN": "What runs the models is down: ask again.";
    Draining = "DRAINING": "The server is stopping: ask again, here or at another.";
    ProcessDown = "PROCESS_DOWN": "Of an admin's call: one of the server's processes is being replaced.";
    CacheDown = "CACHE_DOWN": "Of an admin's call: Redis could not be cleared as a whole.";
    Bug = "BUG": "The server's fault; the message has an id that stands in its log.";
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn a_known_reason_is_read_and_an_unknown_one_passes_through() {
        assert_eq!(Reason::from("TEXT_EMPTY"), Reason::TextEmpty);
        assert_eq!(Reason::from("OF_TOMORROW"), Reason::Other("OF_TOMORROW".to_owned()));
        assert_eq!(Reason::from("OF_TOMORROW").to_string(), "OF_TOMORROW");
    }
}
