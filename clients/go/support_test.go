package sentiment_test

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"sync"
	"testing"

	sentiment "sentiment-analyzer-pro/clients/go"
	"sentiment-analyzer-pro/clients/go/internal/servertest"
)

var sharedServer = sync.OnceValues(func() (*servertest.Server, error) { return servertest.Launch() })

// shared is the address of a server for all tests that need no settings.
func shared(t testing.TB) string {
	t.Helper()
	server, err := sharedServer()
	if err != nil {
		t.Fatal(err)
	}
	return server.Address
}

func TestMain(m *testing.M) {
	code := m.Run()
	if server, err := sharedServer(); err == nil {
		server.Kill()
	}
	os.Exit(code)
}

func connect(t testing.TB, address string, options ...sentiment.Option) *sentiment.Client {
	t.Helper()
	client, err := sentiment.NewClient(address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// failure is the *Error in err; the test ends without one.
func failure(t testing.TB, err error) *sentiment.Error {
	t.Helper()
	var own *sentiment.Error
	if !errors.As(err, &own) {
		t.Fatalf("no *sentiment.Error: %v", err)
	}
	return own
}

// helpers are the two ways to ask about many texts.
var helpers = map[string]func(*sentiment.Client) helper{
	"AnalyzeAll":    func(c *sentiment.Client) helper { return c.AnalyzeAll },
	"AnalyzeStream": func(c *sentiment.Client) helper { return c.AnalyzeStream },
}

// forBoth runs a test with each of them.
func forBoth(t *testing.T, test func(*testing.T, func(*sentiment.Client) helper)) {
	for name, of := range helpers {
		t.Run(name, func(t *testing.T) { test(t, of) })
	}
}

// numbered are n texts that differ.
func numbered(n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(fmt.Sprintf("Product %d is fine", i)) {
				return
			}
		}
	}
}

// collect fails the test where the helper does.
func collect(t testing.TB, results iter.Seq2[sentiment.Result, error]) []sentiment.Result {
	t.Helper()
	var all []sentiment.Result
	for result, err := range results {
		if err != nil {
			t.Fatalf("after %d results: %v", len(all), err)
		}
		all = append(all, result)
	}
	return all
}

// expectAll wants n texts answered, each once, in order.
func expectAll(t testing.TB, results []sentiment.Result, n int) {
	t.Helper()
	if len(results) != n {
		t.Fatalf("%d results of %d", len(results), n)
	}
	for i, result := range results {
		if result.Index != i || result.Text != fmt.Sprintf("Product %d is fine", i) {
			t.Fatalf("in place %d: %d, %q", i, result.Index, result.Text)
		}
		if result.Err != nil || result.Sentiment.GetLabel() == 0 {
			t.Fatalf("text %d: %v, %v", i, result.Sentiment, result.Err)
		}
	}
}
