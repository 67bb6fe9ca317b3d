package monitor

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"parley/shared/rest"
	"parley/shared/wire"
)

// Changes are what one tick changed of the sessions that a server holds, as other nodes of
// its cluster take it.
type Changes struct {
	Sessions   []rest.Session  `json:"sessions,omitempty"` // as they are now, whole
	Removed    []string        `json:"removed,omitempty"`
	Activities []rest.Activity `json:"activities,omitempty"`
}

// NodeStats are what a node counted since it started, of an organization; "" is all. What
// lives is counted by whoever knows its rows.
type NodeStats struct {
	Org          string     `json:"org,omitempty"`
	Stats        rest.Stats `json:"stats"`
	BegunSetups  int64      `json:"begun_setups"`
	FailedSetups int64      `json:"failed_setups"`
	Answers      int64      `json:"answers"`
	SlowAnswers  int64      `json:"slow_answers"`
}

// otherSession is a session that another node holds.
type otherSession struct {
	node      string
	row, told rest.Session
	endSeenAt time.Time // zero while it lives
}

// others is what a Monitor knows of the other nodes. A node that went leaves what it
// counted, so that no count falls while this server lives.
type others struct {
	sessions map[string]*otherSession
	removed  []removedSession // since the last tick
	stats    map[string]map[string]*NodeStats
	gone     map[string]*NodeStats // by organization
}

func newOthers() others {
	return others{sessions: make(map[string]*otherSession), stats: make(map[string]map[string]*NodeStats), gone: make(map[string]*NodeStats)}
}

// PutOthers takes what changed on another node.
func (m *Monitor) PutOthers(node string, c Changes) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range c.Sessions {
		m.putOtherLocked(node, &c.Sessions[i])
	}
	for _, id := range c.Removed {
		if of := m.others.sessions[id]; of != nil && of.node == node {
			m.removeOtherLocked(id)
		}
	}
	if !m.On() {
		return
	}
	for _, a := range c.Activities {
		m.activityLog.add(loggedActivity{Activity: a, isOther: true})
	}
}

// putOtherLocked takes one row. mu must be held.
func (m *Monitor) putOtherLocked(node string, row *rest.Session) {
	if m.sessions[row.ID] != nil {
		return // ours, whoever says so
	}
	of := m.others.sessions[row.ID]
	if of == nil {
		of = new(otherSession)
		m.others.sessions[row.ID] = of
	}
	of.node, of.row = node, *row
	of.row.Node = node
	if row.State == wire.StateEnded && of.endSeenAt.IsZero() {
		of.endSeenAt = time.Now()
		m.activityLog.expire(row.ID, of.endSeenAt.Add(EndedActivities))
	}
}

// removeOtherLocked forgets one. mu must be held.
func (m *Monitor) removeOtherLocked(id string) {
	of := m.others.sessions[id]
	delete(m.others.sessions, id)
	if of.told.ID != "" {
		m.others.removed = append(m.others.removed, removedSession{id, of.row.Org})
	}
}

// ReplaceOthers takes all that another node holds: what isn't among it is gone.
func (m *Monitor) ReplaceOthers(node string, rows []rest.Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := make(map[string]bool, len(rows))
	for i := range rows {
		held[rows[i].ID] = true
		m.putOtherLocked(node, &rows[i])
	}
	for id, of := range m.others.sessions {
		if of.node == node && !held[id] && of.endSeenAt.IsZero() {
			m.removeOtherLocked(id)
		}
	}
}

// DropNode forgets the sessions of a node that is gone, and keeps what it counted.
func (m *Monitor) DropNode(node string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, of := range m.others.sessions {
		if of.node == node {
			m.removeOtherLocked(id)
		}
	}
	for org, last := range m.others.stats[node] {
		sum := m.others.gone[org]
		if sum == nil {
			sum = &NodeStats{Org: org, Stats: newStats()}
			m.others.gone[org] = sum
		}
		sum.add(last)
	}
	delete(m.others.stats, node)
}

