package sentiment

import (
	"testing"
	"time"
)

func TestABackoffDoublesUpToFiveSeconds(t *testing.T) {
	var wait backoff
	for _, want := range []time.Duration{100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000} {
		want *= time.Millisecond
		if got := wait.next(0); got < want || got > want+want/5 {
			t.Errorf("%v, not %v and up to a fifth more", got, want)
		}
	}
	wait.reset()
	if got := wait.next(0); got > 120*time.Millisecond {
		t.Error("after an answer:", got)
	}
	if got := wait.next(7 * time.Second); got < 7*time.Second || got > 8400*time.Millisecond {
		t.Error("what the server asks for:", got)
	}
}
