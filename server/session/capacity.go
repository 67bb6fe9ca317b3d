package session

import "parley/server/settings"

// refusalLocked is why the caller can't have a place, or nil. Who could take over a place
// of their own hears of that first: it helps when all places are taken, too. mu must be
// held.
func (a *Sessions) refusalLocked(c Caller) error {
	set := a.settings.Load()
	switch {
	case a.closed || a.isClosedToNew || !a.drainBy.IsZero():
		return a.drainingRefusal()
	case c.IsMadeUp:
		return nil
	case set.Paused:
		return NewRefusal(Paused)
	case a.byAccount[c.Account()] >= set.MaxPerUser && !a.isOverCapLocked(set, c.Org):
		return NewRefusal(UserCap)
	case a.taken >= set.MaxSessions:
		r := NewRefusal(CapReached)
		r.Limit = set.MaxSessions
		return r
	}
	if limit := settings.OrgCap(set.OrgCaps, set.MaxPerOrg, c.Org); limit > 0 && a.byOrg[c.Org] >= limit {
		r := NewRefusal(OrgCap)
		r.Limit = limit
		return r
	}
	return nil
}

// drainingRefusal sends the caller to another server, if one takes calls.
func (a *Sessions) drainingRefusal() *Refusal {
	r := NewRefusal(Draining)
	addresses, isAny := a.cfg.OpenNodes()
	if isAny {
		r.RetryAfter, r.Nodes = otherNodeRetry, addresses
	}
	return r
}

// isOverCapLocked reports whether more live than may, since a cap was lowered: then a place
// that is given back makes no room. mu must be held.
func (a *Sessions) isOverCapLocked(set *Settings, org string) bool {
	limit := settings.OrgCap(set.OrgCaps, set.MaxPerOrg, org)
	return a.taken > set.MaxSessions || limit > 0 && a.byOrg[org] > limit
}

// Capacity returns how many sessions hold a place, and under which caps.
func (a *Sessions) Capacity() (live, limit, perUser int) {
	set := a.settings.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.taken, set.MaxSessions, set.MaxPerUser
}

// Live returns how many sessions there are, those that take no place, too.
func (a *Sessions) Live() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.live)
}

// OrgCapacity returns how many sessions of an organization hold a place, and under which
// cap; a cap of 0 is none.
func (a *Sessions) OrgCapacity(org string) (live, limit int) {
	set := a.settings.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byOrg[org], settings.OrgCap(set.OrgCaps, set.MaxPerOrg, org)
}

// Free returns how many calls of a caller's organization may begin now, or why this
// caller's may not. It may ask other servers, within a bound of its own.
func (a *Sessions) Free(c Caller) (int, error) {
	if err := a.Check(c); err != nil {
		return 0, err
	}
	free, err := a.cfg.Places.Free(c, a.Settings())
	if err != nil {
		return 0, err
	}
	live, limit, _ := a.Capacity()
	free = min(free, limit-live)
	if ofOrg, orgCap := a.OrgCapacity(c.Org); orgCap > 0 {
		free = min(free, orgCap-ofOrg)
	}
	return max(free, 0), nil
}