// PutOtherStats takes what another node has counted so far.
func (m *Monitor) PutOtherStats(node string, counted []NodeStats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.others.stats[node]
	if of == nil {
		of = make(map[string]*NodeStats)
		m.others.stats[node] = of
	}
	for i := range counted {
		if len(of) < MaxOrgs || of[counted[i].Org] != nil {
			of[counted[i].Org] = &counted[i]
		}
	}
}

// NodeOf tells which other node holds a session.
func (m *Monitor) NodeOf(id string) (node string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.others.sessions[id]
	if of == nil {
		return "", false
	}
	return of.node, true
}

// IsElsewhere reports whether another node holds a live session of a user, as rows show
// them.
func (m *Monitor) IsElsewhere(user, org string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, of := range m.others.sessions {
		if of.endSeenAt.IsZero() && of.row.User == user && of.row.Org == org {
			return true
		}
	}
	return false
}

// Own are the rows of the sessions that this server holds.
func (m *Monitor) Own() []rest.Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	rows := make([]rest.Session, 0, len(m.sessions))
	for _, s := range m.sessions {
		rows = append(rows, s.row(now))
	}
	slices.SortFunc(rows, oldestFirst)
	return rows
}

// OwnStats are what this server counted, of all and of each organization.
func (m *Monitor) OwnStats() []NodeStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now().UTC()
	out := []NodeStats{m.counts.nodeStats("", now)}
	for _, org := range slices.Sorted(maps.Keys(m.orgs)) {
		out = append(out, m.orgs[org].nodeStats(org, now))
	}
	for i := range out {
		out[i].Stats.Anomalies = m.anomaliesLocked(out[i].Org)
	}
	return out
}

func (c *counts) nodeStats(org string, now time.Time) NodeStats {
	return NodeStats{Org: org, Stats: c.stats(now, sessionCaps{}), BegunSetups: c.begunSetups, FailedSetups: c.failedSetups, Answers: c.waits.turns, SlowAnswers: c.waits.slow}
}

// IsWatched reports whether somebody follows the picture, or did within the last while.
func (m *Monitor) IsWatched(within time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Since(m.followedAt) < within
}

// updateOthersLocked adds what changed of the other nodes' sessions to a tick.
// mu must be held.
func (m *Monitor) updateOthersLocked(now time.Time, to *tickResult) {
	for id, of := range m.others.sessions {
		if !of.endSeenAt.IsZero() && now.Sub(of.endSeenAt) >= EndedShown {
			m.removeOtherLocked(id)
			continue
		}
		if !reflect.DeepEqual(of.row, of.told) {
			to.upsert = append(to.upsert, rowChange{of.told, of.row})
			of.told = of.row
		}
	}
	to.removed = append(to.removed, m.others.removed...)
	m.others.removed = nil
}

// addOthersLocked adds to the stats of an organization what other nodes count; "" is all.
// mu must be held.
func (m *Monitor) addOthersLocked(org string, st *rest.Stats) {
	sum := NodeStats{Stats: *st}
	for _, of := range m.others.stats {
		if counted := of[org]; counted != nil {
			sum.add(counted)
			sum.Stats.Anomalies = append(sum.Stats.Anomalies, counted.Stats.Anomalies...)
		}
	}
	if counted := m.others.gone[org]; counted != nil {
		sum.add(counted)
	}
	*st = sum.Stats
	for _, of := range m.others.sessions {
		if of.endSeenAt.IsZero() && (org == "" || of.row.Org == org) {
			st.Live++
			st.ByState[of.row.State]++
			st.Quality[of.row.Quality.Level]++
		}
	}
}

// sumOthersLocked sums up one count over all other nodes, those that went among them.
// mu must be held.
func (m *Monitor) sumOthersLocked(of func(*NodeStats) int64) (sum int64) {
	for _, node := range m.others.stats {
		if counted := node[""]; counted != nil {
			sum += of(counted)
		}
	}
	if counted := m.others.gone[""]; counted != nil {
		sum += of(counted)
	}
	return sum
}

