package main

import (
	"cmp"
	"crypto/sha256"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// places bounds how many may be under way at once. The last tenth is for owners who have less than an even part of all.
type places struct {
	most int

	mutex   sync.Mutex
	taken   int
	byOwner map[owner]int
}

// owner stands for whoever calls: his key as he sent it, or else his address. One whose key is none leaves as soon as the server has said so.
type owner [sha256.Size]byte

func ownerOf(r *http.Request) owner {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return sha256.Sum256([]byte(cmp.Or(r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), host)))
}

func newPlaces(most int) *places {
	return &places{most: most, byOwner: map[owner]int{}}
}

func (p *places) take(one owner) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	owners := len(p.byOwner)
	if p.byOwner[one] == 0 {
		owners++
	}
	isEven := (p.byOwner[one]+1)*owners <= p.most
	if p.taken >= p.most || p.taken >= p.most-p.most/10 && !isEven {
		return false
	}
	p.taken++
	p.byOwner[one]++
	return true
}

func (p *places) give(one owner) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.taken--
	p.byOwner[one]--
	if p.byOwner[one] == 0 {
		delete(p.byOwner, one)
	}
}

// budget bounds what bodies take together, in bytes.
type budget struct {
	most  int64
	taken atomic.Int64
}

func (b *budget) take(bytes int64) bool {
	if b.taken.Add(bytes) <= b.most {
		return true
	}
	b.taken.Add(-bytes)
	return false
}

func (b *budget) give(bytes int64) { b.taken.Add(-bytes) }
