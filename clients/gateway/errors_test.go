package main

import "testing"

func TestWhatIsNoTextIsAnsweredToo(t *testing.T) {
	b := startBridge(t, nil)
	for _, path := range []string{"/api/analyze", "/api/analyze/batch", streamPath} {
		reply := b.ask(t, "POST", path, "\x9aJ\xff!")
		if reply.code != 400 || reply.reason(t) != "REQUEST_INVALID" {
			t.Errorf("%s: %d %q", path, reply.code, reply.body)
		}
	}
}
