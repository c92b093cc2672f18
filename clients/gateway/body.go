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

const (
	// pieceBytes is what a body has room for at first.
	pieceBytes = 16 << 10
	// What there is of a call whose body is still coming, beside that, and of one whose body is inflated.
	comingBytes    = 32 << 10
	inflatingBytes = 64 << 10
)

// bounded gives a call its body whole or not at all, and from then on a place and its time: a body that comes slowly keeps nobody out.
func (g *Gateway) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := &heldBody{budget: &g.bodies, most: g.config.MaxBody}
		defer body.release()
		if err := body.read(w, r); err != nil {
			writeError(w, g.log, err)
			return
		}
		caller := ownerOf(r)
		if !g.requests.take(caller) {
			writeError(w, g.log, overloaded("There are MAX_REQUESTS calls under way, or yours are more than an even part of them."))
			return
		}
		defer g.requests.give(caller)
		ctx, cancel := context.WithTimeout(r.Context(), g.config.Timeout)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = io.NopCloser(bytes.NewReader(body.bytes))
		next.ServeHTTP(w, r)
	})
}

// heldBody is a body with what it takes of the budget for all.
type heldBody struct {
	budget *budget
	most   int64
	bytes  []byte
	taken  int64
}

func (b *heldBody) take(bytes int64) bool {
	if !b.budget.take(bytes) {
		return false
	}
	b.taken += bytes
	return true
}

func (b *heldBody) release() { b.budget.give(b.taken) }

// read inflates, up to most bytes.
func (b *heldBody) read(w http.ResponseWriter, r *http.Request) error {
	refusal := tooLarge(fmt.Sprintf("The body is over %d bytes: send fewer texts.", b.most))
	if r.ContentLength > b.most {
		// What comes is not read.
		w.Header().Set("Connection", "close")
		return refusal
	}
	coming := int64(comingBytes)
	if r.Header.Get("Content-Encoding") != "" {
		coming += inflatingBytes
	}
	if !b.take(coming) {
		return b.overloaded(w)
	}
	from, err := inflated(http.MaxBytesReader(w, r.Body, b.most), r.Header)
	if err != nil {
		return err
	}
	for err == nil {
		if len(b.bytes) == cap(b.bytes) && !b.grow() {
			return b.overloaded(w)
		}
		var count int
		count, err = from.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+count]
		if int64(len(b.bytes)) > b.most {
			return refusal
		}
	}
	if over := (*http.MaxBytesError)(nil); errors.As(err, &over) {
		return refusal
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return bodyFault(err)
}

func (b *heldBody) overloaded(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	return overloaded("The bodies of calls under way take MAX_REQUESTS times MAX_BODY_SIZE.")
}

// grow makes room for as much again, and for one byte more than there may be.
func (b *heldBody) grow() bool {
	held := int64(cap(b.bytes))
	more := min(max(pieceBytes, held), b.most+1-held)
	if !b.take(more) {
		return false
	}
	grown := make([]byte, len(b.bytes), held+more)
	copy(grown, b.bytes)
	b.bytes = grown
	return true
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
