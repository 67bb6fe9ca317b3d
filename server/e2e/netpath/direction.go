package netpath

import (
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	// maxPacket is the largest IP packet.
	maxPacket = 65535
	// maxQueued bounds the packets under way in one direction. It is far above
	// what a call needs in a second; beyond it the path drops and counts.
	maxQueued = 20_000
)

// A direction carries packets one way: from is read a packet at a time, to is
// written a packet at a time.
type direction struct {
	from io.Reader
	to   io.Writer

	mu         sync.Mutex
	conditions Conditions
	since      time.Time // when they were set
	random     *rand.Rand
	passages   []*passage // in the order of their coming

	sent, free time.Time // last release, and when the rate limit lets the next one start
}

type queued struct {
	data    []byte
	passage *passage
	release time.Time
}

func newDirection(from io.Reader, to io.Writer, seed uint64) *direction {
	return &direction{from: from, to: to, since: time.Now(), random: rand.New(rand.NewPCG(seed, seed))}
}

// run carries packets until from ends.
func (d *direction) run() {
	queue := make(chan queued, maxQueued)
	var wg sync.WaitGroup
	wg.Go(func() { d.deliver(queue) })
	d.receive(queue)
	close(queue)
	wg.Wait()
}

func (d *direction) receive(queue chan<- queued) {
	buf := make([]byte, maxPacket)
	for {
		n, err := d.from.Read(buf)
		if err != nil {
			return
		}
		now := time.Now()
		p, release := d.admit(buf[:n], now, len(queue) < cap(queue))
		if !p.isDropped {
			queue <- queued{data: append([]byte(nil), buf[:n]...), passage: p, release: release}
		}
	}
}

// admit decides on a packet: dropped, or when it leaves. It is called from one
// goroutine.
func (d *direction) admit(packet []byte, now time.Time, room bool) (*passage, time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.conditions
	p := &passage{came: now, kind: kindOf(packet), size: len(packet)}
	d.passages = append(d.passages, p)
	p.isDropped = c.Cut || !room || c.Bursts.drops(now.Sub(d.since)) || (c.Loss > 0 && d.random.Float64() < c.Loss)
	if p.isDropped {
		return p, time.Time{}
	}
	start := now
	if c.Rate > 0 {
		if start.Before(d.free) {
			start = d.free
		}
		start = start.Add(time.Duration(float64(len(packet)*8) / c.Rate * float64(time.Second)))
		d.free = start
	}
	release := start.Add(c.Delay)
	if c.Jitter > 0 {
		release = release.Add(time.Duration(d.random.NormFloat64() * float64(c.Jitter)))
	}
	if release.Before(d.sent) {
		release = d.sent // a path keeps its order
	}
	d.sent = release
	return p, release
}

func (d *direction) deliver(queue <-chan queued) {
	for p := range queue {
		if wait := time.Until(p.release); wait > 0 {
			time.Sleep(wait) // the path's own delay
		}
		if _, err := d.to.Write(p.data); err != nil {
			continue // the far device is going away; the truth counts only what arrived
		}
		d.mu.Lock()
		p.passage.isDelivered, p.passage.delay = true, time.Since(p.passage.came)
		d.mu.Unlock()
	}
}

func (d *direction) set(c Conditions) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conditions, d.since = c, time.Now()
}

func (d *direction) setCut(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conditions.Cut = on
}

// truth is of the packets that came at a time or later.
func (d *direction) truth(since time.Time) Truth {
	d.mu.Lock()
	defer d.mu.Unlock()
	i, _ := slices.BinarySearchFunc(d.passages, since, func(p *passage, at time.Time) int { return p.came.Compare(at) })
	return truthOf(d.passages[i:])
}

func (d *direction) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.passages = nil
}
