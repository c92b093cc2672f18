package sentiment_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	sentiment "sentiment-analyzer-pro/clients/go"
)

type helper = func(context.Context, iter.Seq[string], ...sentiment.CallOption) iter.Seq2[sentiment.Result, error]

func TestAThousandTextsInOrder(t *testing.T) {
	client := connect(t, shared(t))
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		expectAll(t, collect(t, of(client)(t.Context(), numbered(1000))), 1000)
	})
}

func TestAThousandTextsAsTheyCome(t *testing.T) {
	client := connect(t, shared(t))
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		seen := map[int]bool{}
		for _, result := range collect(t, of(client)(t.Context(), numbered(1000), sentiment.Unordered())) {
			if result.Err != nil || seen[result.Index] {
				t.Fatal(result)
			}
			seen[result.Index] = true
		}
		if len(seen) != 1000 {
			t.Errorf("%d of 1000", len(seen))
		}
	})
}

func TestABadTextIsItsOwn(t *testing.T) {
	client := connect(t, shared(t))
	bad := map[int]struct {
		text   string
		reason sentiment.Reason
	}{
		7:   {"", sentiment.ReasonTextEmpty},
		40:  {strings.Repeat("a", 10_001), sentiment.ReasonTextTooLong},
		77:  {"caf\xe9", sentiment.ReasonTextNotUTF8},
		99:  {strings.Repeat("a", 6_000_000), ""},
		100: {"\xff", sentiment.ReasonTextNotUTF8},
	}
	texts := func(yield func(string) bool) {
		for i := range 101 {
			text := fmt.Sprintf("Product %d is fine", i)
			if fault, is := bad[i]; is {
				text = fault.text
			}
			if !yield(text) {
				return
			}
		}
	}
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		results := collect(t, of(client)(t.Context(), texts))
		if len(results) != 101 {
			t.Fatalf("%d of 101", len(results))
		}
		for i, result := range results {
			fault, is := bad[i]
			if is != (result.Err != nil) || is != (result.Sentiment == nil) {
				t.Errorf("text %d: %v", i, result.Err)
			}
			if is && sentiment.ReasonOf(result.Err) != fault.reason {
				t.Errorf("text %d: %v", i, result.Err)
			}
		}
		if own := failure(t, results[99].Err); own.Code != codes.ResourceExhausted {
			t.Errorf("a text over the message's limit: %v", own)
		}
	})
}

func TestNoTexts(t *testing.T) {
	client := connect(t, shared(t))
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		if results := collect(t, of(client)(t.Context(), numbered(0))); len(results) != 0 {
			t.Error(results)
		}
	})
}

func TestOptionsReachTheServer(t *testing.T) {
	client := connect(t, shared(t))
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		options := []sentiment.CallOption{sentiment.WithTier(sentiment.TierBalanced), sentiment.WithSentences(), sentiment.WithoutCache()}
		for _, result := range collect(t, of(client)(t.Context(), numbered(3), options...)) {
			said := result.Sentiment
			if said.GetTier() != sentiment.TierBalanced || len(said.GetSentences()) != 1 || said.GetCache() != sentiment.CacheNone {
				t.Error(said)
			}
		}
	})
}

func TestAnEndlessSourceIsReadNoFurtherThanItMust(t *testing.T) {
	client := connect(t, shared(t))
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		var read atomic.Int64
		stopped := make(chan struct{})
		endless := func(yield func(string) bool) {
			defer close(stopped)
			for yield(fmt.Sprintf("Product %d is fine", read.Add(1))) {
			}
		}
		taken := 0
		for result, err := range of(client)(t.Context(), endless, sentiment.WithBatchSize(10), sentiment.WithConcurrency(2), sentiment.WithMaxUnderWay(40)) {
			if err != nil || result.Index != taken {
				t.Fatal(result, err)
			}
			if taken++; taken < 100 {
				continue
			}
			// Whoever takes nothing is not read for.
			time.Sleep(300 * time.Millisecond)
			break
		}
		if most := int64(100 + 40 + 2*10); read.Load() > most {
			t.Errorf("%d texts were read for 100 results; at most %d may be", read.Load(), most)
		}
		select {
		case <-stopped:
		case <-time.After(10 * time.Second):
			t.Error("the source was not stopped")
		}
	})
}

func TestAStreamAnswersWhileTheSourceIsQuiet(t *testing.T) {
	client := connect(t, shared(t))
	answered := make(chan struct{})
	// A text comes when the one before is answered.
	texts := func(yield func(string) bool) {
		for i := range 5 {
			if !yield(fmt.Sprintf("Product %d is fine", i)) {
				return
			}
			<-answered
		}
	}
	count := 0
	for result, err := range client.AnalyzeStream(t.Context(), texts) {
		if err != nil || result.Err != nil {
			t.Fatal(result, err)
		}
		count++
		answered <- struct{}{}
	}
	if count != 5 {
		t.Error(count)
	}
}

func TestASourceThatBlocksIsNotWaitedFor(t *testing.T) {
	client := connect(t, shared(t))
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		release := make(chan struct{})
		defer close(release)
		blocking := func(yield func(string) bool) {
			if yield("Product 0 is fine") {
				<-release
			}
		}
		for _, err := range of(client)(t.Context(), blocking, sentiment.WithBatchSize(1)) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	})
}

func TestTheEndOfTheContextIsTheLastThatComes(t *testing.T) {
	client := connect(t, shared(t))
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		var last error
		count := 0
		for result, err := range of(client)(ctx, numbered(1_000_000)) {
			if last != nil {
				t.Fatal("more came after the error:", result)
			}
			last = err
			if count++; count == 50 {
				cancel(errors.New("the caller has had enough"))
			}
		}
		if !errors.Is(last, context.Canceled) || failure(t, last).Code != codes.Canceled {
			t.Error(last)
		}
	})
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	client := connect(t, "127.0.0.1:1")
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		var said error
		options := []sentiment.CallOption{sentiment.WithBatchSize(0), sentiment.WithConcurrency(-1), sentiment.WithMaxUnderWay(0), sentiment.WithGiveUpAfter(0)}
		for _, err := range of(client)(t.Context(), numbered(1), options...) {
			said = err
		}
		for _, part := range []string{"WithBatchSize(0)", "WithConcurrency(-1)", "WithMaxUnderWay(0)", "WithGiveUpAfter(0s)"} {
			if said == nil || !strings.Contains(said.Error(), part) {
				t.Errorf("%v does not name %s", said, part)
			}
		}
	})
}
