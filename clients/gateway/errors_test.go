package main

import (
	"strings"
	"testing"
)

func TestWhatIsNoTextIsAnsweredToo(t *testing.T) {
	b := startBridge(t, nil)
	for _, path := range []string{"/api/analyze", "/api/analyze/batch", streamPath} {
		reply := b.ask(t, "POST", path, "\x9aJ\xff!")
		if reply.code != 400 || reply.reason(t) != "REQUEST_INVALID" {
			t.Errorf("%s: %d %q", path, reply.code, reply.body)
		}
	}
}

func TestAWrongWordOfAnEnumIsToldTheRightOnes(t *testing.T) {
	b := startBridge(t, nil)
	for path, body := range map[string]string{
		"/api/analyze":       `{"text":"a","tier":"fast"}`,
		"/api/analyze/batch": `{"texts":["a"],"tier":"fast"}`,
		streamPath:           `{"text":"a","tier":"fast"}`,
	} {
		reply := b.ask(t, "POST", path, body)
		if reply.code != 400 || !strings.Contains(reply.body, "use TIER_FAST, TIER_BALANCED, TIER_ACCURATE, TIER_AUTO") || strings.Contains(reply.body, "proto:") {
			t.Errorf("%s: %d %q", path, reply.code, reply.body)
		}
	}
	reply := b.ask(t, "POST", "/api/analyze", `{"text":"a","options":{"longText":"reject"}}`)
	if reply.code != 400 || !strings.Contains(reply.body, "LONG_TEXT_REJECT") {
		t.Errorf("%d %q", reply.code, reply.body)
	}
}
