package sentiment

import (
	"context"
	"iter"
	"slices"
)

// AnalyzeAll asks about any number of texts, also without end, in calls of at most [WithBatchSize] texts, [WithConcurrency] of them under
// way at once. It yields one [Result] a text, in the order of the texts, as they come:
//
//	for result, err := range client.AnalyzeAll(ctx, slices.Values(texts)) {
//		if err != nil {
//			return err // nothing more comes
//		}
//		use(result)
//	}
//
// What the server refuses because it is busy, restarts, or the quota is used up is asked again, after the time that the server names; so is
// a single text of a call, and a call that is not answered within [WithTimeout]. The error, always the last that is yielded, is an
// [*Error]: another refusal, no answer for [WithGiveUpAfter], or the end of ctx. A loop that is left early ends what is under way.
//
// texts is read in a goroutine of its own, up to 2 * concurrency + 1 calls ahead. A call waits until it is full, or texts ends: where texts
// trickle, take [Client.AnalyzeStream]. When the loop has ended, texts may be asked for one text more, unless it blocks; it is not waited for.
func (c *Client) AnalyzeAll(ctx context.Context, texts iter.Seq[string], options ...CallOption) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		settings, err := newSettings(options)
		if err != nil {
			yield(Result{}, err)
			return
		}
		// As many may be answered and wait for their turn as are under way.
		c.run(ctx, settings, 2*settings.concurrency, yield, func(r *run) {
			for range settings.concurrency {
				r.askers.Go(r.askBatches)
			}
			go r.read(texts, settings.batchSize)
		})
	}
}

func (r *run) askBatches() {
	for {
		next, open, _ := receive(r.ctx, r.jobs)
		if !open {
			return
		}
		r.patience.begin()
		err := r.askUntilAnswered(next)
		r.patience.end()
		if err != nil {
			r.fail(err)
			return
		}
		r.finish(next)
	}
}

func (r *run) askUntilAnswered(next *job) error {
	left := sendable(next.results)
	for len(left) > 0 {
		still, refusal, err := r.try(left)
		if err != nil {
			return err
		}
		if len(still) < len(left) {
			r.patience.answered()
			next.wait.reset()
		}
		left = still
		if refusal == nil {
			continue
		}
		r.patience.refused(refusal)
		if !sleep(r.ctx, next.wait.next(refusal.RetryAfter)) {
			return r.ctx.Err()
		}
	}
	return nil
}

// try makes one call: left are the texts that are to be asked again, refusal is why.
func (r *run) try(texts []*Result) (left []*Result, refusal *Error, err error) {
	ctx, cancel := context.WithTimeout(r.ctx, r.client.timeout)
	defer cancel()
	if err := r.client.askBatch(ctx, texts, r.settings); err != nil {
		return refusedCall(texts, toError(err))
	}
	for _, text := range texts {
		own := text.refusal()
		if own == nil {
			continue
		}
		left = append(left, text)
		if refusal == nil || own.RetryAfter > refusal.RetryAfter {
			refusal = own
		}
	}
	return left, refusal, nil
}

func refusedCall(texts []*Result, refusal *Error) ([]*Result, *Error, error) {
	switch {
	case refusal.tooLarge():
		// A call of texts that the server takes is never too large, so one is beyond them. Its neighbours are not to suffer.
		largest := largestOf(texts)
		texts[largest].Err = refusal
		return slices.Delete(texts, largest, largest+1), nil, nil
	case refusal.temporary(), refusal.lost():
		return texts, refusal, nil
	default:
		return nil, nil, refusal
	}
}

func largestOf(texts []*Result) int {
	largest := 0
	for i, text := range texts {
		if len(text.Text) > len(texts[largest].Text) {
			largest = i
		}
	}
	return largest
}
