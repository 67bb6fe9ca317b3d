package rtcstats

// maxPending is how many intervals wait to be decided. ICE notices after five seconds
// that nothing comes, which is five intervals and a part of one at each end.
const maxPending = 7

// Pending holds back the intervals of one end of which it isn't known yet whether the
// leg was silent. At the start of a call no ping was answered, so that none is missed:
// whether a second without a sign was a cut is known when a sign comes, or when ICE
// says that it missed its checks. The zero value is empty and ready.
type Pending struct{ held []Interval }

// Add takes the next interval and gives those that are decided by it, in order. One
// without a sign is decided as the next one is: silent with a silent one, else not.
func (p *Pending) Add(i Interval) []Interval {
	if i.IsUnsure && len(p.held) < maxPending {
		p.held = append(p.held, i)
		return nil
	}
	decided := append(p.held, i)
	p.held = nil
	if i.IsSilent() {
		for n := range decided {
			decided[n].In, decided[n].Out = decided[n].In.silenced(), decided[n].Out.silenced()
		}
	}
	return decided
}
