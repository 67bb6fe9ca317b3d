package netpath

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Seeds of the two directions. Fixed, so that a run can be repeated.
const seedAB, seedBA = 0x5eed_ab, 0x5eed_ba

// A Path is two namespaces, A and B, and the way between them.
type Path struct {
	A, B *Namespace

	ab, ba  *direction
	devices []*os.File
	wg      sync.WaitGroup
}

// Open makes two namespaces whose names begin with name, and joins them. The
// error is an ErrNotAllowed where this process may not. Close removes all of it.
func Open(name string) (*Path, error) {
	if err := allowed(); err != nil {
		return nil, err
	}
	p := &Path{
		A: &Namespace{Name: name + "-a", Addr: netip.AddrFrom4([4]byte{10, 77, 0, 1})},
		B: &Namespace{Name: name + "-b", Addr: netip.AddrFrom4([4]byte{10, 77, 0, 2})},
	}
	for _, ns := range []*Namespace{p.A, p.B} {
		device, err := ns.create()
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.devices = append(p.devices, device)
	}
	p.ab = newDirection(p.devices[0], p.devices[1], seedAB)
	p.ba = newDirection(p.devices[1], p.devices[0], seedBA)
	return p, nil
}

// Start begins to carry packets; Close ends it.
func (p *Path) Start() {
	p.wg.Go(p.ab.run)
	p.wg.Go(p.ba.run)
}

// Set gives both directions the same conditions.
func (p *Path) Set(c Conditions) {
	p.SetAB(c)
	p.SetBA(c)
}

// SetAB gives the direction from A to B its conditions.
func (p *Path) SetAB(c Conditions) { p.ab.set(c) }

// SetBA gives the direction from B to A its conditions.
func (p *Path) SetBA(c Conditions) { p.ba.set(c) }

// Cut drops everything until Heal.
func (p *Path) Cut() { p.setCut(true) }

// Heal ends a Cut; the other conditions stay as they were.
func (p *Path) Heal() { p.setCut(false) }

func (p *Path) setCut(on bool) {
	for _, d := range []*direction{p.ab, p.ba} {
		d.setCut(on)
	}
}

// Truth is what the path did from A to B and from B to A since Open or Reset.
func (p *Path) Truth() (ab, ba Truth) { return p.Since(time.Time{}) }

// Since is what the path did to packets that came at a time or later.
func (p *Path) Since(at time.Time) (ab, ba Truth) { return p.ab.truth(at), p.ba.truth(at) }

// Reset starts the counts again.
func (p *Path) Reset() {
	p.ab.reset()
	p.ba.reset()
}

// Close stops the path and removes the namespaces. Programs that still run in
// them keep a network without a way out.
func (p *Path) Close() error {
	var errs []error
	for _, device := range p.devices {
		errs = append(errs, device.Close())
	}
	p.wg.Wait()
	for _, ns := range []*Namespace{p.A, p.B} {
		errs = append(errs, ns.remove())
	}
	return errors.Join(errs...)
}

func allowed() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: not root", ErrNotAllowed)
	}
	tun, err := os.OpenFile(tunDevice, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotAllowed, err)
	}
	return tun.Close()
}
