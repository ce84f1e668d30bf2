package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
)

// client is one connection that is kept open, for requests one by one. It reads
// no more of HTTP than helpd writes, since it works on the same cores as what it
// measures.
type client struct {
	conn net.Conn
	r    *bufio.Reader
	out  []byte
}

func dial(addr string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// request is what to ask: method, path and, of a write, its JSON.
type request struct {
	method, path string
	body         []byte
	as           string // e-mail address, or nobody; empty: the admin's
	has          string // the ETag of what the caller has already; empty: none
}

// host is whom the requests name.
const host = "bench"

// nobody asks without signing in.
const nobody = "-"

// append appends the request as it is sent.
func (q request) append(b []byte, w *world) []byte {
	b = append(append(append(b, q.method...), ' '), q.path...)
	b = append(b, " HTTP/1.1\r\nHost: "+host+"\r\nUser-Agent: bench/1"...)
	if q.as != nobody {
		b = append(append(b, "\r\nAuthorization: "...), w.signIn(q.as)...)
	}
	if q.has != "" {
		b = append(append(b, "\r\nIf-None-Match: "...), q.has...)
	}
	if q.body != nil {
		b = append(b, "\r\nContent-Type: application/json\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(q.body)), 10)
	}
	return append(append(b, "\r\n\r\n"...), q.body...)
}

// do sends the request and reads the answer to its end; keep, if not nil, gets
// the body. It fails unless the status is want.
func (c *client) do(w *world, q request, want int, keep *bytes.Buffer) error {
	c.out = q.append(c.out[:0], w)
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < 12 {
		return fmt.Errorf("not HTTP: %q", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return err
	}
	if status != want && keep == nil {
		keep = &bytes.Buffer{}
	}
	if err := c.readBody(keep); err != nil {
		return err
	}
	if status != want {
		return fmt.Errorf("%s %s: %d, not %d: %.500s", q.method, q.path, status, want, keep.Bytes())
	}
	return nil
}

// ask sends the request and decodes the answer's JSON into answer.
func (c *client) ask(w *world, q request, want int, answer any) error {
	var body bytes.Buffer
	if err := c.do(w, q, want, &body); err != nil {
		return err
	}
	return json.Unmarshal(body.Bytes(), answer)
}

// readBody reads headers and body, whose end its length tells or chunks do.
func (c *client) readBody(keep *bytes.Buffer) error {
	length, chunked := int64(0), false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64); err != nil {
				return err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
	if !chunked {
		return c.take(length, keep)
	}
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 64)
		if err != nil {
			return err
		}
		if err := c.take(size, keep); err != nil {
			return err
		}
		if _, err := c.r.Discard(2); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}

func (c *client) take(n int64, keep *bytes.Buffer) error {
	if keep != nil {
		_, err := io.CopyN(keep, c.r, n)
		return err
	}
	_, err := c.r.Discard(int(n))
	return err
}
