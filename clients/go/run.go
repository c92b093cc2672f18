package sentiment

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

// job is some of the texts on their way through a run: those of one call, or one of a stream.
type job struct {
	results []Result
	// Closed when each of them has its outcome.
	done chan struct{}
	wait backoff
	// When a text of a stream that was refused may be asked again.
	notBefore time.Time
}

// run is one use of a helper. A reader cuts the texts into jobs; askers have them answered; the caller's own goroutine yields the results.
// A job takes a slot until it is yielded, so that however late the first of them is answered, memory is bounded.
type run struct {
	client   *Client
	settings *settings
	patience *patience
	// Ends with the cause that the caller is told.
	ctx  context.Context
	fail context.CancelCauseFunc

	slots  chan struct{}
	jobs   chan *job
	out    chan *job
	askers sync.WaitGroup
}

// run yields until all is answered, with `slots` jobs in memory. `start` starts the reader, and askers that end when r.jobs is closed or
// r.ctx ends.
func (c *Client) run(ctx context.Context, s *settings, slots int, yield func(Result, error) bool, start func(*run)) {
	ctx, fail := context.WithCancelCause(ctx)
	// A client that is closed ends what waits here between two calls, too.
	stop := context.AfterFunc(c.closed, func() { fail(&Error{Code: codes.Canceled, Message: "The client is closed."}) })
	defer stop()
	// Also where the caller's loop panics.
	defer fail(context.Canceled)
	r := &run{
		client: c, settings: s, ctx: ctx, fail: fail, patience: newPatience(s.giveUpAfter, fail),
		slots: make(chan struct{}, slots), jobs: make(chan *job), out: make(chan *job, slots),
	}
	defer r.patience.stop()
	start(r)
	go r.closeOut()
	r.deliver(yield)
	// Whatever is still under way is for nobody.
	fail(context.Canceled)
	r.askers.Wait()
}

// read cuts the texts into jobs. It is not waited for: a source that has nothing more to say may block for ever.
func (r *run) read(texts iter.Seq[string], size int) {
	index := 0
	var part []Result
	for text := range texts {
		part = append(part, Result{Index: index, Text: text})
		index++
		if len(part) < size {
			continue
		}
		if !r.submit(part) {
			return
		}
		part = nil
	}
	if len(part) == 0 || r.submit(part) {
		close(r.jobs)
	}
}

func (r *run) submit(results []Result) bool {
	select {
	case r.slots <- struct{}{}:
	case <-r.ctx.Done():
		return false
	}
	next := &job{results: results, done: make(chan struct{})}
	if !r.settings.unordered {
		// Has room for as many as there are slots.
		r.out <- next
	}
	select {
	case r.jobs <- next:
		return true
	case <-r.ctx.Done():
		return false
	}
}

func (r *run) finish(answered *job) {
	close(answered.done)
	if r.settings.unordered {
		r.out <- answered
	}
}

// closeOut tells that there is no more. Where the run has failed the reader may still be about to write.
func (r *run) closeOut() {
	r.askers.Wait()
	if r.ctx.Err() == nil {
		close(r.out)
	}
}

func (r *run) deliver(yield func(Result, error) bool) {
	for {
		next, open, going := receive(r.ctx, r.out)
		if going && !open {
			return
		}
		if going {
			_, _, going = receive(r.ctx, next.done)
		}
		if !going {
			yield(Result{}, r.cause())
			return
		}
		for _, result := range next.results {
			if !yield(result, nil) {
				return
			}
		}
		<-r.slots
	}
}

// cause is why the run ended early.
func (r *run) cause() error {
	var own *Error
	if errors.As(context.Cause(r.ctx), &own) {
		return own
	}
	return toError(r.ctx.Err())
}

// receive takes from a channel; going is false when ctx has ended and there is nothing to take.
func receive[T any](ctx context.Context, from <-chan T) (value T, open, going bool) {
	select {
	case value, open = <-from:
		return value, open, true
	default:
	}
	select {
	case value, open = <-from:
		return value, open, true
	case <-ctx.Done():
		return value, false, false
	}
}
