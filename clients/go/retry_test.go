package sentiment_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	sentiment "sentiment-analyzer-pro/clients/go"
)

func TestACallIsRetriedWhenTheServerAsksForIt(t *testing.T) {
	const pushback = 300 * time.Millisecond
	s := &scripted{refuseCall: func(ctx context.Context, call int, _ []string) error {
		if call > 2 {
			return nil
		}
		_ = grpc.SetTrailer(ctx, metadata.Pairs("grpc-retry-pushback-ms", strconv.FormatInt(pushback.Milliseconds(), 10)))
		return refusal(codes.Unavailable, "DRAINING", pushback).Err()
	}}
	if _, err := connect(t, script(t, s)).Analyze(t.Context(), "It works."); err != nil {
		t.Fatal(err)
	}
	calls, at := s.said()
	if len(calls) != 3 || at[1].Sub(at[0]) < pushback || at[2].Sub(at[1]) < pushback {
		t.Error(len(calls), at)
	}
}

func TestACallIsAskedFiveTimesAtMost(t *testing.T) {
	s := &scripted{refuseCall: func(context.Context, int, []string) error { return refusal(codes.Unavailable, "DRAINING", 0).Err() }}
	_, err := connect(t, script(t, s)).Analyze(t.Context(), "It works.")
	if calls, _ := s.said(); len(calls) != 5 || sentiment.ReasonOf(err) != sentiment.ReasonDraining {
		t.Error(len(calls), err)
	}
}

func TestACallIsNotRetriedForItsCaller(t *testing.T) {
	for _, said := range []*status.Status{
		refusal(codes.ResourceExhausted, "OVERLOADED", time.Second),
		refusal(codes.Internal, "BUG", 0),
		refusal(codes.InvalidArgument, "SOMETHING_NEW", 0),
	} {
		s := &scripted{refuseCall: func(context.Context, int, []string) error { return said.Err() }}
		_, err := connect(t, script(t, s)).Analyze(t.Context(), "It works.")
		calls, _ := s.said()
		own := failure(t, err)
		if len(calls) != 1 || own.Code != said.Code() || (own.RetryAfter == time.Second) != (said.Code() == codes.ResourceExhausted) {
			t.Error(len(calls), own, own.RetryAfter)
		}
		if said.Code() == codes.InvalidArgument && own.Reason != "SOMETHING_NEW" {
			t.Error("an unknown reason:", own.Reason)
		}
		if details := own.GRPCStatus().Details(); len(details) != len(said.Details()) {
			t.Error("the details:", details)
		}
	}
}

func TestTheHelpersWaitAsLongAsTheServerAsks(t *testing.T) {
	const pause = 400 * time.Millisecond
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		s := &scripted{refuseCall: func(_ context.Context, call int, _ []string) error {
			if call == 1 {
				return refusal(codes.ResourceExhausted, "RATE_LIMITED", pause).Err()
			}
			return nil
		}}
		expectAll(t, collect(t, of(connect(t, script(t, s)))(t.Context(), numbered(20))), 20)
		if calls, at := s.said(); len(calls) != 2 || at[1].Sub(at[0]) < pause {
			t.Error(len(calls), at)
		}
	})
}

func TestASingleTextIsAskedAgain(t *testing.T) {
	const pause = 300 * time.Millisecond
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		s := &scripted{refuseText: func(text string, times int) *spb.Status {
			if times > 2 {
				return nil
			}
			switch text {
			case "Product 3 is fine":
				return refusal(codes.Unavailable, "BACKEND_DOWN", pause).Proto()
			case "Product 17 is fine":
				return refusal(codes.ResourceExhausted, "OVERLOADED", 0).Proto()
			}
			return nil
		}}
		begun := time.Now()
		expectAll(t, collect(t, of(connect(t, script(t, s)))(t.Context(), numbered(40))), 40)
		if took := time.Since(begun); took < 2*pause {
			t.Errorf("asked again within %v", took)
		}
		for text, times := range s.asked {
			if again := text == "Product 3 is fine" || text == "Product 17 is fine"; again != (times == 3) || !again && times != 1 {
				t.Errorf("%q was asked %d times", text, times)
			}
		}
	})
}

func TestACallThatIsNotAnsweredInTimeIsAskedAgain(t *testing.T) {
	const timeout = 500 * time.Millisecond
	s := &scripted{refuseCall: func(_ context.Context, call int, _ []string) error {
		if call == 2 {
			time.Sleep(2 * timeout)
		}
		return nil
	}}
	expectAll(t, collect(t, connect(t, script(t, s), sentiment.WithTimeout(timeout)).AnalyzeAll(t.Context(), numbered(200))), 200)
}

