package main

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"testing/fstest"
)

const script = "/assets/index-Ab12.js"

func withConsole(t *testing.T, files fstest.MapFS) *bridge {
	t.Helper()
	b := startBridge(t, nil)
	var err error
	if b.console, err = newConsole(files); err != nil {
		t.Fatal(err)
	}
	return b
}

func built() fstest.MapFS {
	return fstest.MapFS{
		"console/unbuilt.html":                {Data: []byte("unbuilt")},
		"console/dist/index.html":             {Data: []byte("<!doctype html><title>built</title>")},
		"console/dist/assets/index-Ab12.js":   {Data: []byte(strings.Repeat("console.log();", 500))},
		"console/dist/assets/index-Cd34.css":  {Data: []byte("body{}")},
		"console/dist/assets/favicon-Ef5.svg": {Data: []byte("<svg/>")},
	}
}

func TestThePageIsServed(t *testing.T) {
	b := withConsole(t, built())
	page := b.ask(t, "GET", "/", "")
	if page.code != 200 || !strings.Contains(page.body, "built") || page.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Error(page)
	}
	for name, want := range map[string]string{"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "no-referrer"} {
		if got := page.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	policy := page.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
		"base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, part) {
			t.Error("not in the policy:", part)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
		t.Error(policy)
	}
	if head := b.ask(t, "HEAD", "/", ""); head.code != 200 || head.body != "" || head.header.Get("ETag") == "" {
		t.Error(head)
	}
}

func TestThePageIsAskedForAgain(t *testing.T) {
	b := withConsole(t, built())
	tag := b.ask(t, "GET", "/", "").header.Get("ETag")
	if again := b.ask(t, "GET", "/", "", "If-None-Match", tag); again.code != 304 || again.body != "" {
		t.Error(again)
	}
	if changed := b.ask(t, "GET", "/", "", "If-None-Match", `W/"other"`); changed.code != 200 {
		t.Error(changed)
	}
}

func TestAssetsAreKeptForever(t *testing.T) {
	b := withConsole(t, built())
	for path, kind := range map[string]string{script: "text/javascript; charset=utf-8", "/assets/index-Cd34.css": "text/css; charset=utf-8",
		"/assets/favicon-Ef5.svg": "image/svg+xml"} {
		asset := b.ask(t, "GET", path, "")
		if asset.code != 200 || asset.header.Get("Content-Type") != kind || !strings.Contains(asset.header.Get("Cache-Control"), "immutable") {
			t.Error(path, asset.code, asset.header)
		}
	}
	zipped := b.ask(t, "GET", script, "", "Accept-Encoding", "gzip")
	reader, err := gzip.NewReader(strings.NewReader(zipped.body))
	if err != nil || zipped.header.Get("Content-Encoding") != "gzip" {
		t.Fatal(err, zipped.header)
	}
	if inflated, err := io.ReadAll(reader); err != nil || len(inflated) != 7000 {
		t.Error(err, len(inflated))
	}
}

func TestNothingElseIsServed(t *testing.T) {
	b := withConsole(t, built())
	for _, path := range []string{"/index.html", "/assets/", "/assets/none.js", "/assets/..%2findex.html", "/assets/../index.html", "/console/dist/index.html"} {
		if reply := b.ask(t, "GET", path, ""); reply.code != 404 || reply.reason(t) != "PATH_UNKNOWN" {
			t.Error(path, reply.code)
		}
	}
	if reply := b.ask(t, "POST", "/", "{}"); reply.code != 405 || reply.header.Get("Allow") != "GET, HEAD" {
		t.Error(reply)
	}
}

func TestWithoutABuildThePageSaysHow(t *testing.T) {
	only := fstest.MapFS{"console/unbuilt.html": built()["console/unbuilt.html"]}
	if page := withConsole(t, only).ask(t, "GET", "/", ""); page.code != 200 || page.body != "unbuilt" {
		t.Error(page)
	}
	page, err := consoleFiles.ReadFile("console/unbuilt.html")
	if err != nil || !strings.Contains(string(page), "make gateway") {
		t.Error(err, string(page))
	}
}

func TestABuildThatCannotBeServed(t *testing.T) {
	odd, halved := built(), built()
	odd["console/dist/assets/odd.wasm"] = &fstest.MapFile{}
	delete(halved, "console/dist/index.html")
	for name, files := range map[string]fstest.MapFS{"an unknown kind": odd, "no page": halved, "nothing": {}} {
		if _, err := newConsole(files); err == nil {
			t.Error("no error:", name)
		}
	}
}
