package nodes

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

const (
	// rowsPerMessage bounds a message: a row is 1 KB, 2 at most.
	rowsPerMessage = 200
	// statsPerMessage bounds it where it holds counts, of 1 KB each.
	statsPerMessage = 200
	// wholeTimeout bounds reading the whole picture of a node.
	wholeTimeout = 10 * time.Second
	// maxPages bounds it, too: 20,000 sessions.
	maxPages = 100
)

// toldLevel is what of a session the others know when nobody looks.
type toldLevel struct {
	state wire.SessionState
	agent wire.AgentState
	level quality.Level
}

// teller is what this node told the others of its sessions.
type teller struct {
	seq     uint64
	levels  map[string]toldLevel
	stats   map[string]monitor.NodeStats // by organization
	isWhole bool                         // the next change tells of all sessions
}

// picture is what changed on a node, or a sign that nothing did.
type picture struct {
	Seq   uint64 `json:"seq"`            // of the changes, one more with each
	Epoch int64  `json:"epoch"`          // of the node's life
	Beat  *Beat  `json:"beat,omitempty"` // then there are no changes
	monitor.Changes

	Stats []monitor.NodeStats `json:"stats,omitempty"`
}

// Publish tells the others what changed here in one second. While none of them has
// somebody who looks, it tells what is counted and listed: beginnings, ends, states and
// levels; the figures of each second only somebody who looks can see.
func (n *Nodes) Publish(c monitor.Changes) {
	counted := n.cfg.Picture.OwnStats()
	n.telling.Lock()
	defer n.telling.Unlock()
	for _, p := range n.picturesOf(c, counted) {
		n.publish(p)
	}
}

func (n *Nodes) publish(p picture) {
	if err := n.cfg.Bus.Publish(topicPicture, p); err != nil {
		n.log.Debug("the others ask for the picture when they can", "event", "bus", "err", err)
	}
}

// picturesOf makes the messages of one second.
func (n *Nodes) picturesOf(c monitor.Changes, counted []monitor.NodeStats) (out []picture) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.told.isWhole {
		n.told.isWhole = false
		c.Sessions = n.cfg.Picture.Own()
	} else if !n.isWatchedLocked() {
		c.Sessions = slices.DeleteFunc(c.Sessions, func(row rest.Session) bool { return n.told.levels[row.ID] == levelOf(&row) })
	}
	for i := range c.Sessions {
		n.told.levels[c.Sessions[i].ID] = levelOf(&c.Sessions[i])
	}
	for _, id := range c.Removed {
		delete(n.told.levels, id)
	}
	counted = n.changedStatsLocked(counted)
	if len(c.Sessions)+len(c.Removed)+len(c.Activities)+len(counted) == 0 {
		return nil
	}
	rows := c.Sessions
	for first := true; first || len(rows) > 0; first = false {
		part := monitor.Changes{Sessions: rows[:min(len(rows), rowsPerMessage)]}
		if rows = rows[len(part.Sessions):]; first {
			part.Removed, part.Activities = c.Removed, c.Activities
		}
		n.told.seq++
		out = append(out, picture{Seq: n.told.seq, Epoch: n.epoch, Changes: part})
	}
	out[len(out)-1].Stats = counted
	return out
}

// changedStatsLocked are the counts that are not as they were told; what is too much for one
// message is told a second later. mu must be held.
func (n *Nodes) changedStatsLocked(counted []monitor.NodeStats) (changed []monitor.NodeStats) {
	for _, is := range counted {
		is.Stats.At = time.Time{}
		if len(changed) < statsPerMessage && !reflect.DeepEqual(n.told.stats[is.Org], is) {
			n.told.stats[is.Org] = is
			changed = append(changed, is)
		}
	}
	return changed
}

func levelOf(row *rest.Session) toldLevel {
	return toldLevel{row.State, row.AgentState, row.Quality.Level}
}

// isWatchedLocked reports whether somebody at another node looks. mu must be held.
func (n *Nodes) isWatchedLocked() bool {
	for name, o := range n.others {
		if o.beat.Watching && n.isHeardLocked(name) {
			return true
		}
	}
	return false
}

