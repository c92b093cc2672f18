package sentiment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Error is why a call, or one text of it, got no answer. errors.As finds it; so does status.FromError.
// errors.Is takes one of [codes.Canceled] for context.Canceled, and one of [codes.DeadlineExceeded] for context.DeadlineExceeded.
type Error struct {
	Code codes.Code
	// Reason is empty where gRPC itself failed the call: the server cannot be reached, the deadline passed here.
	Reason  Reason
	Message string
	// RetryAfter is how long the server asks to wait before another try; 0 where it names no time.
	RetryAfter time.Duration
	// Violations are the fields of the request that were at fault.
	Violations []FieldViolation

	status *status.Status
}

// FieldViolation is a field of a request, as "texts[3]", and what is wrong with it.
type FieldViolation struct{ Field, Description string }

// ReasonOf is the reason of an [Error], or of an error of gRPC's own stubs; empty where there is none.
func ReasonOf(err error) Reason {
	if err == nil {
		return ""
	}
	return toError(err).Reason
}

func (e *Error) Error() string {
	kind := string(e.Reason)
	if kind == "" {
		kind = e.Code.String()
	}
	return fmt.Sprintf("sentiment: %s: %s", kind, e.Message)
}

// GRPCStatus is the status as it came, with all its details.
func (e *Error) GRPCStatus() *status.Status {
	if e.status == nil {
		return status.New(e.Code, e.Message)
	}
	return e.status
}

func (e *Error) Is(target error) bool {
	return e.Code == codes.Canceled && target == context.Canceled ||
		e.Code == codes.DeadlineExceeded && target == context.DeadlineExceeded
}

// toError makes one of an error of gRPC or of a context; never of nil.
func toError(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	said, ok := status.FromError(err)
	if !ok {
		said = status.FromContextError(err)
	}
	return fromStatus(said)
}

func fromStatus(said *status.Status) *Error {
	e := &Error{Code: said.Code(), Message: said.Message(), status: said}
	for _, detail := range said.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			e.Reason = Reason(detail.GetReason())
		case *errdetails.RetryInfo:
			e.RetryAfter = detail.GetRetryDelay().AsDuration()
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				e.Violations = append(e.Violations, FieldViolation{violation.GetField(), violation.GetDescription()})
			}
		}
	}
	return e
}

// notUTF8 is what the server would say, could such a text be sent: gRPC fails the whole message for it.
func notUTF8(field string) *Error {
	const message = "The text is not valid UTF-8: decode it first."
	return &Error{
		Code: codes.InvalidArgument, Reason: ReasonTextNotUTF8, Message: message,
		Violations: []FieldViolation{{field, message}},
	}
}
