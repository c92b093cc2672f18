package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "sentiment-analyzer-pro/clients/go/gen/sentiment/v1"
)

// A text of 10,000 code points takes 120,000 bytes where all of it is escaped.
const maxLineBytes = 1 << 20

type analyzeStream = grpc.BidiStreamingClient[pb.AnalyzeStreamRequest, pb.AnalyzeStreamResponse]

// serveStream is AnalyzeStream with a JSON object a line, both ways at once. Nothing is stored: a reader that stops is not read from.
func (g *Gateway) serveStream(w http.ResponseWriter, r *http.Request) {
	caller := ownerOf(r)
	if !g.streams.take(caller) {
		writeError(w, g.log, overloaded("There are MAX_STREAMS streams, or yours are more than an even part of them."))
		return
	}
	defer g.streams.give(caller)
	g.metrics.streams.Inc()
	defer g.metrics.streams.Dec()

	connection := http.NewResponseController(w)
	// HTTP/2 is always so. Neither knows how long a stream may last: the server ends it when nothing comes.
	_ = connection.EnableFullDuplex()
	_ = connection.SetReadDeadline(time.Time{})
	_ = connection.SetWriteDeadline(time.Time{})
	out := &answerLines{w: w, connection: connection, timeout: g.config.StreamTimeout}
	err := g.relay(r, connection, out)
	out.end(g, err)
}

// relay returns when all is answered, or why it is not.
func (g *Gateway) relay(r *http.Request, connection *http.ResponseController, out *answerLines) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	annotated, err := runtime.AnnotateContext(ctx, g.calls, r, pb.SentimentService_AnalyzeStream_FullMethodName)
	if err != nil {
		readNoFurther(connection)
		return err
	}
	call, err := g.analyzer.AnalyzeStream(annotated, grpc.MaxRetryRPCBufferSize(maxLineBytes))
	if err != nil {
		readNoFurther(connection)
		return err
	}
	lines := &textLines{requests: make(chan *pb.AnalyzeStreamRequest), ended: make(chan error, 1)}
	go lines.read(ctx, r)
	sent := make(chan error, 1)
	go func() { sent <- g.send(call, lines) }()

	answered := out.write(call, g.metrics)
	cancel()
	sendError := <-sent
	lines.stop(connection)
	if answered != nil {
		return answered
	}
	return sendError
}

// send passes texts on until there are no more, or the bridge ends; what is under way is answered then.
func (g *Gateway) send(call analyzeStream, lines *textLines) error {
	for {
		select {
		case <-g.ending.Done():
			_ = call.CloseSend()
			return draining()
		case request, more := <-lines.requests:
			if !more {
				_ = call.CloseSend()
				return lines.fault
			}
			// Waits while the server takes no more. Where it fails, the answers tell why.
			if call.Send(request) != nil {
				return nil
			}
			g.metrics.texts.Inc()
		case <-call.Context().Done():
			return nil
		}
	}
}

// textLines are the lines of the request's body.
type textLines struct {
	requests chan *pb.AnalyzeStreamRequest
	// Why requests was closed before the end of the body.
	fault error
	ended chan error
}

func (t *textLines) read(ctx context.Context, r *http.Request) {
	t.fault = t.readAll(ctx, r)
	close(t.requests)
	t.ended <- t.fault
}

func (t *textLines) readAll(ctx context.Context, r *http.Request) error {
	body, err := inflated(r.Body, r.Header)
	if err != nil {
		return err
	}
	scanner := bufio.NewScanner(body)
	scanner.Buffer(nil, maxLineBytes)
	for number := 1; scanner.Scan(); number++ {
		if len(scanner.Bytes()) == 0 {
			continue
		}
		request := new(pb.AnalyzeStreamRequest)
		if err := readJSON(scanner.Bytes(), request); err != nil {
			return badRequest(fmt.Sprintf("Line %d: %v", number, err))
		}
		select {
		case t.requests <- request:
		case <-ctx.Done():
			return nil
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return tooLarge(fmt.Sprintf("A line is over %d bytes.", maxLineBytes))
	}
	return bodyFault(scanner.Err())
}

// readNoFurther ends a read that waits for more of the body, and those to come: net/http would wait for what is left of it.
func readNoFurther(connection *http.ResponseController) {
	_ = connection.SetReadDeadline(time.Unix(1, 0))
}

// stop ends a read that waits for more. A body that was read to its end leaves the connection as it is.
func (t *textLines) stop(connection *http.ResponseController) {
	select {
	case <-t.ended:
	default:
		readNoFurther(connection)
		<-t.ended
	}
}

// answerLines are the lines of the answer.
type answerLines struct {
	w          http.ResponseWriter
	connection *http.ResponseController
	timeout    time.Duration
	begun      bool
	line       []byte
}

// write takes an answer from the server only when the one before is written.
func (a *answerLines) write(call analyzeStream, metrics *metrics) error {
	for {
		answer, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if said := status.Convert(err); said.Code() == codes.ResourceExhausted && reasonOf(said) == "" {
			return newFault(http.StatusTooManyRequests, codes.ResourceExhausted, "READER_STOPPED", "The answers were not taken for too long.", 0)
		}
		if err != nil {
			return err
		}
		a.line, err = toJSON.MarshalAppend(append(a.line[:0], `{"result":`...), answer)
		if err != nil {
			return err
		}
		if err := a.writeLine(); err != nil {
			return err
		}
		metrics.answers.Inc()
	}
}

// patience ends when a client has taken nothing for too long; never where there is no timeout.
func (a *answerLines) patience() time.Time {
	if a.timeout == 0 {
		return time.Time{}
	}
	return time.Now().Add(a.timeout)
}

// begin waits for the first answer, so that a call that fails before it has a status of its own.
func (a *answerLines) begin() {
	if !a.begun {
		a.w.Header().Set("Content-Type", "application/x-ndjson")
		a.w.WriteHeader(http.StatusOK)
		a.begun = true
	}
}

// writeLine ends a client that takes nothing for too long. HTTP/2 counts that time without a write too, so it is taken off again.
func (a *answerLines) writeLine() error {
	a.begin()
	_ = a.connection.SetWriteDeadline(a.patience())
	if _, err := a.w.Write(append(a.line, "}\n"...)); err != nil {
		return err
	}
	if err := a.connection.Flush(); err != nil {
		return err
	}
	return a.connection.SetWriteDeadline(time.Time{})
}

// end writes the error as the last line, or as all of the answer. The client may be gone, so nothing is made of what fails here.
func (a *answerLines) end(g *Gateway, err error) {
	_ = a.connection.SetWriteDeadline(a.patience())
	if err == nil {
		a.begin()
		return
	}
	if !a.begun {
		writeError(a.w, g.log, err)
		return
	}
	body, err := toJSON.Marshal(faultOf(err).status.Proto())
	if err != nil {
		return
	}
	a.line = append(append(a.line[:0], `{"error":`...), body...)
	_ = a.writeLine()
	_ = a.connection.SetWriteDeadline(a.patience())
}
