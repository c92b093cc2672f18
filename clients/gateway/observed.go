package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"google.golang.org/grpc/codes"
)

// recorder keeps the status of an answer. What else the writer can do is found by Unwrap.
type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(body []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	return r.ResponseWriter.Write(body)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// observed counts requests, and turns a panic into an answer.
func (g *Gateway) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		recorder := &recorder{ResponseWriter: w}
		g.metrics.underWay.Inc()
		defer func() {
			cause := recover()
			begunToAnswer := recorder.code != 0
			if cause != nil {
				g.answerBug(recorder, cause)
			}
			g.metrics.underWay.Dec()
			took := time.Since(begun)
			code := max(recorder.code, http.StatusOK)
			g.metrics.count(r, code, took)
			g.log.LogAttrs(context.Background(), slog.LevelDebug, "request",
				slog.String("method", methodOf(r.Method)), slog.String("endpoint", endpointOf(r.URL.Path)),
				slog.Int("code", code), slog.Duration("took", took))
			if cause != nil && begunToAnswer {
				// So that half an answer does not look like all of it.
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(recorder, r)
	})
}

func (g *Gateway) answerBug(w *recorder, cause any) {
	id := rand.Text()
	g.log.Error("bug", "id", id, "cause", cause, "stack", string(debug.Stack()))
	if w.code == 0 {
		writeError(w, g.log, newFault(http.StatusInternalServerError, codes.Internal, "BUG",
			"The bridge failed on this. Its log has the cause under the id "+id+".", 0))
	}
}
