package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"google.golang.org/grpc/codes"
)

// places bounds how many may be under way at once.
type places chan struct{}

func (p places) take() bool {
	select {
	case p <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p places) give() { <-p }

// bounded gives a call its time, and its body whole or not at all.
func (g *Gateway) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.requests.take() {
			writeError(w, g.log, overloaded("There are MAX_REQUESTS calls under way."))
			return
		}
		defer g.requests.give()
		body, err := readBody(w, r, g.config.MaxBody)
		if err != nil {
			writeError(w, g.log, err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), g.config.Timeout)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// readBody inflates, up to most bytes.
func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	refusal := tooLarge(fmt.Sprintf("The body is over %d bytes: send fewer texts.", most))
	if r.ContentLength > most {
		// What comes is not read.
		w.Header().Set("Connection", "close")
		return nil, refusal
	}
	from, err := inflated(http.MaxBytesReader(w, r.Body, most), r.Header)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(from, most+1))
	if over := (*http.MaxBytesError)(nil); int64(len(body)) > most || errors.As(err, &over) {
		return nil, refusal
	}
	return body, bodyFault(err)
}

func inflated(body io.Reader, header http.Header) (io.Reader, error) {
	switch encoding := strings.ToLower(header.Get("Content-Encoding")); encoding {
	case "", "identity":
		return body, nil
	case "gzip":
		inflated, err := gzip.NewReader(body)
		if err != nil {
			return nil, bodyFault(err)
		}
		return inflated, nil
	default:
		return nil, newFault(http.StatusUnsupportedMediaType, codes.InvalidArgument, "ENCODING_UNKNOWN", "Bodies may be sent as gzip, or as they are.", 0)
	}
}

func bodyFault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return newFault(http.StatusRequestTimeout, codes.DeadlineExceeded, "DEADLINE", "The body did not arrive in time.", 0)
	default:
		return badRequest("The body cannot be read to its end.")
	}
}
