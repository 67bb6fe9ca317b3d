//go:build js

// Command example is a client of a developer's own: a page that lies wherever its
// developer likes, signs in at a server by a token, calls, and tells how the line
// is. It is built from the public packages alone; README.md of the folder above
// tells how, step by step.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall/js"

	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/browser"
	"parley/wasm/peer"
)

func main() {
	start, hangUp := element("start"), element("hang-up")
	start.Call("addEventListener", "click", js.FuncOf(func(js.Value, []js.Value) any {
		c := client{server: strings.TrimSuffix(element("server").Get("value").String(), "/"), token: element("token").Get("value").String()}
		ctx, cancel := context.WithCancel(context.Background())
		hangUp.Set("onclick", js.FuncOf(func(js.Value, []js.Value) any { cancel(); return nil }))
		go c.run(ctx) // a callback of JavaScript's may not wait
		return nil
	}))
	start.Set("disabled", false)
	select {} // the callbacks need the program
}

// client is one user of one server.
type client struct{ server, token string }

// run signs in, makes a call, and shows how it ended.
func (c client) run(ctx context.Context) {
	var me rest.Me
	if err := c.ask(ctx, "GET", rest.PathMe, &me); err != nil {
		show("call", "Not signed in: "+err.Error())
		return
	}
	show("user", me.Subject)
	end, err := c.call(ctx)
	switch {
	case err != nil:
		show("call", "No call: "+err.Error())
	case end.Err != nil:
		show("call", fmt.Sprintf("Failed: %s, %v", end.Failure, end.Err))
	default:
		show("call", "Ended: "+string(end.Ended.Cause))
	}
}

// call makes one call with the default microphone and loudspeaker. It is over when the
// server or the user ends it.
func (c client) call(ctx context.Context) (peer.CallEnded, error) {
	mic, err := browser.OpenMicrophone(ctx, "", func(float64) {}, func() { show("call", "The microphone is gone") })
	if err != nil {
		return peer.CallEnded{}, err
	}
	defer mic.Close()
	sound, err := browser.NewSound("", func(isPlaying bool) { show("sound", fmt.Sprint(isPlaying)) })
	if err != nil {
		return peer.CallEnded{}, err
	}
	defer sound.Close()
	call := peer.New(peer.Config{
		Admit: func(ctx context.Context) error { return c.ask(ctx, "GET", rest.PathAdmission, nil) },
		Dial:  c.dial,
		Connect: func(_ context.Context, servers []wire.ICEServer, l peer.Listener) (peer.Connection, error) {
			return browser.Connect(servers, mic, sound, l)
		},
		On: tell,
	})
	defer browser.WatchNetwork(call.Hint)()
	return call.Run(ctx), nil
}

// dial opens the socket by a ticket: a browser sends no header with a WebSocket.
func (c client) dial(ctx context.Context) (peer.Socket, error) {
	var ticket rest.Ticket
	if err := c.ask(ctx, "POST", rest.PathTicket, &ticket); err != nil {
		return nil, err
	}
	return browser.Dial(ctx, c.server+rest.PathSocket, wire.Subprotocol, ticket.Subprotocol())
}

// ask makes a request of the API. What the server refuses is a *rest.Problem.
func (c client) ask(ctx context.Context, method, path string, answer any) error {
	res, err := browser.Fetch(ctx, browser.Request{
		Method: method, URL: c.server + path, Header: map[string]string{"Authorization": "Bearer " + c.token},
	})
	switch {
	case err != nil:
		return err
	case res.Status != 200:
		problem := &rest.Problem{}
		if err := json.Unmarshal(res.Body, problem); err != nil {
			return fmt.Errorf("status %d from %s: %w", res.Status, path, err)
		}
		return problem
	case answer == nil:
		return nil
	}
	return json.Unmarshal(res.Body, answer)
}

// tell shows what happens in the call.
func tell(e peer.Event) {
	switch e := e.(type) {
	case peer.CallAccepted:
		show("call", "Calling "+e.Hello.Agent)
	case peer.CallConnected:
		show("call", "Connected")
	case peer.StateReceived:
		show("agent", string(e.State.Agent))
		if q := e.State.Quality; q != nil {
			show("line", fmt.Sprintf("%s, MOS %.1f", q.Level, q.MOS))
		}
	case peer.SampleMeasured:
		show("levels", fmt.Sprintf("you %.0f dBFS, agent %.0f dBFS", e.MicDBFS, e.AgentDBFS))
	case peer.ConnectionDropped:
		show("call", "Reconnecting")
	case peer.ConnectionRecovered:
		show("call", "Connected")
	}
}

func element(id string) js.Value { return js.Global().Get("document").Call("getElementById", id) }

func show(id, text string) { element(id).Set("textContent", text) }
