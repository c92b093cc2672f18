package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

const (
	livePath = "/api/live"
	// However many pages look, the server is scraped no more often.
	liveFor        = time.Second
	scrapeTimeout  = 2 * time.Second
	maxScrapeBytes = 16 << 20
)

// liveView is what the server has done since its start, so that whoever looks twice can tell what it does now.
type liveView struct {
	// AtMs is when that was, in milliseconds since 1970.
	AtMs int64 `json:"atMs"`
	// Answered and Failed are texts.
	Answered float64 `json:"answered"`
	Failed   float64 `json:"failed"`
	// Latency is of calls, streams left out.
	Latency histogram `json:"latency"`
	// Lookups are texts that were looked for in the caches, Hits those found.
	Lookups float64 `json:"lookups"`
	Hits    float64 `json:"hits"`
	Batches float64 `json:"batches"`
	// Rows are those of all batches.
	Rows float64 `json:"rows"`
	// Waiting is rows that wait for a batch now.
	Waiting float64 `json:"waiting"`
}

// histogram is Prometheus's: Counts[i] of the calls took up to LeSeconds[i]; those that took longer are in Count alone.
type histogram struct {
	LeSeconds []float64 `json:"leSeconds"`
	Counts    []float64 `json:"counts"`
	Count     float64   `json:"count"`
}

// scraper reads the server's metrics, at most once in liveFor.
type scraper struct {
	url    string
	client *http.Client

	mutex sync.Mutex
	view  liveView
	err   error
	until time.Time
}

func newScraper(url string) *scraper {
	return &scraper{url: url, client: &http.Client{
		Timeout: scrapeTimeout,
		// What is set is what is asked.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// look waits for others that look: they get the same, be it an error.
func (s *scraper) look() (liveView, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if time.Now().Before(s.until) {
		return s.view, s.err
	}
	s.view, s.err = s.scrape()
	now := time.Now()
	s.view.AtMs = now.UnixMilli()
	s.until = now.Add(liveFor)
	return s.view, s.err
}

func (s *scraper) scrape() (liveView, error) {
	reply, err := s.client.Get(s.url)
	if err != nil {
		return liveView{}, err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return liveView{}, fmt.Errorf("SENTIMENT_METRICS_URL answers %s", reply.Status)
	}
	return readLiveView(io.LimitReader(reply.Body, maxScrapeBytes))
}

// serveLiveView tells what the server's metrics say in sum: {"live": null} where there is no SENTIMENT_METRICS_URL.
func (g *Gateway) serveLiveView(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	var said struct {
		Live *liveView `json:"live"`
	}
	if g.scraper != nil {
		view, err := g.scraper.look()
		if err != nil {
			g.log.Warn("no metrics", "error", err)
			writeError(w, g.log, newFault(http.StatusServiceUnavailable, codes.Unavailable, "METRICS_DOWN",
				"The server's metrics cannot be read: see SENTIMENT_METRICS_URL, and the bridge's log.", time.Second))
			return
		}
		said.Live = &view
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(said)
}
