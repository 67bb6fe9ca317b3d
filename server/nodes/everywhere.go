package nodes

import (
	"context"
	"slices"
	"sync"
	"time"

	"parley/shared/rest"
)

// Calls are those of this node, for what is on record elsewhere, or asks for no line.
type Calls interface {
	// EndSession ends a call as its caller wants it. fault.NotFound: there is none.
	EndSession(ctx context.Context, id string) error
	CheckTimeouts(now time.Time) (checked, ended int)
	// EndOverdue ends the calls that are over a limit, without notice.
	EndOverdue()
}

// SharedSettings is the name in Config.Shared of what deadlines hang from.
const SharedSettings = "settings"

// EndOwnSession ends a call as its caller wants it, wherever it is. That it is theirs is
// for who asks to know.
func (a *Acts) EndOwnSession(ctx context.Context, id string) error {
	_, err := a.orElsewhere(ctx, a.calls.EndSession(ctx, id), act{What: actEndOwn, Session: id})
	return err
}

// CheckTimeouts looks at every deadline of all nodes now, and names those that could not be
// asked.
func (a *Acts) CheckTimeouts(ctx context.Context, by rest.AuditEntry) (rest.TimeoutsChecked, error) {
	done, err := a.Operator.CheckTimeouts(ctx, by)
	if err != nil {
		return done, err
	}
	answers, unreachable := a.askAll(ctx, act{What: actCheck, By: by})
	for _, of := range answers {
		if of.Checked != nil {
			done.Checked += of.Checked.Checked
			done.Ended += of.Checked.Ended
		}
	}
	done.Unreachable = unreachable
	return done, nil
}

// EndOverdue ends the calls of the other nodes that are over a limit which was changed just
// now. A node that can't be asked gives them the notice that they have.
func (a *Acts) EndOverdue(ctx context.Context) { a.askAll(ctx, act{What: actOverdue}) }

// answerCheck looks at this node's deadlines, by the settings as they are on record.
func (a *Acts) answerCheck(ctx context.Context, what string) (o outcome) {
	if read, ok := a.nodes.cfg.Shared[SharedSettings]; ok {
		if err := read(ctx); err != nil {
			return outcomeOf(err)
		}
	}
	if what == actOverdue {
		a.calls.EndOverdue()
		return o
	}
	checked, ended := a.calls.CheckTimeouts(time.Now())
	o.Checked = &rest.TimeoutsChecked{Checked: checked, Ended: ended}
	return o
}

// askAll has all other nodes do something at once. Those that have a lease and did not do it
// are unreachable.
func (a *Acts) askAll(ctx context.Context, q act) (answers []outcome, unreachable []string) {
	var asking sync.WaitGroup
	var mu sync.Mutex
	heard := a.nodes.Others()
	for _, name := range heard {
		asking.Go(func() {
			done, err := a.ask(ctx, name, q)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				a.nodes.log.Warn("a node could not be asked", "event", "bus", "node", name, "cause", q.What, "err", err)
				unreachable = append(unreachable, name)
				return
			}
			answers = append(answers, done)
		})
	}
	asking.Wait()
	for _, name := range a.nodes.liveOthers() {
		if !slices.Contains(heard, name) {
			unreachable = append(unreachable, name)
		}
	}
	slices.Sort(unreachable)
	return answers, unreachable
}

// liveOthers are the other nodes that had a lease at the last look.
func (n *Nodes) liveOthers() (names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range n.live {
		if name != n.cfg.Bus.Node() {
			names = append(names, name)
		}
	}
	return names
}
