package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

type line struct {
	Result *struct{ ID string }
	Error  *struct {
		Code    int
		Details []struct{ Reason string }
	}
}

// stream is a request whose body is written while its answer is read.
type stream struct {
	write *io.PipeWriter
	reply chan *http.Response
	lines *bufio.Scanner
	body  io.Closer
	// Such as "HTTP/1.1".
	protocol string
}

func (b *bridge) stream(t *testing.T) *stream {
	t.Helper()
	return b.post(t, streamPath)
}

func (b *bridge) post(t *testing.T, path string) *stream {
	t.Helper()
	read, write := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), "POST", b.url+path, read)
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{write: write, reply: make(chan *http.Response, 1)}
	go func() {
		reply, err := b.client.RoundTrip(request)
		if err != nil {
			t.Error(err)
		}
		s.reply <- reply
	}()
	t.Cleanup(func() {
		_ = write.Close()
		if s.body != nil {
			_ = s.body.Close()
		}
	})
	return s
}

func (s *stream) say(t *testing.T, id, text string) {
	t.Helper()
	if _, err := fmt.Fprintf(s.write, "{\"id\":%q,\"text\":%q}\n", id, text); err != nil {
		t.Fatal(err)
	}
}

// next is the next line; none at the end of the answer.
func (s *stream) next(t *testing.T) *line {
	t.Helper()
	if s.lines == nil {
		reply := <-s.reply
		s.lines, s.body, s.protocol = bufio.NewScanner(reply.Body), reply.Body, reply.Proto
		if reply.StatusCode != 200 || reply.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Fatal(reply.StatusCode, reply.Header)
		}
	}
	if !s.lines.Scan() {
		if err := s.lines.Err(); err != nil {
			t.Fatal(err)
		}
		return nil
	}
	said := new(line)
	if err := json.Unmarshal(s.lines.Bytes(), said); err != nil {
		t.Fatal(err)
	}
	return said
}

func TestAStreamAnswersWhileItIsAsked(t *testing.T) {
	s := startBridge(t, nil).stream(t)
	for i := range 3 {
		id := fmt.Sprint(i)
		s.say(t, id, "a")
		if said := s.next(t); said.Result == nil || said.Result.ID != id {
			t.Fatal(said)
		}
	}
	_ = s.write.Close()
	if said := s.next(t); said != nil {
		t.Error(said)
	}
}

func TestAStreamOutlivesTheTimesOfCalls(t *testing.T) {
	for name, start := range map[string]func(*httptest.Server){
		"HTTP/1.1": func(server *httptest.Server) { server.Start() },
		"HTTP/2":   func(server *httptest.Server) { server.EnableHTTP2 = true; server.StartTLS() },
	} {
		t.Run(name, func(t *testing.T) {
			s := startBridgeAs(t, map[string]string{"STREAM_IDLE_TIMEOUT": "1"}, func(server *httptest.Server) {
				server.Config.ReadTimeout, server.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
				start(server)
			}).stream(t)
			for _, pause := range []time.Duration{300 * time.Millisecond, 300 * time.Millisecond, 1300 * time.Millisecond} {
				time.Sleep(pause)
				s.say(t, "1", "a")
				if said := s.next(t); said == nil || said.Result == nil {
					t.Fatal(said)
				}
			}
			_ = s.write.Close()
			if said := s.next(t); said != nil {
				t.Error(said)
			}
			if s.protocol != name && s.protocol != name+".0" {
				t.Error(s.protocol)
			}
		})
	}
}

func TestAStreamThatDoesNotBeginHoldsNoConnection(t *testing.T) {
	b := startBridgeAs(t, nil, func(server *httptest.Server) {
		server.Config.ReadTimeout, server.Config.IdleTimeout = 200*time.Millisecond, 200*time.Millisecond
		server.Start()
	})
	connection, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	head := "POST " + streamPath + " HTTP/1.1\r\nHost: bridge\r\nGrpc-Timeout: soon\r\nTransfer-Encoding: chunked\r\n\r\n"
	if _, err := io.WriteString(connection, head); err != nil {
		t.Fatal(err)
	}
	// Until the bridge closes it.
	if said, err := io.ReadAll(connection); err != nil || !strings.HasPrefix(string(said), "HTTP/1.1 400 ") {
		t.Errorf("%q, %v", said, err)
	}
}

func TestManyLinesAtOnce(t *testing.T) {
	b := startBridge(t, nil)
	reply := b.ask(t, "POST", streamPath, strings.Repeat("{\"text\":\"a\"}\r\n\n", 5000))
	if lines := strings.Count(reply.body, "\n"); reply.code != 200 || lines != 5000 || strings.Contains(reply.body, "error") {
		t.Error(reply.code, lines)
	}
	if reply := b.ask(t, "POST", streamPath, ""); reply.code != 200 || reply.body != "" {
		t.Error("no lines:", reply)
	}
	// The connection is good for more.
	if reply := b.ask(t, "POST", streamPath, zipped(`{"id":"z","text":"a"}`), "Content-Encoding", "gzip"); !strings.Contains(reply.body, `"z"`) {
		t.Error("gzip:", reply)
	}
}

func TestABadLineEndsAStreamWhenTheOthersAreAnswered(t *testing.T) {
	s := startBridge(t, nil).stream(t)
	s.say(t, "1", "a")
	if _, err := s.write.Write([]byte("{\"text\":1}\n")); err != nil {
		t.Fatal(err)
	}
	if said := s.next(t); said.Result == nil {
		t.Fatal(said)
	}
	if said := s.next(t); said.Error == nil || said.Error.Code != 3 || said.Error.Details[0].Reason != "REQUEST_INVALID" {
		t.Error(said)
	}
	if said := s.next(t); said != nil {
		t.Error(said)
	}
}

func TestTheServerEndsAStream(t *testing.T) {
	s := startBridge(t, nil).stream(t)
	s.say(t, "1", "a")
	s.next(t)
	s.say(t, "2", "end")
	if said := s.next(t); said.Error == nil || said.Error.Details[0].Reason != "KEY_UNKNOWN" {
		t.Error(said)
	}
}

func TestADrainEndsStreams(t *testing.T) {
	b := startBridge(t, nil)
	s := b.stream(t)
	s.say(t, "1", "a")
	s.next(t)
	b.beginDrain()
	s.say(t, "2", "a")
	if said := s.next(t); said.Result == nil {
		t.Error("before it ends:", said)
	}
	b.endStreams()
	if said := s.next(t); said.Error == nil || said.Error.Details[0].Reason != "DRAINING" {
		t.Error(said)
	}
}

func TestAReaderThatStopsIsNotReadFor(t *testing.T) {
	b := startBridge(t, map[string]string{"STREAM_IDLE_TIMEOUT": "1"})
	s := b.stream(t)
	s.say(t, "1", "flood")
	s.next(t)
	// Nobody reads on: the server can send what fits on the way, and the write's time ends the call.
	deadline := time.After(20 * time.Second)
	for b.streams.count() > 0 {
		select {
		case <-deadline:
			t.Fatal("the stream is still there")
		case <-time.After(20 * time.Millisecond):
		}
	}
	if sent := len(b.front.calls); sent > 5000 {
		t.Errorf("%d answers of 16 kB were taken for nobody", sent)
	}
}
