package main

import (
	"crypto/tls"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// reloaded is what files hold, read again when they change.
type reloaded[T any] struct {
	files []string
	read  func() (T, error)
	log   *slog.Logger

	mutex sync.Mutex
	held  T
	// When the files were changed last, as of the last look.
	changed []time.Time
}

func newReloaded[T any](log *slog.Logger, read func() (T, error), files ...string) (*reloaded[T], error) {
	r := &reloaded[T]{files: files, read: read, log: log}
	changed := r.times()
	held, err := read()
	if err != nil {
		return nil, err
	}
	r.held, r.changed = held, changed
	return r, nil
}

func newKeyPair(certFile, keyFile string, log *slog.Logger) (*reloaded[*tls.Certificate], error) {
	read := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err == nil {
			log.Info("certificate taken in", "file", certFile, "expires", pair.Leaf.NotAfter)
		}
		return &pair, err
	}
	return newReloaded(log, read, certFile, keyFile)
}

// current is what the files hold now; the one before while they cannot be read.
func (r *reloaded[T]) current() T {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	changed := r.times()
	if slices.Equal(changed, r.changed) {
		return r.held
	}
	held, err := r.read()
	if err != nil {
		// Looked at again at the next handshake: one file may have been replaced and the other not yet.
		r.log.Warn("not taken in", "file", r.files[0], "error", err.Error())
		return r.held
	}
	r.held, r.changed = held, changed
	return r.held
}

func (r *reloaded[T]) times() []time.Time {
	times := make([]time.Time, len(r.files))
	for i, file := range r.files {
		if info, err := os.Stat(file); err == nil {
			times[i] = info.ModTime()
		}
	}
	return times
}