func TestCallsThatAreNeverAnsweredInTime(t *testing.T) {
	hang := func(ctx context.Context, _ int, _ []string) error { <-ctx.Done(); return ctx.Err() }
	// last is the error that a run before a server that hangs ends with, and how long it took.
	last := func(ctx context.Context, s *scripted, timeout, giveUpAfter time.Duration) (err error, took time.Duration) {
		begun := time.Now()
		client := connect(t, script(t, s), sentiment.WithTimeout(timeout))
		for _, err = range client.AnalyzeAll(ctx, numbered(20), sentiment.WithGiveUpAfter(giveUpAfter)) {
		}
		return err, time.Since(begun)
	}
	t.Run("until they are given up", func(t *testing.T) {
		s := &scripted{refuseCall: hang}
		err, took := last(t.Context(), s, 50*time.Millisecond, time.Second)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "nothing for 1s") || took < time.Second {
			t.Error(took, err)
		}
		if calls, _ := s.said(); len(calls) < 2 {
			t.Error("never asked again")
		}
	})
	t.Run("until the caller's time is over", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		err, took := last(ctx, &scripted{refuseCall: hang}, time.Minute, time.Minute)
		if !errors.Is(err, context.DeadlineExceeded) || took > 20*time.Second {
			t.Error(took, err)
		}
	})
	t.Run("unless the server says why", func(t *testing.T) {
		s := &scripted{refuseCall: func(context.Context, int, []string) error {
			return refusal(codes.DeadlineExceeded, "DEADLINE", 0).Err()
		}}
		err, _ := last(t.Context(), s, time.Minute, time.Minute)
		if calls, _ := s.said(); len(calls) != 1 || sentiment.ReasonOf(err) != sentiment.ReasonDeadline {
			t.Error(len(calls), err)
		}
	})
}

func TestTheHelpersGiveUp(t *testing.T) {
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		s := &scripted{refuseCall: func(context.Context, int, []string) error {
			return refusal(codes.ResourceExhausted, "OVERLOADED", 0).Err()
		}}
		begun := time.Now()
		for result, err := range of(connect(t, script(t, s)))(t.Context(), numbered(100), sentiment.WithGiveUpAfter(500*time.Millisecond)) {
			if own := failure(t, err); own.Reason != sentiment.ReasonOverloaded || !strings.Contains(own.Message, "nothing for 500ms") {
				t.Error(result, err)
			}
		}
		if took := time.Since(begun); took < 500*time.Millisecond {
			t.Error("after", took)
		}
		if calls, _ := s.said(); len(calls) < 2 {
			t.Error("never asked again")
		}
	})
}

func TestAServerThatSaysNothing(t *testing.T) {
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		s := &scripted{refuseCall: func(ctx context.Context, _ int, _ []string) error { <-ctx.Done(); return ctx.Err() }}
		for result, err := range of(connect(t, script(t, s)))(t.Context(), numbered(100), sentiment.WithGiveUpAfter(300*time.Millisecond)) {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(result, err)
			}
		}
		// What was under way is ended there too.
		select {
		case <-s.ended:
		case <-time.After(10 * time.Second):
			t.Error("the call is still under way")
		}
	})
}

func TestAServerThatSaysNothingAfterAPause(t *testing.T) {
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		release := make(chan struct{})
		s := &scripted{refuseText: func(text string, _ int) *spb.Status {
			if text == "Product 1 is fine" {
				<-release
			}
			return nil
		}}
		client := connect(t, script(t, s))
		defer close(release)
		count := 0
		var last error
		options := []sentiment.CallOption{sentiment.WithGiveUpAfter(time.Second), sentiment.WithBatchSize(1)}
		for _, err := range of(client)(t.Context(), slowly(2, 1500*time.Millisecond), options...) {
			count, last = count+1, err
		}
		if count != 2 || !errors.Is(last, context.DeadlineExceeded) {
			t.Error(count, last)
		}
	})
}

// holding answers the first texts, and lets all other calls wait until they are cancelled.
func holding() *scripted {
	return &scripted{refuseCall: func(ctx context.Context, call int, texts []string) error {
		if texts == nil || slices.Contains(texts, "Product 0 is fine") {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}}
}

func expectIdle(t *testing.T, s *scripted) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); s.underWay.Load() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d calls are still under way", s.underWay.Load())
		}
	}
}

func TestALoopThatIsLeftEndsWhatIsUnderWay(t *testing.T) {
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		s := holding()
		for _, err := range of(connect(t, script(t, s)))(t.Context(), numbered(1_000_000), sentiment.WithBatchSize(10)) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		expectIdle(t, s)
	})
}

func TestALoopThatPanicsEndsWhatIsUnderWay(t *testing.T) {
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		s := holding()
		func() {
			defer func() { _ = recover() }()
			for range of(connect(t, script(t, s)))(t.Context(), numbered(1_000_000), sentiment.WithBatchSize(10)) {
				panic("of the caller's")
			}
		}()
		expectIdle(t, s)
	})
}

