package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func (p *places) count() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.taken
}

func TestTheLastTenthIsForThoseWithLessThanAnEvenPart(t *testing.T) {
	p := newPlaces(20)
	greedy, modest := owner{1}, owner{2}
	taken := 0
	for p.take(greedy) {
		taken++
	}
	if taken != 20 {
		t.Errorf("alone he has all, not %d", taken)
	}
	p.give(greedy)
	p.give(greedy)
	if !p.take(modest) {
		t.Error("the modest one is refused")
	}
	if p.take(greedy) {
		t.Error("the greedy one has more than an even part")
	}
	for taken = 0; taken < 18; taken++ {
		p.give(greedy)
	}
	p.give(modest)
	if p.taken != 0 || len(p.byOwner) != 0 {
		t.Errorf("%d of %d owners are left", p.taken, len(p.byOwner))
	}
}

func TestABodyThatComesSlowlyKeepsNobodyOut(t *testing.T) {
	b := startBridge(t, map[string]string{"MAX_REQUESTS": "2", "MAX_BODY_SIZE": "1MB"})
	for range 10 {
		body, slow := io.Pipe()
		t.Cleanup(func() { _ = slow.Close() })
		go func() {
			if reply, err := http.Post(b.url+"/api/analyze", "application/json", body); err == nil {
				_ = reply.Body.Close()
			}
		}()
		if _, err := slow.Write([]byte("{")); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); b.bodies.taken.Load() < 10*(pieceBytes+comingBytes); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("they do not come")
		}
	}
	if reply := b.ask(t, "POST", "/api/analyze", `{"text":"a"}`); reply.code != 200 {
		t.Error(reply)
	}
}

func TestBodiesTakeNoMoreThanTheirBudget(t *testing.T) {
	b := startBridge(t, map[string]string{"MAX_REQUESTS": "1", "MAX_BODY_SIZE": "1KB"})
	if reply := b.ask(t, "POST", "/api/analyze", `{"text":"a"}`); reply.code != 200 {
		t.Error("a small one alone:", reply)
	}
	b = startBridge(t, map[string]string{"MAX_REQUESTS": "1", "MAX_BODY_SIZE": "1MB"})
	b.bodies.take(b.bodies.most - 2*pieceBytes - comingBytes)
	text := `{"text":"` + strings.Repeat("a", 4*pieceBytes) + `"}`
	if reply := b.ask(t, "POST", "/api/analyze", text); reply.code != 429 || reply.reason(t) != "OVERLOADED" {
		t.Error(reply)
	}
	if reply := b.ask(t, "POST", "/api/analyze", `{"text":"a"}`); reply.code != 200 {
		t.Error(reply)
	}
	if left := b.bodies.taken.Load(); left != b.bodies.most-2*pieceBytes-comingBytes {
		t.Errorf("%d are taken still", left)
	}
}
