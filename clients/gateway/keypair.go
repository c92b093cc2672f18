package main

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// keyPair is a certificate with its key, read again when the files change.
type keyPair struct {
	certFile, keyFile string
	log               *slog.Logger

	mutex  sync.Mutex
	loaded *tls.Certificate
	// When the files were changed last, as of the last look.
	changed [2]time.Time
}

func newKeyPair(certFile, keyFile string, log *slog.Logger) (*keyPair, error) {
	pair := &keyPair{certFile: certFile, keyFile: keyFile, log: log}
	loaded, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	pair.loaded, pair.changed = &loaded, pair.times()
	return pair, nil
}

// current is the pair as the files have it; the one before while they cannot be read.
func (p *keyPair) current() *tls.Certificate {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	times := p.times()
	if times == p.changed {
		return p.loaded
	}
	loaded, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err != nil {
		// Looked at again at the next handshake: one file may have been replaced and the other not yet.
		p.log.Warn("certificate not taken in", "file", p.certFile, "error", err.Error())
		return p.loaded
	}
	p.log.Info("certificate taken in", "file", p.certFile, "expires", loaded.Leaf.NotAfter)
	p.loaded, p.changed = &loaded, times
	return p.loaded
}

func (p *keyPair) times() (times [2]time.Time) {
	for i, file := range []string{p.certFile, p.keyFile} {
		if info, err := os.Stat(file); err == nil {
			times[i] = info.ModTime()
		}
	}
	return times
}
