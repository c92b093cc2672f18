package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// What clients/console is built into lies in console/dist, which git does not keep: without it there is a page that says how to build it.
//
//go:embed console
var consoleFiles embed.FS

const assetPrefix = "/assets/"

// All that the page needs is its own files and the calls of this bridge; it makes no HTML out of strings.
const consolePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

const (
	// Asked for each time, and mostly answered with 304.
	cacheChecked = "no-cache"
	// The name changes with the content.
	cacheForever = "public, max-age=31536000, immutable"
)

var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
}

// consoleFile is one that a browser asks for.
type consoleFile struct {
	body             []byte
	kind, cache, tag string
}

// console has the files by their paths: no other path of a client's is looked for anywhere.
type console map[string]consoleFile

// newConsole reads all of it at once; a file of a kind that is not known is an error of the build.
func newConsole(files fs.FS) (console, error) {
	pages := console{}
	if err := pages.add(files, "console/unbuilt.html", "/", cacheChecked); err != nil {
		return nil, err
	}
	assets, err := fs.Glob(files, "console/dist/assets/*")
	if err != nil || len(assets) == 0 {
		return pages, err
	}
	for _, asset := range assets {
		if err := pages.add(files, asset, assetPrefix+path.Base(asset), cacheForever); err != nil {
			return nil, err
		}
	}
	return pages, pages.add(files, "console/dist/index.html", "/", cacheChecked)
}

func (c console) add(files fs.FS, file, at, cache string) error {
	body, err := fs.ReadFile(files, file)
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	kind, known := kinds[path.Ext(file)]
	if !known {
		return fmt.Errorf("console: no content type for %s", file)
	}
	digest := sha256.Sum256(body)
	// Weak, since it is the same with and without gzip.
	tag := `W/"` + hex.EncodeToString(digest[:16]) + `"`
	c[at] = consoleFile{body: body, kind: kind, cache: cache, tag: tag}
	return nil
}

func (g *Gateway) serveConsole(w http.ResponseWriter, r *http.Request) {
	file, known := g.console[r.URL.Path]
	if !known {
		g.onRoutingError(r.Context(), g.calls, nil, w, r, http.StatusNotFound)
		return
	}
	header := w.Header()
	header.Set("Content-Type", file.kind)
	header.Set("Cache-Control", file.cache)
	header.Set("ETag", file.tag)
	header.Set("Content-Security-Policy", consolePolicy)
	header.Set("Referrer-Policy", "no-referrer")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.body))
}

// ofConsole tells a path of the page, or of what it loads.
func ofConsole(path string) bool { return path == "/" || strings.HasPrefix(path, assetPrefix) }
