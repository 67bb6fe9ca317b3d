package relay

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"parley/server/relay/transport"
	"parley/server/turn/demux"
)

// TURNPort is what of the media port is a TURN server's.
type TURNPort struct {
	port    *mediaPort
	packets *queueConn
	streams net.Listener
	relayed *relayedAddresses
}

// TURN returns what is a TURN server's of the media port; nil without Config.TURN.
func (r *Relay) TURN() *TURNPort { return r.port.turn }

// openTURN has the port of calls leave to a TURN server what is one's.
func (d *mediaPort) openTURN(calls *transport.PortConfig) {
	packets := newQueueConn(d.bound, turnQueue, calls.UDP[0].WriteToUDPAddrPort, func() {})
	relayed := newRelayedAddresses(d.port, func(packet []byte, from netip.AddrPort) { d.calls.Receive(packet, from) })
	calls.Divert = func(packet []byte, from netip.AddrPort) bool {
		isTURN := demux.IsTURN(packet)
		if isTURN {
			packets.put(packet, from)
		}
		return isTURN
	}
	calls.SendRelayed = relayed.send
	splitter := demux.SplitTCP(calls.TCP)
	calls.TCP = splitter.Others
	d.running.Go(func() { _ = splitter.Run() }) // ends with the port, or leaves TCP as its listener is
	d.turn = &TURNPort{port: d, packets: packets, streams: splitter.TURN, relayed: relayed}
}

func (d *mediaPort) isRelayed(ip netip.Addr) bool { return d.turn != nil && d.turn.relayed.has(ip) }

// Packets are the requests and channel data of UDP.
func (t *TURNPort) Packets() net.PacketConn { return t.packets }

// Connections are those of TCP.
func (t *TURNPort) Connections() net.Listener { return t.streams }

// Open makes a relayed transport address. Its one peer is the media port at the same
// IP address, which is the first of its family that callers are told.
func (t *TURNPort) Open(v6 bool) (net.PacketConn, error) {
	ips, err := t.port.advertised()
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	i := slices.IndexFunc(ips, func(ip netip.Addr) bool { return ip.Is6() == v6 })
	if i < 0 {
		return nil, errNoRelayedAddress
	}
	return t.relayed.open(ips[i])
}

// IsPeer reports whether a relayed address may have a peer there.
func (t *TURNPort) IsPeer(ip netip.Addr) bool { return t.relayed.has(ip.Unmap()) }

// Addrs are where TURN clients find the port: the first address of each family that
// callers are told.
func (t *TURNPort) Addrs() ([]netip.AddrPort, error) {
	ips, err := t.port.advertised()
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	var at []netip.AddrPort
	for _, ip := range families(ips) {
		at = append(at, netip.AddrPortFrom(ip, t.port.port))
	}
	return at, nil
}