func TestAStreamThatBreaks(t *testing.T) {
	for name, err := range map[string]error{
		"DRAINING":             refusal(codes.Unavailable, "DRAINING", 0).Err(),
		"OVERLOADED":           refusal(codes.ResourceExhausted, "OVERLOADED", 0).Err(),
		"idle":                 refusal(codes.DeadlineExceeded, "DEADLINE", 0).Err(),
		"reset":                status.Error(codes.Internal, "stream terminated by RST_STREAM with error code: INTERNAL_ERROR"),
		"reset by a cancel":    status.Error(codes.Canceled, "stream terminated by RST_STREAM with error code: CANCEL"),
		"in good order, early": io.EOF,
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{breakStream: func(text string, times int) error {
				if times == 1 && (text == "Product 100 is fine" || text == "Product 300 is fine") {
					return err
				}
				return nil
			}}
			expectAll(t, collect(t, connect(t, script(t, s)).AnalyzeStream(t.Context(), numbered(400))), 400)
			if calls, _ := s.said(); len(calls) != 3 {
				t.Errorf("%d streams", len(calls))
			}
		})
	}
}

func TestARefusedTextWaitsThoughItsStreamBreaks(t *testing.T) {
	const pause = 1500 * time.Millisecond
	asked := make(chan time.Time, 10)
	s := &scripted{
		refuseText: func(text string, times int) *spb.Status {
			if text != "Product 3 is fine" {
				return nil
			}
			asked <- time.Now()
			if times > 1 {
				return nil
			}
			return refusal(codes.ResourceExhausted, "RATE_LIMITED", pause).Proto()
		},
		breakStream: func(text string, times int) error {
			if times == 1 && (text == "Product 10 is fine" || text == "Product 20 is fine") {
				return refusal(codes.Unavailable, "DRAINING", 0).Err()
			}
			return nil
		},
	}
	expectAll(t, collect(t, connect(t, script(t, s)).AnalyzeStream(t.Context(), numbered(40))), 40)
	calls, at := s.said()
	if len(calls) != 3 || len(asked) != 2 {
		t.Fatalf("%d streams; asked %d times", len(calls), len(asked))
	}
	first, second := <-asked, <-asked
	if at[2].Sub(first) >= pause {
		t.Error("nothing was tried: the text was due when the last stream began")
	}
	if waited := second.Sub(first); waited < pause {
		t.Errorf("asked again after %v", waited)
	}
}

func TestAStreamThatIsRefusedForGoodEndsTheLoopAfterWhatWasAnswered(t *testing.T) {
	s := &scripted{breakStream: func(text string, _ int) error {
		if text == "Product 100 is fine" {
			return refusal(codes.Unauthenticated, "KEY_UNKNOWN", 0).Err()
		}
		return nil
	}}
	count := 0
	var last error
	for result, err := range connect(t, script(t, s)).AnalyzeStream(t.Context(), numbered(400)) {
		if last = err; err == nil {
			if result.Index != count {
				t.Error(result)
			}
			count++
		}
	}
	if count != 100 || sentiment.ReasonOf(last) != sentiment.ReasonKeyUnknown {
		t.Error(count, last)
	}
}

func TestOnlyTheTextThatIsTooLargeSuffers(t *testing.T) {
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		s := new(scripted)
		client := connect(t, script(t, s, grpc.MaxRecvMsgSize(2000)))
		texts := func(yield func(string) bool) {
			for text := range numbered(100) {
				if strings.HasSuffix(strings.Fields(text)[1], "7") {
					text += strings.Repeat("!", 3000)
				}
				if !yield(text) {
					return
				}
			}
		}
		for _, result := range collect(t, of(client)(t.Context(), texts)) {
			if large := result.Index%10 == 7; large != (result.Err != nil) {
				t.Error(result.Index, result.Err)
			}
		}
	})
}

func TestWhatIsTooLargeOnceInflatedIsNotTriedAgain(t *testing.T) {
	var tries atomic.Int32
	refuse := grpc.UnaryInterceptor(func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
		tries.Add(1)
		return nil, status.Error(codes.ResourceExhausted, "Received message that decompresses to a size larger than 4")
	})
	client := connect(t, script(t, new(scripted), refuse))
	if _, err := client.Analyze(t.Context(), "a"); failure(t, err).Code != codes.ResourceExhausted || tries.Load() != 1 {
		t.Error(err, tries.Load())
	}
}

func TestACallThatIsAnsweredByHalf(t *testing.T) {
	half := grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		answer, err := next(ctx, request)
		if batch, ok := answer.(interface{ Reset() }); ok {
			batch.Reset()
		}
		return answer, err
	})
	client := connect(t, script(t, new(scripted), half))
	if _, err := client.AnalyzeBatch(t.Context(), []string{"a", "b"}); failure(t, err).Code != codes.DataLoss {
		t.Error(err)
	}
	for _, err := range client.AnalyzeAll(t.Context(), numbered(10)) {
		if failure(t, err).Code != codes.DataLoss {
			t.Error(err)
		}
	}
}
