package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/selfsign"

	"parley/server/bench/caller"
	"parley/shared/wire"
)

const (
	frame       = 20 * time.Millisecond
	payloadSize = 80 // bytes: 32 kbit/s
	// atOnce is how many calls are being set up at a time: enough to keep the
	// server's core busy.
	atOnce = 8
)

// callersQuestion asks the callers' process: "prepare" N callers, "call" (all
// of them, which is timed), "talk", "talked" (what came back so far, and how late what
// came since the question before), "hangup".
type callersQuestion struct {
	What string
	N    int
}

// Talk is what came back while all talked, and how long after it was sent.
type Talk struct {
	Sent, Heard, Pongs int64
	P50, P99           time.Duration
	Fault              string // the first thing that could not be done
}

// callerGroup is all callers of one process.
type callerGroup struct {
	dialer dialer
	cfg    caller.Config
	pings  bool
	all    []*benchCall
	ctx    context.Context    // of what runs beside the calls
	stop   context.CancelFunc // ends that; nil: there is nothing
	wg     sync.WaitGroup
	sent   atomic.Int64
	heard  atomic.Int64

	mu     sync.Mutex
	delays []time.Duration // of what came since they were asked for
	fault  error
}

func callers(ctx context.Context, o options, in io.Reader, out io.Writer) error {
	c, err := newCallerGroup(o)
	if err != nil {
		return err
	}
	defer c.hangUp()
	return answerQuestions(in, out, func(q callersQuestion) (any, error) {
		switch q.What {
		case "prepare":
			return nil, c.prepare(q.N)
		case "call":
			begin := time.Now()
			err := c.call(ctx)
			return time.Since(begin), err
		case "talk":
			c.wg.Go(c.talk)
			return nil, nil
		case "talked":
			return c.talked(), nil
		case "hangup":
			c.hangUp()
			return nil, nil
		}
		return nil, fmt.Errorf("what is %q?", q.What)
	})
}

func newCallerGroup(o options) (*callerGroup, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c := &callerGroup{pings: o.pings}
	if c.cfg.Certificate, err = selfsign.SelfSign(key); err != nil {
		return nil, err
	}
	hex := fmt.Sprintf("% X", sha256.Sum256(c.cfg.Certificate.Certificate[0]))
	c.cfg.Fingerprint = "sha-256 " + strings.ReplaceAll(hex, " ", ":")
	c.cfg.HandleAudio = c.takeBack
	if c.cfg.Address, err = callersAddress(o.dialed); err != nil {
		return nil, err
	}
	c.dialer, err = o.newDialer()
	return c, err
}

// callersAddress is loopback, or the machine's own for a server that offers no loopback.
func callersAddress(dialed string) (netip.Addr, error) {
	if dialed != janusRole {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range own {
		if network, err := netip.ParsePrefix(a.String()); err == nil && network.Addr().Is4() && !network.Addr().IsLoopback() {
			return network.Addr(), nil
		}
	}
	return netip.Addr{}, errors.New("the machine has no address but loopback")
}

// prepare makes callers up to their offer, so that setting up costs them as
// little as can be while the server is timed.
func (c *callerGroup) prepare(n int) error {
	for range n {
		one, err := caller.New(c.cfg)
		if err != nil {
			return err
		}
		c.all = append(c.all, &benchCall{Caller: one, offer: one.Offer()})
	}
	return nil
}

// takeBack takes a packet that came back: the time at which it was sent is in it.
func (c *callerGroup) takeBack(payload []byte, came time.Time) {
	c.heard.Add(1)
	if len(payload) < stampAt+8 || came.IsZero() {
		return
	}
	sent := time.Unix(0, int64(binary.BigEndian.Uint64(payload[stampAt:])))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delays = append(c.delays, came.Sub(sent))
}

// stampAt is where in a payload the time is at which it was sent.
const stampAt = 1

// talked tells what came back, and has the delays begin anew.
func (c *callerGroup) talked() Talk {
	c.mu.Lock()
	delays, fault := c.delays, c.fault
	c.delays = nil
	c.mu.Unlock()
	t := Talk{Sent: c.sent.Load(), Heard: c.heard.Load()}
	for _, one := range c.all {
		t.Pongs += one.Pongs()
	}
	if n := len(delays); n > 0 {
		slices.Sort(delays)
		t.P50, t.P99 = delays[n/2], delays[n*99/100]
	}
	if fault != nil {
		t.Fault = fault.Error()
	}
	return t
}

// call connects all callers, atOnce at a time. Who is up does what callers do from then on.
func (c *callerGroup) call(ctx context.Context) error {
	c.ctx, c.stop = context.WithCancel(ctx)
	c.wg.Go(c.keepAll)
	next := make(chan int)
	var wg sync.WaitGroup
	errs := make([]error, atOnce)
	for i := range atOnce {
		wg.Go(func() {
			for number := range next {
				if errs[i] == nil {
					errs[i] = c.all[number].connect(ctx, c.dialer, number)
				}
			}
		})
	}
	for number := range c.all {
		next <- number
	}
	close(next)
	wg.Wait()
	return errors.Join(errs...)
}

// upkeep is what a caller does at a time beside talking.
type upkeep struct{ isPing, isCheck, isReport bool }

// upkeepTick is between two looks at who has something to do.
const upkeepTick = 10 * time.Millisecond

// checkEvery is how often a browser asks for consent to send (RFC 7675).
const checkEvery = 2500 * time.Millisecond

// keepAll has each caller do what is due, spread over the time as with callers who know
// nothing of each other.
func (c *callerGroup) keepAll() {
	each := time.NewTicker(upkeepTick)
	defer each.Stop()
	isDue := func(n int, every time.Duration) bool { return n%int(every/upkeepTick) == 0 }
	for n := 0; ; n++ {
		select {
		case <-each.C:
		case <-c.ctx.Done():
			return
		}
		now := time.Now()
		for i, one := range c.all {
			if !one.isUp.Load() {
				continue
			}
			what := upkeep{c.pings && isDue(n+i, wire.PingInterval), isDue(n+i, checkEvery), isDue(n+i, wire.ReportInterval)}
			if err := one.keep(what, now); err != nil {
				c.noteFault(err)
			}
		}
	}
}

func (c *callerGroup) noteFault(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault == nil && c.ctx.Err() == nil {
		c.fault = err
	}
}

// talk sends each caller's packet each 20 ms, spread over the frame alike.
func (c *callerGroup) talk() {
	payload := make([]byte, payloadSize)
	payload[0] = 0x78 // 20 ms, CELT
	begin := time.Now()
	for n := 0; c.ctx.Err() == nil; n++ {
		for i, one := range c.all {
			due := begin.Add(time.Duration(n)*frame + frame*time.Duration(i)/time.Duration(len(c.all)))
			if d := time.Until(due); d > 0 {
				time.Sleep(d)
			}
			binary.BigEndian.PutUint64(payload[stampAt:], uint64(time.Now().UnixNano()))
			if err := one.SendAudio(payload); err != nil {
				c.noteFault(err)
			}
			c.sent.Add(1)
		}
	}
}

func (c *callerGroup) hangUp() {
	if c.stop != nil {
		c.stop()
		c.wg.Wait()
	}
	var wg sync.WaitGroup
	for _, one := range c.all {
		wg.Go(one.hangUp)
	}
	wg.Wait()
	c.all, c.stop = nil, nil
}
