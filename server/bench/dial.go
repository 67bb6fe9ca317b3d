package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"parley/server/bench/caller"
)

// dialer asks a server for calls in the server's own way.
type dialer interface {
	// dial asks for the call of an offer and returns the answer.
	dial(ctx context.Context, number int, offer string) (answer string, _ signaling, err error)
}

// signaling is what stays of a call beside its media.
type signaling interface {
	// report tells the server how the line is, if it wants to know.
	report(now time.Time) error
	hangUp()
}

// newDialer makes the one that a kind of server needs.
func (o options) newDialer() (dialer, error) {
	switch o.dialed {
	case parleyRole:
		return newSocketDialer(o.server, o.samples)
	case janusRole:
		return &janusDialer{base: o.server}, nil
	}
	return postDialer{o.server}, nil
}

// postDialer asks by one request, as the dialect raw-sdp has it.
type postDialer struct{ url string }

func (d postDialer) dial(ctx context.Context, _ int, offer string) (string, signaling, error) {
	answer, err := exchange(ctx, d.url, offer)
	return answer, unsignaled{}, err
}

// unsignaled is a call that nothing is said about.
type unsignaled struct{}

func (unsignaled) report(time.Time) error { return nil }
func (unsignaled) hangUp()                {}

// exchange asks for a call as the dialect raw-sdp has it.
func exchange(ctx context.Context, url, offer string) (answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(offer))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/sdp")
	req.Header.Set("Authorization", "Bearer "+farKey)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", res.Status, text)
	}
	return string(text), err
}

// benchCall is a caller and what is said about the call.
type benchCall struct {
	*caller.Caller
	offer     string
	signaling signaling
	isUp      atomic.Bool // there is signaling, and audio may go
}

// connect makes the call.
func (c *benchCall) connect(ctx context.Context, d dialer, number int) error {
	answer, said, err := d.dial(ctx, number, c.offer)
	if err != nil {
		return err
	}
	if err := c.Connect(ctx, answer); err != nil {
		said.hangUp()
		return err
	}
	c.signaling = said
	c.isUp.Store(true)
	return nil
}

func (c *benchCall) hangUp() {
	if c.isUp.Load() {
		c.signaling.hangUp()
	}
	c.Close()
}

// keep does what a caller does beside talking, and says whether all of it could be done.
func (c *benchCall) keep(what upkeep, now time.Time) (err error) {
	if what.isPing {
		c.Ping()
	}
	if what.isCheck {
		err = c.Check()
	}
	if what.isReport {
		err = errors.Join(err, c.SendReport(now), c.signaling.report(now))
	}
	return err
}
