package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"time"

	"parley/server/agent/double"
)

// kind is a server under test.
type kind interface {
	// packets are those that came through; uncounted, if it doesn't say.
	packets() int64
	io.Closer
}

// answerer is a kind that is in this process, and is asked by HTTP.
type answerer interface {
	// answer makes a session that sends back what it hears.
	answer(ctx context.Context, offer string) (string, error)
	// hangUp closes all sessions.
	hangUp()
}

// program is a kind that is a process of its own, which callers ask in its own way and hang
// up themselves.
type program interface {
	where() string
	used() (cpu time.Duration, rss int64, err error)
}

// uncounted is how many packets came through a server that doesn't say.
const uncounted = -1

// serverQuestion asks a server: "where", "usage" or "hangup".
type serverQuestion struct{ What string }

// serve is a server process: offers come in by HTTP, questions by its input.
func serve(ctx context.Context, o options, in io.Reader, out io.Writer) error {
	k, err := newKind(ctx, o)
	if err != nil {
		return err
	}
	defer k.Close()
	stop, err := profile(o.role, o.profiles)
	if err != nil {
		return err
	}
	defer stop()
	where, stopAnswering, err := listen(k)
	if err != nil {
		return err
	}
	defer stopAnswering()
	return answerQuestions(in, out, func(q serverQuestion) (any, error) {
		switch q.What {
		case "where":
			return where, nil
		case "usage":
			return usage(k)
		case "hangup":
			if a, isHere := k.(answerer); isHere {
				a.hangUp()
			}
			return nil, nil
		}
		return nil, fmt.Errorf("what is %q?", q.What)
	})
}

// listen has a kind of this process answer by HTTP, and tells where any is asked.
func listen(k kind) (where string, stop func(), err error) {
	if p, isElsewhere := k.(program); isElsewhere {
		return p.where(), func() {}, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	web := &http.Server{Handler: offers(k)}
	var wg sync.WaitGroup
	wg.Go(func() { web.Serve(l) })
	stop = func() { web.Close(); wg.Wait() }
	return "http://" + l.Addr().String() + double.CallsPath, stop, nil
}

func newKind(ctx context.Context, o options) (kind, error) {
	switch o.role {
	case parleyRole:
		return newParley(ctx, o.binary)
	case relayRole:
		return newRelay(o.far)
	case reflectorRole:
		return &reflector{connect: newPeerConnection}, nil
	case tunedRole:
		return newTunedReflector()
	case janusRole:
		return newJanus(ctx)
	case forwarderRole:
		return &forwarder{far: o.far}, nil
	case farRole:
		return newFarEnd()
	}
	return nil, fmt.Errorf("no role %q", o.role)
}

func usage(k kind) (u Usage, err error) {
	u.Packets = k.packets()
	if p, isElsewhere := k.(program); isElsewhere {
		u.CPU, u.RSS, err = p.used()
		return u, err
	}
	if u.RSS, err = resident("self"); err != nil {
		return u, err
	}
	u.CPU, err = cpu()
	return u, err
}

func offers(k kind) http.Handler {
	if far, ok := k.(*farEnd); ok {
		return far.service
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		offer, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := k.(answerer).answer(r.Context(), string(offer))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		io.WriteString(w, answer)
	})
}

// profile writes what the process does and allocates, if a folder is given.
func profile(role, dir string) (stop func(), err error) {
	if dir == "" {
		return func() {}, nil
	}
	name := filepath.Join(dir, fmt.Sprintf("%s.%d", role, os.Getpid()))
	busy, err := os.Create(name + ".cpu")
	if err != nil {
		return nil, err
	}
	heap, err := os.Create(name + ".heap")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(busy); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = pprof.Lookup("allocs").WriteTo(heap, 0) // a profile that is cut short shows itself
		busy.Close()
		heap.Close()
	}, nil
}