// hear takes what another node says. What was lost before is seen by the number, and asked
// for.
func (n *Nodes) hear(from string, p picture) {
	n.mu.Lock()
	o := n.others[from]
	if o == nil {
		o = &other{behind: true}
		n.others[from] = o
	}
	expected := o.seq + 1
	if p.Beat != nil {
		expected = o.seq
		if p.Beat.Watching && !o.beat.Watching {
			n.told.isWhole = true // who looks from now on needs more than was told
		}
		o.beat = *p.Beat
		o.beats.heard++
	}
	if p.Seq != expected || p.Epoch != o.epoch {
		o.behind = true
	}
	o.heardAt, o.seq, o.epoch = n.now(), p.Seq, p.Epoch
	if o.asking && p.Beat == nil {
		o.missed = append(o.missed, p.Changes)
	}
	n.mu.Unlock()
	if p.Beat != nil && n.cfg.Heard != nil {
		n.cfg.Heard(from, *p.Beat)
	}
	n.cfg.Picture.PutOthers(from, p.Changes)
	if p.Stats != nil {
		n.cfg.Picture.PutOtherStats(from, p.Stats)
	}
}

// whole asks for a page of a node's sessions.
type whole struct {
	After string `json:"after,omitempty"`
}

type wholePage struct {
	Sessions []rest.Session      `json:"sessions"`
	Stats    []monitor.NodeStats `json:"stats,omitempty"`
	Next     string              `json:"next,omitempty"`
}

func (n *Nodes) answerWhole(_ context.Context, _ string, q whole) (page wholePage, err error) {
	rows := n.cfg.Picture.Own()
	slices.SortFunc(rows, func(a, b rest.Session) int { return strings.Compare(a.ID, b.ID) })
	from, found := slices.BinarySearchFunc(rows, q.After, func(row rest.Session, id string) int { return strings.Compare(row.ID, id) })
	if found {
		from++
	}
	page.Sessions = rows[from:min(len(rows), from+rowsPerMessage)]
	if from+len(page.Sessions) < len(rows) {
		page.Next = page.Sessions[len(page.Sessions)-1].ID
	}
	if q.After == "" {
		counted := n.cfg.Picture.OwnStats()
		page.Stats = counted[:min(len(counted), statsPerMessage)]
	}
	return page, nil
}

// followOthers asks for the pictures that are not whole, and forgets nodes without a lease.
func (n *Nodes) followOthers(ctx context.Context) {
	look := time.NewTicker(beatEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		n.dropDead(ctx)
		for _, name := range n.takeBehind() {
			err := n.askWhole(ctx, name)
			if err != nil && ctx.Err() == nil {
				n.log.Info("the picture of a node can't be asked for now", "event", "bus", "node", name, "err", err)
			}
			n.endAsking(name, err != nil)
		}
	}
}

// takeBehind are the nodes whose whole picture is to be asked for now.
func (n *Nodes) takeBehind() (names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, o := range n.others {
		if o.behind && n.isHeardLocked(name) {
			o.behind, o.asking, o.missed = false, true, nil
			names = append(names, name)
		}
	}
	return names
}

// endAsking has what came meanwhile follow the whole picture, which may be older.
func (n *Nodes) endAsking(name string, failed bool) {
	n.mu.Lock()
	o := n.others[name]
	if o == nil {
		n.mu.Unlock()
		return
	}
	missed := o.missed
	o.asking, o.missed, o.behind = false, nil, o.behind || failed
	n.mu.Unlock()
	for _, c := range missed {
		c.Activities = nil // once is enough
		n.cfg.Picture.PutOthers(name, c)
	}
}

// askWhole reads all sessions of a node.
func (n *Nodes) askWhole(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, wholeTimeout)
	defer cancel()
	var rows []rest.Session
	var q whole
	for range maxPages {
		var page wholePage
		if err := n.cfg.Bus.Request(ctx, name, topicWhole, q, &page); err != nil {
			return err
		}
		rows = append(rows, page.Sessions...)
		if page.Stats != nil {
			n.cfg.Picture.PutOtherStats(name, page.Stats)
		}
		if q.After = page.Next; q.After == "" {
			n.cfg.Picture.ReplaceOthers(name, rows)
			return nil
		}
	}
	return errors.New("a picture without an end")
}

// dropDead forgets the nodes that have no lease any more: their rows go with it.
func (n *Nodes) dropDead(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	live, err := n.cfg.Members.Live(ctx)
	if err != nil {
		return // without the record nobody knows who is dead
	}
	n.mu.Lock()
	n.live = live
	var dead []string
	for name := range n.others {
		if !slices.Contains(live, name) && !n.isHeardLocked(name) {
			delete(n.others, name)
			dead = append(dead, name)
		}
	}
	n.mu.Unlock()
	for _, name := range dead {
		n.cfg.Picture.DropNode(name)
		n.log.Info("a node is gone, and its calls from the picture", "event", "cluster", "node", name)
	}
}
