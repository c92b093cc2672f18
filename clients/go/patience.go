package sentiment

import (
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

// patience gives a run up when the server has answered nothing for `limit` while it was asked. A source that has no text, and a caller
// that takes no result, are no fault of the server's: that time does not count.
type patience struct {
	limit  time.Duration
	giveUp func(error)

	mutex    sync.Mutex
	timer    *time.Timer
	underWay int
	since    time.Time
	// What the server said last, since it answered last.
	refusal *Error
}

func newPatience(limit time.Duration, giveUp func(error)) *patience {
	p := &patience{limit: limit, giveUp: giveUp}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.timer = time.AfterFunc(limit, p.check)
	return p
}

func (p *patience) begin() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.underWay == 0 {
		p.since = time.Now()
		p.timer.Reset(p.limit)
	}
	p.underWay++
}

func (p *patience) end() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.underWay--
}

func (p *patience) answered() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.since, p.refusal = time.Now(), nil
}

func (p *patience) refused(refusal *Error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.refusal = refusal
}

func (p *patience) stop() { p.timer.Stop() }

// check runs when the time may be over: answers do not move the timer, they are too many.
func (p *patience) check() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.underWay == 0 {
		return
	}
	if left := p.limit - time.Since(p.since); left > 0 {
		p.timer.Reset(left)
		return
	}
	p.giveUp(p.gaveUp())
}

func (p *patience) gaveUp() *Error {
	if p.refusal == nil {
		return &Error{Code: codes.DeadlineExceeded, Message: fmt.Sprintf("The server has answered nothing for %v.", p.limit)}
	}
	last := *p.refusal
	last.Message = fmt.Sprintf("The server has answered nothing for %v; the last it said: %s", p.limit, last.Message)
	return &last
}
