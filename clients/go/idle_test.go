package sentiment_test

import (
	"testing"
	"time"

	sentiment "sentiment-analyzer-pro/clients/go"
	"sentiment-analyzer-pro/clients/go/internal/servertest"
)

// slowly has a text each time that `pause` is over.
func slowly(n int, pause time.Duration) func(func(string) bool) {
	return func(yield func(string) bool) {
		for text := range numbered(n) {
			if !yield(text) {
				return
			}
			time.Sleep(pause)
		}
	}
}

func TestAStreamThatTheServerEndsForIdlenessIsOpenedAgain(t *testing.T) {
	client := connect(t, servertest.Start(t, "STREAM_IDLE_TIMEOUT=1").Address)
	expectAll(t, collect(t, client.AnalyzeStream(t.Context(), slowly(3, 2500*time.Millisecond))), 3)
}

func TestTimeWithoutTextsIsNoTimeWithoutAnswers(t *testing.T) {
	client := connect(t, script(t, new(scripted)))
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		options := []sentiment.CallOption{sentiment.WithGiveUpAfter(time.Second), sentiment.WithBatchSize(1)}
		expectAll(t, collect(t, of(client)(t.Context(), slowly(2, 2500*time.Millisecond), options...)), 2)
	})
}

func TestNorIsTheTimeThatTheCallerTakes(t *testing.T) {
	client := connect(t, script(t, new(scripted)))
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) {
		var results []sentiment.Result
		options := []sentiment.CallOption{sentiment.WithGiveUpAfter(time.Second), sentiment.WithMaxUnderWay(20), sentiment.WithBatchSize(4)}
		for result, err := range of(client)(t.Context(), numbered(100), options...) {
			if err != nil {
				t.Fatal(err)
			}
			if results = append(results, result); len(results) == 30 {
				time.Sleep(2500 * time.Millisecond)
			}
		}
		expectAll(t, results, 100)
	})
}

func TestAStreamWaitsForItsPlace(t *testing.T) {
	client := connect(t, servertest.Start(t, "MAX_STREAMS=1").Address)
	// The first has the only place for two seconds.
	first := make(chan []sentiment.Result, 1)
	holds := make(chan struct{}, 3)
	go func() {
		var results []sentiment.Result
		for result, err := range client.AnalyzeStream(t.Context(), slowly(3, time.Second)) {
			if err != nil {
				t.Error(err)
			}
			results = append(results, result)
			holds <- struct{}{}
		}
		first <- results
	}()
	<-holds
	begun := time.Now()
	expectAll(t, collect(t, client.AnalyzeStream(t.Context(), numbered(10))), 10)
	if waited := time.Since(begun); waited < time.Second {
		t.Errorf("the second stream was answered after %v, while the first had the only place", waited)
	}
	expectAll(t, <-first, 3)
}
