package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// janusDialer calls Janus by its REST interface.
type janusDialer struct {
	base   string
	client http.Client
}

// janusReply is what of Janus's replies is read.
type janusReply struct {
	Janus string
	Data  struct{ ID json.Number }
	JSEP  struct{ Type, SDP string }
	Error struct{ Reason string }
}

// ask sends a request and reads its reply.
func (j *janusDialer) ask(ctx context.Context, method, url string, body any) (reply janusReply, err error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return reply, err
		}
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, sent)
	if err != nil {
		return reply, err
	}
	res, err := j.client.Do(req)
	if err != nil {
		return reply, err
	}
	defer res.Body.Close()
	if err = json.NewDecoder(res.Body).Decode(&reply); err == nil && reply.Janus == "error" {
		err = fmt.Errorf("janus: %s", reply.Error.Reason)
	}
	return reply, err
}

// dial implements dialer: a session, a handle of the echo test, the offer, and the event
// that brings the answer.
func (j *janusDialer) dial(ctx context.Context, _ int, offer string) (string, signaling, error) {
	type request map[string]any
	session, err := j.ask(ctx, http.MethodPost, j.base, request{"janus": "create", "transaction": "t"})
	if err != nil {
		return "", nil, err
	}
	call := &janusCall{dialer: j, at: j.base + "/" + session.Data.ID.String()}
	handle, err := j.ask(ctx, http.MethodPost, call.at, request{"janus": "attach", "plugin": "janus.plugin.echotest", "transaction": "t"})
	if err != nil {
		return "", nil, err
	}
	_, err = j.ask(ctx, http.MethodPost, call.at+"/"+handle.Data.ID.String(), request{
		"janus": "message", "transaction": "t", "body": request{"audio": true}, "jsep": request{"type": "offer", "sdp": offer},
	})
	for err == nil {
		var event janusReply
		if event, err = j.ask(ctx, http.MethodGet, call.at+"?maxev=1", nil); err == nil && event.JSEP.Type == "answer" {
			return event.JSEP.SDP, call, nil
		}
	}
	return "", nil, err
}

// janusCall is a session of Janus's.
type janusCall struct {
	dialer *janusDialer
	at     string // its URL
}

// report implements signaling: Janus has RTCP's.
func (*janusCall) report(time.Time) error { return nil }

// hangUp implements signaling. What Janus says to it is no matter.
func (c *janusCall) hangUp() {
	_, _ = c.dialer.ask(context.Background(), http.MethodPost, c.at, map[string]string{"janus": "destroy", "transaction": "t"})
}
