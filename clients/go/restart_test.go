package sentiment_test

import (
	"testing"
	"time"

	sentiment "sentiment-analyzer-pro/clients/go"
	"sentiment-analyzer-pro/clients/go/internal/servertest"
)

func TestAServerThatIsKilledAndComesBack(t *testing.T) {
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) { restart(t, of, (*servertest.Server).Kill) })
}

func TestAServerThatDrainsAndComesBack(t *testing.T) {
	forBoth(t, func(t *testing.T, of func(*sentiment.Client) helper) { restart(t, of, (*servertest.Server).Drain) })
}

// restart ends the server while texts are under way, and starts another one on the same port a second later: each text is answered once.
func restart(t *testing.T, of func(*sentiment.Client) helper, end func(*servertest.Server)) {
	port := "GRPC_PORT=" + servertest.Port(t)
	server := servertest.Start(t, port)
	client := connect(t, server.Address)
	begin := make(chan struct{})
	over := make(chan time.Time, 1)
	go func() {
		<-begin
		end(server)
		time.Sleep(time.Second)
		second, err := servertest.Launch(port)
		if err != nil {
			t.Error(err)
		} else {
			t.Cleanup(second.Kill)
		}
		over <- time.Now()
	}()
	var results []sentiment.Result
	// Longer than a drain takes.
	for result, err := range of(client)(t.Context(), bursts(1000), sentiment.WithoutCache()) {
		if err != nil {
			t.Fatalf("after %d results: %v", len(results), err)
		}
		if results = append(results, result); len(results) == 220 {
			close(begin)
		}
	}
	ended := time.Now()
	expectAll(t, results, 1000)
	if back := <-over; back.After(ended) {
		t.Error("all was answered before the second server was there: nothing was tried")
	}
}

// bursts are a hundred texts at once each half a second: some are under way when their first are answered.
func bursts(n int) func(func(string) bool) {
	return func(yield func(string) bool) {
		count := 0
		for text := range numbered(n) {
			if !yield(text) {
				return
			}
			if count++; count%100 == 0 {
				time.Sleep(500 * time.Millisecond)
			}
		}
	}
}
