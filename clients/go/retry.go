package sentiment

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
)

// temporary tells whether asking again may help. Asking changes nothing on the server, so it may always be repeated.
func (e *Error) temporary() bool {
	return e.Code == codes.Unavailable ||
		e.Code == codes.ResourceExhausted && e.Reason != ReasonMetadataTooLarge && !e.tooLarge()
}

// lost tells whether a call ended without a word of the server's: it broke on its way, as a stream that was reset does, or its time was over.
// For a caller who has left, or whose own time is over, the run's context has ended as well.
func (e *Error) lost() bool {
	return e.Reason == "" && slices.Contains(lostCodes, e.Code)
}

var lostCodes = []codes.Code{codes.Canceled, codes.Internal, codes.Unknown, codes.DeadlineExceeded}

// tooLarge tells whether a message was over a limit of gRPC's, of which only the words tell, or over that of the proxy in front of the server.
func (e *Error) tooLarge() bool {
	return e.Code == codes.ResourceExhausted &&
		(e.Reason == reasonBodyTooLarge || e.Reason == "" && strings.Contains(e.Message, "larger than"))
}

// Of deploy/nginx, never of the server.
const reasonBodyTooLarge Reason = "BODY_TOO_LARGE"

// backoff is how long to wait between tries: 0.1 s, doubled up to 5 s.
type backoff struct{ refusals int }

const (
	firstWait   = 100 * time.Millisecond
	longestWait = 5 * time.Second
	// Clients that were refused together must not come back together.
	jitter = 0.2
)

// next is at least what the server asks for; 0 where it names no time.
func (b *backoff) next(asked time.Duration) time.Duration {
	wait := min(longestWait, firstWait<<min(b.refusals, 10))
	b.refusals++
	if asked > 0 {
		wait = asked
	}
	return wait + time.Duration(jitter*rand.Float64()*float64(wait))
}

func (b *backoff) reset() { b.refusals = 0 }

// sleep returns false when ctx ends first.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
