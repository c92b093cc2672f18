package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

const domain = "sentiment.v1"

// What the server's gRPC says of a message with too many fields: one from here is well-formed always.
const notDeserialized = "Error deserializing request"

// fault is an error as the client reads it: a google.rpc.Status as the body, with the status of HTTP that goes with it.
type fault struct {
	http   int
	status *status.Status
}

func (f *fault) Error() string              { return f.status.Message() }
func (f *fault) GRPCStatus() *status.Status { return f.status }

// newFault is one of the bridge's own. retryAfter: when another try makes sense; 0: never.
func newFault(httpStatus int, code codes.Code, reason, message string, retryAfter time.Duration) *fault {
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: reason, Domain: domain}}
	if retryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	}
	// A reader of JSON may have put bytes of the body into it, which protobuf takes only as UTF-8.
	said := status.New(code, strings.ToValidUTF8(message, "\uFFFD"))
	described, err := said.WithDetails(details...)
	if err != nil {
		described = said
	}
	return &fault{http: httpStatus, status: described}
}

func badRequest(message string) *fault {
	return newFault(http.StatusBadRequest, codes.InvalidArgument, "REQUEST_INVALID", message, 0)
}

func tooLarge(message string) *fault {
	return newFault(http.StatusRequestEntityTooLarge, codes.ResourceExhausted, "BODY_TOO_LARGE", message, 0)
}

func overloaded(message string) *fault {
	return newFault(http.StatusTooManyRequests, codes.ResourceExhausted, "OVERLOADED", message, time.Second)
}

func draining() *fault {
	return newFault(http.StatusServiceUnavailable, codes.Unavailable, "DRAINING",
		"The bridge ends: ask again for what was not answered.", time.Second)
}

// faultOf is the server's error as it is. One of gRPC's own, which has no details, gets a reason.
func faultOf(err error) *fault {
	var own *fault
	if errors.As(err, &own) {
		return own
	}
	said := status.Convert(err)
	switch reason := reasonOf(said); {
	case reason == "METADATA_TOO_LARGE":
		return &fault{http: http.StatusRequestHeaderFieldsTooLarge, status: said}
	case reason != "":
		return &fault{http: runtime.HTTPStatusFromCode(said.Code()), status: said}
	}
	if said.Code() == codes.ResourceExhausted || strings.Contains(said.Message(), notDeserialized) {
		return tooLarge("The server does not take a message that large: send fewer or shorter texts.")
	}
	switch said.Code() {
	case codes.InvalidArgument:
		return badRequest(said.Message())
	case codes.Unavailable:
		// gRPC's message has the server's address in it.
		return newFault(http.StatusServiceUnavailable, codes.Unavailable, "SERVER_DOWN", "The server cannot be reached: try again.", time.Second)
	case codes.DeadlineExceeded:
		return newFault(http.StatusGatewayTimeout, codes.DeadlineExceeded, "DEADLINE", "There was no answer in time.", 0)
	case codes.Canceled:
		return newFault(runtime.HTTPStatusFromCode(codes.Canceled), codes.Canceled, "CANCELLED", "The caller has left.", 0)
	default:
		return newFault(runtime.HTTPStatusFromCode(said.Code()), said.Code(), "BUG", said.Message(), 0)
	}
}

func reasonOf(said *status.Status) string {
	for _, detail := range said.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.Reason
		}
	}
	return ""
}

// retryAfter is in whole seconds, at least 1; "" where the server names no time.
func retryAfter(said *status.Status) string {
	for _, detail := range said.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			seconds := math.Ceil(info.GetRetryDelay().AsDuration().Seconds())
			return strconv.Itoa(max(1, int(seconds)))
		}
	}
	if said.Code() == codes.Unavailable {
		return "1"
	}
	return ""
}

func writeError(w http.ResponseWriter, log *slog.Logger, err error) {
	fault := faultOf(err)
	if fault.http == http.StatusInternalServerError || fault.http == http.StatusServiceUnavailable {
		log.Warn("call failed", "code", fault.status.Code().String(), "reason", reasonOf(fault.status), "error", status.Convert(err).Message())
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	if seconds := retryAfter(fault.status); seconds != "" {
		header.Set("Retry-After", seconds)
	}
	if fault.status.Code() == codes.Unauthenticated {
		header.Set("WWW-Authenticate", "Bearer")
	}
	body, err := toJSON.Marshal(fault.status.Proto())
	if err != nil {
		// A detail of a kind that is not known here.
		body, _ = toJSON.Marshal(status.New(fault.status.Code(), fault.status.Message()).Proto())
	}
	w.WriteHeader(fault.http)
	// The client may be gone; nobody else wants to know.
	_, _ = w.Write(body)
}

// onError and onRoutingError are how grpc-gateway's mux answers.
func (g *Gateway) onError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
	writeError(w, g.log, err)
}

func (g *Gateway) onRoutingError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, httpStatus int) {
	switch httpStatus {
	case http.StatusMethodNotAllowed:
		allowed := methodsOf(r.URL.Path)
		w.Header().Set("Allow", allowed)
		writeError(w, g.log, newFault(httpStatus, codes.Unimplemented, "METHOD_NOT_ALLOWED", "This path takes "+allowed+".", 0))
	case http.StatusNotFound:
		writeError(w, g.log, newFault(httpStatus, codes.NotFound, "PATH_UNKNOWN", "There is nothing here: /openapi.json has the paths.", 0))
	default:
		writeError(w, g.log, badRequest(http.StatusText(httpStatus)))
	}
}

func methodsOf(path string) string {
	switch {
	case path == "/health" || ofConsole(path):
		return "GET, HEAD"
	case slices.Contains(postPaths, path):
		return "POST"
	default:
		return "GET"
	}
}
