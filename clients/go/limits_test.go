package sentiment_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"

	sentiment "sentiment-analyzer-pro/clients/go"
)

func TestACallHasTheDeadlineOfItsContextOrElseOfTheClient(t *testing.T) {
	s := new(scripted)
	address := script(t, s)
	analyze := func(ctx context.Context, options ...sentiment.Option) time.Duration {
		t.Helper()
		if _, err := connect(t, address, options...).Analyze(ctx, "It works."); err != nil {
			t.Fatal(err)
		}
		return s.deadline
	}
	within := func(left, most time.Duration) bool { return left > most-10*time.Second && left <= most }
	if left := analyze(t.Context()); !within(left, 30*time.Second) {
		t.Error("by default:", left)
	}
	if left := analyze(t.Context(), sentiment.WithTimeout(time.Minute)); !within(left, time.Minute) {
		t.Error("of the client:", left)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if left := analyze(ctx); !within(left, time.Hour) {
		t.Error("of the context:", left)
	}
	// However long the whole may take, no call of it hangs for as long.
	collect(t, connect(t, address).AnalyzeAll(ctx, numbered(1)))
	if !within(s.deadline, 30*time.Second) {
		t.Error("of a call of AnalyzeAll:", s.deadline)
	}
}

func TestNoMoreCallsAtOnceThanAreAllowed(t *testing.T) {
	s := &scripted{refuseCall: func(context.Context, int, []string) error { time.Sleep(20 * time.Millisecond); return nil }}
	client := connect(t, script(t, s))
	expectAll(t, collect(t, client.AnalyzeAll(t.Context(), numbered(300), sentiment.WithBatchSize(7), sentiment.WithConcurrency(3))), 300)
	if most := s.most.Load(); most != 3 {
		t.Errorf("%d calls were under way at once", most)
	}
	calls, _ := s.said()
	if len(calls) != 43 {
		t.Errorf("%d calls", len(calls))
	}
	for _, texts := range calls {
		if len(texts) > 7 {
			t.Errorf("a call of %d texts", len(texts))
		}
	}
}

func TestNoMoreTextsUnansweredThanAreAllowed(t *testing.T) {
	release := make(chan struct{})
	s := &scripted{refuseText: func(string, int) *spb.Status { <-release; return nil }}
	client := connect(t, script(t, s))
	read := make(chan int, 1000)
	texts := func(yield func(string) bool) {
		i := 0
		for text := range numbered(100) {
			read <- i
			i++
			if !yield(text) {
				return
			}
		}
	}
	done := make(chan []sentiment.Result)
	go func() { done <- collect(t, client.AnalyzeStream(t.Context(), texts, sentiment.WithMaxUnderWay(8))) }()
	time.Sleep(300 * time.Millisecond)
	// One more waits for its place.
	if len(read) > 9 {
		t.Errorf("%d texts were read while none was answered", len(read))
	}
	close(release)
	expectAll(t, <-done, 100)
}

func TestClosingEndsWhatIsUnderWay(t *testing.T) {
	s := &scripted{refuseCall: func(ctx context.Context, _ int, _ []string) error { <-ctx.Done(); return ctx.Err() }}
	address := script(t, s)
	closing := func(t *testing.T) *sentiment.Client {
		client := connect(t, address)
		time.AfterFunc(200*time.Millisecond, func() { _ = client.Close() })
		return client
	}
	if _, err := closing(t).Analyze(t.Context(), "It works."); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		for _, err := range of(closing(t))(t.Context(), numbered(10)) {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
}

func TestWhoAsks(t *testing.T) {
	s := new(scripted)
	client := connect(t, script(t, s), sentiment.WithAPIKey("sap_secret"))
	if _, err := client.Analyze(t.Context(), "It works."); err != nil {
		t.Fatal(err)
	}
	if agent := s.metadata.Get("user-agent"); len(agent) != 1 || agent[0][:len("sentiment-go/"+sentiment.Version)] != "sentiment-go/"+sentiment.Version {
		t.Error(agent)
	}
	if key := s.metadata.Get("authorization"); len(key) != 1 || key[0] != "Bearer sap_secret" {
		t.Error(key)
	}
}

func TestTheTraceGoesAlong(t *testing.T) {
	s := new(scripted)
	provider := sdk.NewTracerProvider()
	handler := otelgrpc.NewClientHandler(otelgrpc.WithTracerProvider(provider), otelgrpc.WithPropagators(propagation.TraceContext{}))
	client := connect(t, script(t, s), sentiment.WithDialOptions(grpc.WithStatsHandler(handler)))
	ctx, span := provider.Tracer("test").Start(t.Context(), "caller")
	defer span.End()
	expect := func(t *testing.T) {
		t.Helper()
		trace := s.metadata.Get("traceparent")
		if id := span.SpanContext().TraceID().String(); len(trace) != 1 || trace[0][:36] != "00-"+id+"-" {
			t.Error(trace, id)
		}
		s.metadata = nil
	}
	if _, err := client.Analyze(ctx, "It works."); err != nil {
		t.Fatal(err)
	}
	expect(t)
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		collect(t, of(client)(ctx, numbered(3)))
		expect(t)
	})
}
