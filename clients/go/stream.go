package sentiment

import (
	"context"
	"io"
	"iter"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	pb "sentiment-analyzer-pro/clients/go/gen/sentiment/v1"
)

// A server ends a stream as soon as it has answered all of it; one that does not is left after that long.
const endOfStream = time.Second

// AnalyzeStream asks about any number of texts, also without end, over one AnalyzeStream: each is sent when it comes, at most
// [WithMaxUnderWay] of them before their results are taken. It yields as [Client.AnalyzeAll] does, and reads texts as that does.
//
// A stream that breaks is opened anew, and what it had not answered is asked again, a text that was refused not before its time: there is
// one result a text, whatever happens. A stream has no deadline but that of ctx.
func (c *Client) AnalyzeStream(ctx context.Context, texts iter.Seq[string], options ...CallOption) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		settings, err := newSettings(options)
		if err != nil {
			yield(Result{}, err)
			return
		}
		c.run(ctx, settings, settings.maxUnderWay, yield, func(r *run) {
			s := &streamer{run: r, unanswered: map[string]*job{}, emptied: make(chan struct{}, 1)}
			r.askers.Go(s.ask)
			go r.read(texts, 1)
		})
	}
}

// streamer asks over one stream after the other.
type streamer struct {
	*run
	mutex sync.Mutex
	// By their id.
	unanswered map[string]*job
	// Has something when unanswered may have become empty.
	emptied chan struct{}
}

func (s *streamer) ask() {
	var wait backoff
	for s.hasText() {
		answered, refusal := s.askOverOneStream()
		if answered {
			wait.reset()
		}
		switch {
		case s.ctx.Err() != nil, s.idle():
			// Nothing is lost. The server ends a stream on which nothing comes for long: the next text opens another one.
		case refusal.tooLarge():
			s.refuseLargest(refusal)
		// A stream has no deadline: it is the server's, for one on which nothing came, and a text has crossed it.
		case refusal.temporary(), refusal.lost(), refusal.Code == codes.DeadlineExceeded:
			s.patience.refused(refusal)
			sleep(s.ctx, wait.next(refusal.RetryAfter))
		default:
			s.fail(refusal)
		}
	}
}

// hasText waits until there is something to ask; false when there is no more, or the run has ended.
func (s *streamer) hasText() bool {
	for s.idle() {
		next, open, _ := receive(s.ctx, s.jobs)
		if !open {
			return false
		}
		s.take(next)
	}
	return s.ctx.Err() == nil
}

// askOverOneStream returns why the stream ended, and whether it has answered anything.
func (s *streamer) askOverOneStream() (answered bool, refusal *Error) {
	ctx, cancel := context.WithCancel(s.ctx)
	call, err := s.client.service.AnalyzeStream(ctx)
	if err != nil {
		cancel()
		return false, toError(err)
	}
	again := make(chan *job, s.settings.maxUnderWay)
	var sender sync.WaitGroup
	sender.Go(func() {
		if s.send(ctx, call, again) && call.CloseSend() == nil {
			time.AfterFunc(endOfStream, cancel)
		}
	})
	answered, refusal = s.receive(call, again)
	cancel()
	sender.Wait()
	return answered, refusal
}

type analyzeStream = grpc.BidiStreamingClient[pb.AnalyzeStreamRequest, pb.AnalyzeStreamResponse]

// send returns true when all texts are sent and answered, false when the stream has broken; the receiver then learns why.
func (s *streamer) send(ctx context.Context, call analyzeStream, again chan *job) bool {
	for _, waiting := range s.inOrder() {
		// Refused on a stream before this one, whose end makes no text due.
		if left := s.untilDue(waiting); left > 0 {
			time.AfterFunc(left, func() { again <- waiting })
			continue
		}
		if call.Send(s.request(waiting)) != nil {
			return false
		}
	}
	jobs := s.jobs
	for jobs != nil || !s.idle() {
		var next *job
		open := true
		select {
		case next, open = <-jobs:
			if !open {
				jobs = nil
			}
			if !open || !s.take(next) {
				continue
			}
		case next = <-again:
		case <-s.emptied:
			continue
		case <-ctx.Done():
			return false
		}
		if call.Send(s.request(next)) != nil {
			return false
		}
	}
	return true
}

func (s *streamer) receive(call analyzeStream, again chan<- *job) (answered bool, refusal *Error) {
	for {
		answer, err := call.Recv()
		if err == io.EOF {
			return answered, &Error{Code: codes.Unavailable, Message: "The server ended the stream before it had answered all texts."}
		}
		if err != nil {
			return answered, toError(err)
		}
		asked := s.find(answer.GetId())
		if asked == nil {
			continue
		}
		asked.results[0].set(answer.GetSentiment(), answer.GetError())
		if own := asked.results[0].refusal(); own != nil {
			s.patience.refused(own)
			left := s.putOff(asked, own.RetryAfter)
			// Has room for all that are under way, should the stream have ended meanwhile.
			time.AfterFunc(left, func() { again <- asked })
			continue
		}
		answered = true
		s.settle(asked)
	}
}

// take puts a text among those that are unanswered; false for one that cannot be sent.
func (s *streamer) take(next *job) bool {
	if !utf8.ValidString(next.results[0].Text) {
		next.results[0].Err = notUTF8("text")
		s.finish(next)
		return false
	}
	s.patience.begin()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.unanswered[next.id()] = next
	return true
}

func (s *streamer) settle(answered *job) {
	s.mutex.Lock()
	delete(s.unanswered, answered.id())
	s.mutex.Unlock()
	s.patience.answered()
	s.patience.end()
	s.finish(answered)
	select {
	case s.emptied <- struct{}{}:
	default:
	}
}

// putOff returns how long a text that was refused has to wait.
func (s *streamer) putOff(refused *job, asked time.Duration) time.Duration {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	wait := refused.wait.next(asked)
	refused.notBefore = time.Now().Add(wait)
	return wait
}

func (s *streamer) untilDue(waiting *job) time.Duration {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return time.Until(waiting.notBefore)
}

func (s *streamer) find(id string) *job {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.unanswered[id]
}

func (s *streamer) idle() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.unanswered) == 0
}

func (s *streamer) inOrder() []*job {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	waiting := make([]*job, 0, len(s.unanswered))
	for _, asked := range s.unanswered {
		waiting = append(waiting, asked)
	}
	slices.SortFunc(waiting, func(a, b *job) int { return a.results[0].Index - b.results[0].Index })
	return waiting
}

// refuseLargest finds whose fault it is that a message was too large; the others are asked again.
func (s *streamer) refuseLargest(refusal *Error) {
	waiting := s.inOrder()
	largest := slices.MaxFunc(waiting, func(a, b *job) int { return len(a.results[0].Text) - len(b.results[0].Text) })
	largest.results[0].Err = refusal
	s.settle(largest)
}

func (s *streamer) request(asked *job) *pb.AnalyzeStreamRequest {
	return &pb.AnalyzeStreamRequest{Id: asked.id(), Text: asked.results[0].Text, Tier: s.settings.tier, Options: s.settings.options}
}

// id of a job of one text.
func (j *job) id() string { return strconv.Itoa(j.results[0].Index) }
