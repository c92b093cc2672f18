package sentiment

// Reason is why the server refused, as google.rpc.ErrorInfo has it. A newer server may have reasons that are not listed here.
type Reason string

// The reasons of sentiment.v1; the table of errors in the project's README says when each is given.
const (
	ReasonTextEmpty         Reason = "TEXT_EMPTY"
	ReasonTextTooLong       Reason = "TEXT_TOO_LONG"
	ReasonTextNotUTF8       Reason = "TEXT_NOT_UTF8"
	ReasonTierUnknown       Reason = "TIER_UNKNOWN"
	ReasonOptionUnknown     Reason = "OPTION_UNKNOWN"
	ReasonIDTooLong         Reason = "ID_TOO_LONG"
	ReasonBatchEmpty        Reason = "BATCH_EMPTY"
	ReasonBatchTooLarge     Reason = "BATCH_TOO_LARGE"
	ReasonKeyMissing        Reason = "KEY_MISSING"
	ReasonKeyUnknown        Reason = "KEY_UNKNOWN"
	ReasonNotAllowed        Reason = "NOT_ALLOWED"
	ReasonMetadataTooLarge  Reason = "METADATA_TOO_LARGE"
	ReasonOverloaded        Reason = "OVERLOADED"
	ReasonRateLimited       Reason = "RATE_LIMITED"
	ReasonDeadline          Reason = "DEADLINE"
	ReasonBackendDown       Reason = "BACKEND_DOWN"
	ReasonDraining          Reason = "DRAINING"
	ReasonTensorInvalid     Reason = "TENSOR_INVALID"
	ReasonModelUnknown      Reason = "MODEL_UNKNOWN"
	ReasonModelUnusable     Reason = "MODEL_UNUSABLE"
	ReasonNotImplemented    Reason = "NOT_IMPLEMENTED"
	ReasonProfileUnwritable Reason = "PROFILE_UNWRITABLE"
	ReasonProcessDown       Reason = "PROCESS_DOWN"
	ReasonCacheDown         Reason = "CACHE_DOWN"
	ReasonBug               Reason = "BUG"
)