func newStats() rest.Stats { return new(newCounts()).stats(time.Time{}, sessionCaps{}) }

// add adds what another has counted.
func (n *NodeStats) add(other *NodeStats) {
	n.BegunSetups += other.BegunSetups
	n.FailedSetups += other.FailedSetups
	n.Answers += other.Answers
	n.SlowAnswers += other.SlowAnswers
	a, b := &n.Stats, &other.Stats
	faults := a.ErrorRate*float64(a.Ended) + b.ErrorRate*float64(b.Ended)
	a.Durations = mergeDurations(a.Durations, a.Ended, b.Durations, b.Ended)
	mergeWaits(&a.Turns.FirstWord.Turns, &a.Turns.FirstWord.P50MS, &a.Turns.FirstWord.P95MS,
		b.Turns.FirstWord.Turns, b.Turns.FirstWord.P50MS, b.Turns.FirstWord.P95MS)
	mergeWaits(&a.Turns.Silenced.Interruptions, &a.Turns.Silenced.P50MS, &a.Turns.Silenced.P95MS,
		b.Turns.Silenced.Interruptions, b.Turns.Silenced.P50MS, b.Turns.Silenced.P95MS)
	a.Started += b.Started
	if a.Ended += b.Ended; a.Ended > 0 {
		a.ErrorRate = faults / float64(a.Ended)
	}
	addCounts(&a.Refused, b.Refused)
	addCounts(&a.EndCauses, b.EndCauses)
	addCounts(&a.PoorSeconds, b.PoorSeconds)
}

func addCounts[K comparable, N int | int64](to *map[K]N, of map[K]N) {
	if *to == nil {
		*to = make(map[K]N, len(of))
	}
	for name, n := range of {
		(*to)[name] += n
	}
}

func mergeDurations(a rest.DurationStats, na int64, b rest.DurationStats, nb int64) rest.DurationStats {
	switch {
	case nb == 0:
		return a
	case na == 0:
		return b
	}
	return rest.DurationStats{
		MinS: min(a.MinS, b.MinS), MaxS: max(a.MaxS, b.MaxS),
		AvgS: (a.AvgS*float64(na) + b.AvgS*float64(nb)) / float64(na+nb),
	}
}

// mergeWaits weighs the quantiles of two nodes by how much each has measured: exact where
// they do alike, and between the two otherwise.
func mergeWaits(n *int, p50, p95 *float64, otherN int, other50, other95 float64) {
	sum := *n + otherN
	if sum == 0 {
		return
	}
	weigh := func(a *float64, b float64) { *a = (*a*float64(*n) + b*float64(otherN)) / float64(sum) }
	weigh(p50, other50)
	weigh(p95, other95)
	*n = sum
}

// otherRowsLocked are the live and just ended sessions of other nodes. mu must be held.
func (m *Monitor) otherRowsLocked(org string) (rows []rest.Session) {
	for _, of := range m.others.sessions {
		if org == "" || of.row.Org == org {
			rows = append(rows, of.row)
		}
	}
	return rows
}

// otherRatingsLocked are those of other nodes' live sessions. mu must be held.
func (m *Monitor) otherRatingsLocked() (out []Rating) {
	for id, of := range m.others.sessions {
		if of.endSeenAt.IsZero() {
			out = append(out, Rating{id, of.row.Org, of.row.Quality})
		}
	}
	return out
}

// ownChanges are what a tick came to, as other nodes take it.
func ownChanges(upsert []rowChange, removed []removedSession) (c Changes) {
	for i := range upsert {
		c.Sessions = append(c.Sessions, upsert[i].after)
	}
	for _, r := range removed {
		c.Removed = append(c.Removed, r.id)
	}
	return c
}
