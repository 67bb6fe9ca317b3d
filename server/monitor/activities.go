package monitor

import (
	"maps"
	"slices"
	"time"

	"parley/shared/rest"
	"parley/shared/wire"
)

// activityLog keeps the newest activities. What was added since the last frame waits
// apart, so that a snapshot and the frames after it never tell a thing twice. Per
// organization, "" being all, it counts those that were ever added, and how many they were
// with the last frame: a reader who was told of fewer has missed some.
type activityLog struct {
	kept    []loggedActivity
	waiting []loggedActivity
	added   map[string]int64
	told    map[string]int64
}

type loggedActivity struct {
	rest.Activity
	until   time.Time // zero: as long as there is room
	isOther bool      // another node's, which records it
}

func (f *activityLog) add(a loggedActivity) {
	f.waiting = newestOf(append(f.waiting, a), MaxActivities)
	if f.added == nil {
		f.added, f.told = map[string]int64{}, map[string]int64{}
	}
	f.added[""]++
	if a.Org != "" {
		f.added[a.Org]++
	}
}

// expire says until when all that a session did is kept.
func (f *activityLog) expire(session string, until time.Time) {
	for _, list := range [][]loggedActivity{f.kept, f.waiting} {
		for i := range list {
			if list[i].Session == session && list[i].until.IsZero() {
				list[i].until = until
			}
		}
	}
}

// flush moves what waits among what is kept and returns it, and what of it is this server's.
func (f *activityLog) flush(now time.Time) (fresh, own []rest.Activity) {
	f.kept = slices.DeleteFunc(f.kept, func(e loggedActivity) bool {
		return !e.until.IsZero() && !now.Before(e.until)
	})
	fresh = activities(f.waiting, "")
	f.kept = newestOf(append(f.kept, f.waiting...), MaxActivities)
	own = activities(slices.DeleteFunc(f.waiting, func(e loggedActivity) bool { return e.isOther }), "")
	if len(fresh) > 0 {
		maps.Copy(f.told, f.added)
	}
	f.waiting = nil
	return fresh, own
}

func newestOf(list []loggedActivity, n int) []loggedActivity {
	return slices.Delete(list, 0, max(0, len(list)-n))
}

// activities are those of an organization; "" is all.
func activities(list []loggedActivity, org string) []rest.Activity {
	out := make([]rest.Activity, 0, len(list))
	for _, e := range list {
		if org == "" || e.Org == org {
			out = append(out, e.Activity)
		}
	}
	return out
}

func newActivity(row rest.Session, kind, what, detail string, at time.Time) rest.Activity {
	return rest.Activity{
		At: at, Kind: kind, What: what, Detail: detail,
		User: row.User, Name: row.Name, Phone: row.Phone, Email: row.Email, Remote: row.Remote,
		Org: row.Org, Session: row.ID,
	}
}

// endActivity tells how a session ended, filed under what brought it about.
func endActivity(row rest.Session, at time.Time) rest.Activity {
	kind, what := rest.ActivityCall, rest.CallEnded
	switch cause := row.EndCause; {
	case cause == wire.IdleTimeout || cause == wire.MaxDuration:
		kind, what = rest.ActivityTimeout, rest.CallTimedOut
	case cause.IsFault():
		kind, what = rest.ActivityError, rest.CallFailed
	}
	return newActivity(row, kind, what, string(row.EndCause), at)
}
